-- Tables under the names of what they hold.
ALTER TABLE life RENAME TO log_epoch;
ALTER TABLE people RENAME TO accounts;
ALTER TABLE sign_ins RENAME COLUMN person TO account;
ALTER TABLE room RENAME TO write_probe;
