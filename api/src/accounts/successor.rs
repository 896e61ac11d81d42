//! The next refresh token: it follows from the spent one, so that a client whose answer was lost is given the
//! same one when it tries again, by whichever node.

use super::key::SigningKey;
use super::secret;
use aws_lc_rs::hmac;
use rookery_engine::store::TokenHash;
use secrecy::SecretString;
use std::fmt;

/// Keeps what is derived here apart from whatever else is of the same key.
const PURPOSE: &[u8] = b"rookery refresh token 1";

/// Makes next refresh tokens.
pub(super) struct Successors(hmac::Key);

impl Successors {
    /// Derives the key from the one that signs access tokens: whoever has that needs no refresh token.
    pub(super) fn new(key: &SigningKey) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key.seed());
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, PURPOSE).as_ref()))
    }

    /// Returns what `token` is spent for.
    pub(super) fn of(&self, token: &str) -> (SecretString, TokenHash) {
        let tag = hmac::sign(&self.0, token.as_bytes());
        secret::of(tag.as_ref())
    }
}

impl fmt::Debug for Successors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Successors").finish_non_exhaustive()
    }
}
