//! Calls on what signing in depends on, sent again until their answers are certain.

use super::{Settled, settle};
use crate::store::{Answer, SignIn, SignIns, Store, TokenHash};
use rookery_protocol::Timestamp;
use uuid::Uuid;

impl<S: Store> SignIns for Settled<S> {
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>> {
        settle(move || self.0.sign_in(key, now))
    }

    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool> {
        settle(move || self.0.put_sign_in(old, new.clone(), now))
    }
}
