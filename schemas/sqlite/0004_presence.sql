-- When a user was there last. Whether it is there now is never stored.
CREATE TABLE last_seen (
    user BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
