//! The part of the store port about signing in otherwise than by a password alone: second factors, identities
//! at other providers, and sign-ins that are under way. What is in a record the store does not know.

use super::{Answer, TokenHash};
use rookery_protocol::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that signing in depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Which: a hash of what it is about, or of a secret.
    pub key: TokenHash,
    /// Other with each change.
    pub version: Uuid,
    /// Text of at most a few KiB.
    pub body: String,
    /// From when on it is as good as not there; `None` for what stays, which a backup keeps.
    pub expires_at: Option<Timestamp>,
}

impl SignIn {
    /// Returns whether it is there at `now`.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// What signing in depends on. The write is a compare-and-set.
pub trait SignIns {
    /// Returns the record of `key` that is there at `now`.
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>>;

    /// Puts `new` in the place of the record of its key if that has the version `old` at `now`, or is not there
    /// where `old` is `None`. Returns whether `new` is there then: at most one of those who replace the same
    /// version, and the same call sent again answers as the first time until somebody has replaced `new`.
    ///
    /// There is no other way to take a record away than to put an expired one in its place. What has expired is
    /// forgotten for good some time later, see [`Accounts::purge`](super::Accounts::purge).
    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool>;
}
