-- One row: which life of the log this is.
CREATE TABLE life (epoch TEXT NOT NULL) STRICT;

CREATE TABLE topics (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    topic       INTEGER NOT NULL REFERENCES topics (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL, -- milliseconds since the Unix epoch, UTC
    author      TEXT NOT NULL,
    author_name TEXT NOT NULL,    -- of that moment
    key         TEXT NOT NULL,
    payload     TEXT NOT NULL,    -- JSON
    PRIMARY KEY (topic, seq)
) STRICT, WITHOUT ROWID;

-- What makes a retry harmless.
CREATE UNIQUE INDEX events_by_key ON events (topic, author, key);
