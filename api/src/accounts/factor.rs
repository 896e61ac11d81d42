//! The second factor: codes of an authenticator app, and recovery codes in its place.
//!
//! A code is good once: which step was accepted last is compared and set, so of two that bring the same code
//! one comes in. What may be guessed is bounded by account, and by challenge where a login waits for it.

mod challenge;
mod code;
mod enrol;

pub use challenge::{Challenge, ChallengeError};
pub use enrol::{Enrolment, FactorError, FactorStanding};

use super::{Accounts, secret};
use code::Codes;
use rookery_engine::store::{SignIn, StoreError, TokenHash};
use rookery_protocol::{Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How often a write that lost to another one is made again: whoever does the same at the same time is one
/// person with two windows.
const TRIES: u32 = 4;

/// A user's second factor, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Factor {
    /// What the app knows too, in base32: sealed, since codes are made of it and no hash will do. Plain where a
    /// version of before has kept it, until its next use.
    secret: String,
    /// Since when a login asks for it; it is being set up until then.
    on_since: Option<Timestamp>,
    /// The last step whose code was accepted (RFC 6238, section 5.2).
    step: u64,
    /// Hashes of the recovery codes that are left.
    recovery: Vec<TokenHash>,
}

/// A record of the store, read.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    pub(super) version: Uuid,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) what: T,
}

impl Accounts {
    /// Returns whether logins of `user` ask for a second factor.
    pub(super) async fn asks_for_factor(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.factor(user).await?.is_some_and(|factor| factor.what.on_since.is_some()))
    }

    async fn factor(&self, user: UserId) -> Result<Option<Kept<Factor>>, StoreError> {
        self.kept(factor_key(user)).await
    }

    /// Takes `code` if it is one of the user's and was not used before. Returns whether it was.
    async fn spend_code(&self, user: UserId, code: &str) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            let Some(factor) = self.factor(user).await? else { return Ok(false) };
            let Some(next) = self.without(user, &factor.what, code) else { return Ok(false) };
            if self.keep(factor_key(user), Some(factor.version), &next, factor.expires_at).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns what is left of a factor once `code` was used, sealed anew, or `None` where that is no code of it, or
    /// no longer. Recovery codes are good also where its secret cannot be opened.
    fn without(&self, user: UserId, factor: &Factor, code: &str) -> Option<Factor> {
        let mut left = factor.clone();
        let secret = self.tokens.open(&factor.secret, &owner(user));
        if let Some(secret) = &secret {
            left.secret = self.seal_secret(user, secret);
        } else {
            tracing::error!(%user, "the secret of a second factor cannot be opened: its key is not among the signing keys");
        }
        let codes = secret.and_then(|secret| Codes::of(secret.expose_secret()));
        if let Some(step) = codes.and_then(|codes| codes.step_of(code, self.now())) {
            left.step = step;
            return (step > factor.step).then_some(left);
        }
        let hash = code::recovery_hash(code);
        left.recovery.retain(|known| *known != hash);
        (left.recovery.len() < factor.recovery.len()).then_some(left)
    }

    fn seal_secret(&self, user: UserId, secret: &SecretString) -> String {
        self.tokens.seal(secret, &owner(user), self.now(), self.random.as_ref())
    }

    /// Reads a record of what signing in depends on.
    pub(super) async fn kept<T: DeserializeOwned>(
        &self,
        key: TokenHash,
    ) -> Result<Option<Kept<T>>, StoreError> {
        let Some(record) = self.store.sign_in(key, self.now()).await? else { return Ok(None) };
        let what = serde_json::from_str(&record.body).map_err(|error| {
            StoreError::Refused(format!("a record of sign-ins is not as written: {error}"))
        })?;
        Ok(Some(Kept { version: record.version, expires_at: record.expires_at, what }))
    }

    /// Keeps `what` under `key`, in the place of the version `old`. Returns whether that was the one there.
    pub(super) async fn keep(
        &self,
        key: TokenHash,
        old: Option<Uuid>,
        what: &impl Serialize,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let body = serde_json::to_string(what).expect("plain records are encoded");
        self.put(key, old, body, expires_at).await
    }

    /// Takes the version `old` of a record away; at most one of those who try does.
    pub(super) async fn take_away(&self, key: TokenHash, old: Uuid) -> Result<bool, StoreError> {
        let now = self.now();
        self.put(key, Some(old), String::new(), Some(now)).await
    }

    async fn put(
        &self,
        key: TokenHash,
        old: Option<Uuid>,
        body: String,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut version = [0; 16];
        self.random.fill(&mut version);
        let version = uuid::Builder::from_random_bytes(version).into_uuid();
        let (record, now) = (SignIn { key, version, body, expires_at }, self.now());
        super::settle(|| self.store.put_sign_in(old, record.clone(), now)).await
    }
}

/// Names whose a factor is: what is sealed for one user opens for no other.
fn owner(user: UserId) -> String {
    format!("factor {user}")
}

pub(super) fn factor_key(user: UserId) -> TokenHash {
    secret::hash(&owner(user))
}
