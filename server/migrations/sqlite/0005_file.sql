-- One row: whether a node has the file open. If so, a -wal file beside it is a part of it.
CREATE TABLE file (id INTEGER PRIMARY KEY CHECK (id = 1), in_use INTEGER NOT NULL) STRICT;

INSERT INTO file (id, in_use) VALUES (1, 0);
