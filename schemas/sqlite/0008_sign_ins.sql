-- What signing in depends on besides passwords: second factors, identities elsewhere, sign-ins under way.
-- `expires_at` is NULL for what stays.
CREATE TABLE sign_ins (
    key BLOB PRIMARY KEY,
    version BLOB NOT NULL,
    body TEXT NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_ins_by_end ON sign_ins (expires_at) WHERE expires_at IS NOT NULL;
