//! What was found good seconds ago: access tokens and whom they stand for, so that a client that
//! polls does not cost two reads of the store each time.
//!
//! It is no second truth: a login that ends, or a user that changes, is forgotten at once, and what
//! another node has ended within [`LASTS`]. Only hashes of tokens are kept.

use rookery_actors::Identity;
use rookery_engine::store::TokenHash;
use rookery_protocol::Timestamp;
use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a token is taken for good without a look at its login.
///
/// Five polls at one every two seconds; short enough that what another node has revoked stays
/// good no longer than a person takes to notice.
pub(super) const LASTS: Duration = Duration::from_secs(10);

/// Tokens of one generation, of which there are two at most: about 8 MiB with both.
const GENERATION: usize = 8192;

/// Tokens found good, in two generations: the older one goes when the younger is full or as old as
/// [`LASTS`], so that nothing is searched for what to drop.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<TokenHash, Entry>,
    old: HashMap<TokenHash, Entry>,
    /// When the young one was begun.
    begun: Duration,
    /// Counts what was forgotten.
    version: Version,
}

#[derive(Debug)]
struct Entry {
    identity: Identity,
    found: Duration,
}

/// What had been forgotten at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version(u64);

impl Recent {
    /// Returns whom a token stands for, if it was found good within [`LASTS`] before `now` and has not
    /// run out at `wall`.
    pub(super) fn find(&self, token: &TokenHash, now: Duration, wall: Timestamp) -> Option<Identity> {
        let known = self.lock();
        let entry = known.young.get(token).or_else(|| known.old.get(token))?;
        let is_good = now.saturating_sub(entry.found) < LASTS && wall < entry.identity.expires_at;
        is_good.then(|| entry.identity.clone())
    }

    /// Returns what has been forgotten so far.
    pub(super) fn version(&self) -> Version {
        self.lock().version
    }

    /// Remembers a token that the store found good at `now`, having been asked after `version` was
    /// taken. Anything forgotten since may have been this one: then it is not remembered.
    pub(super) fn remember(&self, token: TokenHash, identity: &Identity, version: Version, now: Duration) {
        let mut known = self.lock();
        if known.version != version {
            return;
        }
        if known.young.len() >= GENERATION || now.saturating_sub(known.begun) >= LASTS {
            known.old = mem::take(&mut known.young);
            known.begun = now;
        }
        known.young.insert(token, Entry { identity: identity.clone(), found: now });
    }

    /// Forgets everybody whom `is_gone` names.
    pub(super) fn forget(&self, is_gone: impl Fn(&Identity) -> bool) {
        let mut known = self.lock();
        known.version.0 += 1;
        known.young.retain(|_, entry| !is_gone(&entry.identity));
        known.old.retain(|_, entry| !is_gone(&entry.identity));
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::{SessionId, User, UserId};
    use uuid::Uuid;

    const WALL: Timestamp = Timestamp(1_000_000);

    fn token(number: usize) -> TokenHash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    fn login(number: u128) -> Identity {
        let id = UserId(Uuid::from_u128(number));
        let user = User { id, handle: String::new(), name: String::new(), avatar: None, about: None };
        Identity { user, session: SessionId(Uuid::from_u128(number)), expires_at: WALL.plus_millis(60_000) }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_is_known_for_ten_seconds_and_not_past_its_end() {
        let recent = Recent::default();
        recent.remember(token(1), &login(1), recent.version(), seconds(0));
        assert!(recent.find(&token(1), seconds(9), WALL).is_some());
        assert!(recent.find(&token(1), seconds(10), WALL).is_none());
        assert!(recent.find(&token(1), seconds(1), WALL.plus_millis(60_000)).is_none());
        assert!(recent.find(&token(2), seconds(0), WALL).is_none());
    }

    #[test]
    fn a_login_that_ended_is_forgotten_and_does_not_come_back_from_an_earlier_look() {
        let recent = Recent::default();
        recent.remember(token(1), &login(1), recent.version(), seconds(0));
        recent.remember(token(2), &login(2), recent.version(), seconds(0));
        let before = recent.version();
        recent.forget(|identity| identity.session == login(1).session);
        recent.remember(token(1), &login(1), before, seconds(0));
        assert!(recent.find(&token(1), seconds(0), WALL).is_none());
        assert!(recent.find(&token(2), seconds(0), WALL).is_some());
    }

    #[test]
    fn it_is_bounded() {
        let recent = Recent::default();
        for number in 0..=GENERATION * 3 {
            recent.remember(token(number), &login(1), recent.version(), seconds(0));
        }
        let known = recent.lock();
        assert_eq!((known.young.len(), known.old.len()), (1, GENERATION));
    }
}
