//! Faults of what signing in depends on.

use super::FaultStore;
use crate::store::{Answer, SignIn, SignIns, Store, TokenHash};
use rookery_protocol::Timestamp;
use uuid::Uuid;

impl<S: Store> SignIns for FaultStore<S> {
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>> {
        self.read(move |store| store.sign_in(key, now))
    }

    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool> {
        self.write(move |store| store.put_sign_in(old, new, now))
    }
}
