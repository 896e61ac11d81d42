//! Secrets that only their holder knows: made here, kept nowhere, recognised by their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_engine::Random;
use rookery_engine::store::TokenHash;
use secrecy::SecretString;

/// Random bytes of a refresh token or a ticket.
///
/// 256 bits: no guess succeeds, so a plain hash is enough at rest (ASVS 6.5.2 asks for 112).
const SECRET_BYTES: usize = 32;

/// Makes a secret: base64url text without padding.
pub(super) fn make(random: &dyn Random) -> (SecretString, TokenHash) {
    let mut bytes = [0; SECRET_BYTES];
    random.fill(&mut bytes);
    of(&bytes)
}

/// Returns a secret of these bytes.
pub(super) fn of(bytes: &[u8]) -> (SecretString, TokenHash) {
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let hash = hash(&text);
    (SecretString::from(text), hash)
}

/// Returns what a store knows a secret by: SHA-256 of its text.
pub(super) fn hash(text: &str) -> TokenHash {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}
