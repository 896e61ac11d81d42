-- The embedded store of one node. Ids are 16 bytes, times milliseconds since the Unix epoch (UTC),
-- bodies JSON text. `SELECT * FROM history` is the log for people.

-- A room's log has a small number, which is what its events carry.
CREATE TABLE logs (
    no INTEGER PRIMARY KEY,
    room BLOB NOT NULL UNIQUE
) STRICT;

-- The events of all rooms in the order in which they came. What a commit costs is the pages that it
-- changes; here all its events go to the end of one table, however many rooms they are for.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by BLOB NOT NULL,
    type TEXT NOT NULL,
    client_id BLOB,
    target INTEGER,
    reply_to INTEGER,
    body TEXT NOT NULL,
    span INTEGER GENERATED ALWAYS AS (id >> 12) VIRTUAL
) STRICT;

-- Where an event of a log is. 4096 consecutive ids are a span; an index that begins with it is
-- written in a few pages at its end, too, and a log's events of one span lie together in it.
CREATE UNIQUE INDEX events_by_place ON events (span, log, seq);

-- Which spans have events of a log, each by the log's first position there.
CREATE TABLE spans (
    log INTEGER NOT NULL,
    first INTEGER NOT NULL,
    span INTEGER NOT NULL,
    PRIMARY KEY (log, first)
) STRICT, WITHOUT ROWID;

-- Exactly once. The client's id comes first: such ids grow with time, so a commit changes few pages.
CREATE UNIQUE INDEX events_by_client ON events (client_id, by, log) WHERE client_id IS NOT NULL;

CREATE TABLE rooms (
    room BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    title TEXT,
    about TEXT,
    avatar TEXT,
    created_at INTEGER NOT NULL,
    members INTEGER NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `role` is NULL for somebody who has gone.
CREATE TABLE members (
    room BLOB NOT NULL,
    user BLOB NOT NULL,
    role TEXT,
    joined INTEGER NOT NULL,
    joined_ord INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user, room) WHERE role IS NOT NULL;

-- Read up to `seq`, where `ord` messages had been written.
CREATE TABLE cursors (
    user BLOB NOT NULL,
    room BLOB NOT NULL,
    seq INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;

-- `user` is empty where everybody is mentioned.
CREATE TABLE mentions (
    room BLOB NOT NULL,
    user BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (room, user, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    user BLOB PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    avatar TEXT,
    about TEXT,
    email TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    session BLOB PRIMARY KEY,
    user BLOB NOT NULL,
    device BLOB,
    device_name TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    ends_at INTEGER GENERATED ALWAYS AS (min(expires_at, ifnull(revoked_at, expires_at))) VIRTUAL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_end ON sessions (ends_at);

-- A spent token is kept until it would have expired, so that its reuse is seen.
CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,
    session BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    replaced_by BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

CREATE TABLE tickets (
    hash BLOB PRIMARY KEY,
    user BLOB NOT NULL,
    session BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_by_end ON tickets (expires_at);

-- One row that a probe rewrites to see whether the disk takes writes.
CREATE TABLE probe (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    writes INTEGER NOT NULL
) STRICT;

CREATE VIEW history AS
SELECT
    lower(hex(logs.room)) AS room,
    events.seq,
    strftime('%Y-%m-%d %H:%M:%f', events.at / 1000.0, 'unixepoch') AS at,
    lower(hex(events.by)) AS by,
    events.type,
    events.body
FROM events
JOIN logs ON logs.no = events.log;
