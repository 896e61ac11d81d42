-- Accounts: addresses that were confirmed, the logins of a user, what was sent by mail and what is to be.

ALTER TABLE users ADD COLUMN confirmed_at INTEGER;

-- When a token was spent; NULL where that is not known any more.
ALTER TABLE refresh_tokens ADD COLUMN spent_at INTEGER;

CREATE INDEX sessions_by_user ON sessions (user);

-- Secrets that were sent by mail, known by their hashes, each good once.
CREATE TABLE proofs (
    hash BLOB PRIMARY KEY,
    user BLOB NOT NULL,
    what TEXT NOT NULL,
    email TEXT NOT NULL,
    sent_to TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX proofs_by_end ON proofs (expires_at);

-- Mails that are not sent yet. No secret is in them: one is made when it is sent.
CREATE TABLE mails (
    id BLOB PRIMARY KEY,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    letter TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mails_by_due ON mails (due_at);
