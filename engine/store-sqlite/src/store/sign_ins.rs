//! What signing in depends on: each method of its port, handed to the committer or to a reader.

use super::SqliteStore;
use crate::{apply, read};
use rookery_engine::store::{Answer, SignIn, SignIns, TokenHash};
use rookery_protocol::Timestamp;
use uuid::Uuid;

impl SignIns for SqliteStore {
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>> {
        self.reads.read(move |connection| read::sign_in(connection, key, now))
    }

    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool> {
        self.write(move |connection| apply::put_sign_in(connection, old, &new, now))
    }
}
