-- The search index of one node, in a file of its own beside the store. All of it follows from the
-- store's events; a file that is missing or of another version is made anew.

-- One row a message that was not deleted, with its present words, if any; its rowid is the message's `events.id`, so newest last.
-- `log`, `author` and `kind` are columns of the index too, so that a filter is one more list to
-- intersect. Words are made by the engine; between two of them is one space.
CREATE VIRTUAL TABLE messages USING fts5 (
    log,
    author,
    kind,
    seq UNINDEXED,
    at UNINDEXED,
    text,
    tokenize = 'ascii',
    columnsize = 0
);

-- What is deleted goes out of the index at once, not when segments happen to be merged.
INSERT INTO messages (messages, rank) VALUES ('secure-delete', 1);

-- The greatest `events.id` that has a message of each day (86,400,000 ms of `events.at`).
CREATE TABLE days (
    day INTEGER PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

-- The last event taken in, and which one that was in the store's own words: another store, or one
-- that was set back, has another event there or none.
CREATE TABLE position (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL,
    log INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

INSERT INTO position (one, id, log, seq, at) VALUES (1, 0, 0, 0, 0);
