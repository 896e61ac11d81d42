-- People: who blocks whom, handles that were given up, and invites to rooms.

CREATE TABLE blocks (
    user BLOB NOT NULL,
    other BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, other)
) STRICT, WITHOUT ROWID;

-- A handle stays its former owner's until then.
CREATE TABLE kept_handles (
    handle TEXT PRIMARY KEY,
    user BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_handles_by_end ON kept_handles (until);

-- Known by the hash of its text. `uses` is NULL where any number of users may come in.
CREATE TABLE invites (
    hash BLOB PRIMARY KEY,
    room BLOB NOT NULL,
    by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    uses INTEGER,
    used INTEGER NOT NULL DEFAULT 0,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX invites_by_room ON invites (room);

-- Who has used an invite, so that nobody takes two uses.
CREATE TABLE invite_uses (
    hash BLOB NOT NULL,
    user BLOB NOT NULL,
    PRIMARY KEY (hash, user)
) STRICT, WITHOUT ROWID;
