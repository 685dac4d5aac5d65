CREATE TABLE people (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each place where somebody is signed in. Only the SHA-256 of the cookie's token is kept.
CREATE TABLE sign_ins (
    token_sha256 BLOB PRIMARY KEY,
    person       TEXT NOT NULL REFERENCES people (id),
    renewed_at   INTEGER NOT NULL -- milliseconds since the Unix epoch, UTC
) STRICT, WITHOUT ROWID;
