-- At most one row, which nobody reads: writing it again tells whether the disk has room.
CREATE TABLE room (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
