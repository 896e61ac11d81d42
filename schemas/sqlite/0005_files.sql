-- What is known of files; their bytes are elsewhere. `mime` to `thumb_size` are NULL until they have been
-- sent. A file is garbage from `garbage_at` on: NULL while something refers to it, 0 since nothing does
-- any more, -1 once its bytes are being deleted, which is for good.
CREATE TABLE files (
    file BLOB PRIMARY KEY,
    owner BLOB NOT NULL,
    name TEXT NOT NULL,
    hint TEXT,
    size INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    charge INTEGER NOT NULL,
    garbage_at INTEGER,
    mime TEXT,
    stored INTEGER,
    hash BLOB,
    width INTEGER,
    height INTEGER,
    thumb_mime TEXT,
    thumb_size INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX files_by_end ON files (garbage_at, file) WHERE garbage_at IS NOT NULL;

-- What the charges of a user's files add up to.
CREATE TABLE file_usage (
    user BLOB PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What refers to a file: a message by its room and its position; 0 is the picture of the room `holder`,
-- -1 that of the user `holder`.
CREATE TABLE file_links (
    holder BLOB NOT NULL,
    place INTEGER NOT NULL,
    file BLOB NOT NULL,
    PRIMARY KEY (holder, place, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX file_links_by_file ON file_links (file);

-- The position that a message's files are as of.
CREATE TABLE file_sets (
    room BLOB NOT NULL,
    seq INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
