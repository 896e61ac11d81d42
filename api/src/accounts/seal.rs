//! Sealing: what a store keeps and this server must read again, so that no hash will do. It is encrypted with a key
//! that follows from one that signs access tokens, and bound to what it belongs to.

use super::key::SigningKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_engine::Random;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Keeps what is derived here apart from whatever else is of the same key.
const PURPOSE: &[u8] = b"rookery seal 1";

/// Seals and opens with one key.
pub(super) struct Seal(LessSafeKey);

/// Something sealed: `KEY.BYTES`, the name of the key and, in base64url, the nonce, what it says and the tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    /// The name of the key.
    pub(super) key: &'a str,
    bytes: &'a str,
}

impl Seal {
    /// Derives the key by HKDF-SHA256 (RFC 5869), without a salt, since what it is derived of is random.
    pub(super) fn new(key: &SigningKey) -> Self {
        let root = Salt::new(HKDF_SHA256, &[]).extract(key.seed());
        let purpose = [PURPOSE];
        let derived = root.expand(&purpose, &AES_256_GCM).expect("a key is shorter than HKDF can give");
        Self(LessSafeKey::new(UnboundKey::from(derived)))
    }

    /// Seals `plain` for `owner`: nobody else's place takes it. The nonce is random, which is good for 2^32 seals of
    /// one key (NIST SP 800-38D, section 8.3).
    pub(super) fn close(&self, key: &str, plain: &SecretString, owner: &str, random: &dyn Random) -> String {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = plain.expose_secret().as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(owner.as_bytes()),
                &mut sealed,
            )
            .expect("a secret is shorter than the cipher takes");
        format!("{key}.{}", URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed by this key for `owner`.
    pub(super) fn open(&self, sealed: Sealed<'_>, owner: &str) -> Option<SecretString> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed.bytes).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.0.open_in_place(nonce, Aad::from(owner.as_bytes()), sealed).ok()?;
        let text = std::str::from_utf8(plain).ok().map(SecretString::from);
        // The same bytes, in the place of which the text is.
        secrecy::zeroize::Zeroize::zeroize(&mut bytes);
        text
    }
}

impl<'a> Sealed<'a> {
    /// Takes a text apart, or returns nothing where it was never sealed.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        text.split_once('.').map(|(key, bytes)| Self { key, bytes })
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::accounts::key::SigningKey;
    use crate::accounts::keys::SigningKeys;
    use crate::accounts::token::AccessTokens;
    use rookery_engine::SeededRandom;
    use rookery_protocol::Timestamp;
    use secrecy::{ExposeSecret, SecretString};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn key(seed: u64, signs_from: Timestamp) -> SigningKey {
        SigningKey::generate(&SeededRandom::new(seed), signs_from)
    }

    /// Has a server with these keys.
    fn with(keys: &[&SigningKey]) -> AccessTokens {
        let mut all = SigningKeys::one(keys[0].clone());
        for key in &keys[1..] {
            all.add((*key).clone()).unwrap();
        }
        AccessTokens::new(&all, Duration::from_secs(600), NOW)
    }

    fn seal(tokens: &AccessTokens, owner: &str) -> String {
        tokens.seal(&SecretString::from("GEZDGNBV"), owner, NOW, &SeededRandom::new(9))
    }

    fn opens(tokens: &AccessTokens, sealed: &str, owner: &str) -> Option<String> {
        tokens.open(sealed, owner).map(|plain| plain.expose_secret().to_owned())
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_only_and_unchanged_only() {
        let tokens = with(&[&key(1, Timestamp(0))]);
        let sealed = seal(&tokens, "alice");
        assert!(!sealed.contains("GEZDGNBV"));
        assert_eq!(opens(&tokens, &sealed, "alice").as_deref(), Some("GEZDGNBV"));
        assert_eq!(opens(&tokens, &sealed, "mallory"), None, "put into another's place");
        for at in 0..sealed.len() {
            let other = if sealed.as_bytes()[at] == b'A' { 'B' } else { 'A' };
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, &other.to_string());
            assert_ne!(opens(&tokens, &changed, "alice").as_deref(), Some("GEZDGNBV"), "at {at}: {changed}");
            assert_eq!(opens(&tokens, &sealed[..at], "alice").filter(|text| text == "GEZDGNBV"), None);
        }
        let again = tokens.seal(&SecretString::from("GEZDGNBV"), "alice", NOW, &SeededRandom::new(8));
        assert_ne!(sealed, again, "no two are alike");
    }

    #[test]
    fn the_key_that_signs_seals_and_every_key_that_is_there_opens() {
        let [first, next, later] = [key(1, Timestamp(0)), key(2, NOW), key(3, NOW.plus_millis(1000))];
        let sealed = seal(&with(&[&first]), "alice");
        let both = with(&[&first, &next, &later]);
        assert!(opens(&both, &sealed, "alice").is_some(), "by the key before");
        let anew = seal(&both, "alice");
        assert!(opens(&with(&[&next]), &anew, "alice").is_some(), "every server has the key that signs");
        assert_eq!(opens(&with(&[&next]), &sealed, "alice"), None, "its key is gone");
        assert_eq!(opens(&with(&[&first]), &anew, "alice"), None);
    }

    #[test]
    fn what_was_never_sealed_is_as_it_is() {
        let tokens = with(&[&key(1, Timestamp(0))]);
        assert_eq!(opens(&tokens, "GEZDGNBV", "alice").as_deref(), Some("GEZDGNBV"));
        for nothing in ["nokey.AAAA", ".", "a.", ".a"] {
            assert_eq!(opens(&tokens, nothing, "alice"), None, "{nothing}");
        }
    }
}
