//! Access tokens as strangers write them, for the fuzz target alone.

use super::key::SigningKey;
use super::keys::SigningKeys;
use super::token::AccessTokens;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_engine::SeededRandom;
use rookery_protocol::Timestamp;
use std::time::Duration;

/// When tokens are read.
const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// Reads tokens with a key that it knows, so that it can sign what nobody would.
#[derive(Debug)]
pub(crate) struct ReadsTokens {
    tokens: AccessTokens,
    pair: Ed25519KeyPair,
}

impl Default for ReadsTokens {
    fn default() -> Self {
        let key = SigningKey::generate(&SeededRandom::new(1), Timestamp(0));
        let pair = Ed25519KeyPair::from_seed_unchecked(key.seed()).expect("32 bytes make an Ed25519 key");
        let keys = SigningKeys::one(key);
        Self { tokens: AccessTokens::new(&keys, Duration::from_secs(600), NOW), pair }
    }
}

impl ReadsTokens {
    /// Reads `text` as a token, and its first two lines as the header and the claims of one that is signed.
    ///
    /// # Panics
    /// When a token passes that nobody has signed, or one that has run out.
    pub(crate) fn read(&self, text: &str) {
        assert!(self.tokens.verify(text, NOW).is_err(), "nobody has signed it");
        let (header, claims) = text.split_once('\n').unwrap_or((text, ""));
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let said = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(said.as_bytes()));
        if let Ok(claims) = self.tokens.verify(&format!("{said}.{signature}"), NOW) {
            assert!(claims.expires_at.0 > NOW.0 - 10_000, "it has run out");
        }
    }
}
