//! What signing in depends on, in memory.

use super::MemoryStore;
use crate::store::{Answer, SignIn, SignIns, TokenHash};
use rookery_protocol::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) type SignInTable = BTreeMap<TokenHash, SignIn>;

impl SignIns for MemoryStore {
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>> {
        self.answer(move |state| Ok(state.sign_ins.get(&key).filter(|found| found.is_there(now)).cloned()))
    }

    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool> {
        self.answer(move |state| {
            let found = state.sign_ins.get(&new.key);
            if found.is_some_and(|found| found.version == new.version) {
                return Ok(true);
            }
            if found.filter(|found| found.is_there(now)).map(|found| found.version) != old {
                return Ok(false);
            }
            state.sign_ins.insert(new.key, new);
            Ok(true)
        })
    }
}
