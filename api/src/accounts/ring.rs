//! The keys at work: which one signs now, and which ones verify.
//!
//! A key that is named is used or is not there: nothing in a token says how it is to be verified.

use super::key::SigningKey;
use super::keys::SigningKeys;
use super::seal::{Seal, Sealed};
use super::secret;
use super::successor::Successors;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use rookery_engine::Random;
use rookery_engine::store::TokenHash;
use rookery_protocol::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// Milliseconds for which a key verifies after its successor has begun to sign: the longest that
/// `auth.access_token_minutes` can be, and a minute for clocks that differ.
pub(super) const RETIRES_AFTER: i64 = 61 * 60 * 1000;

/// The keys that a server uses.
pub(super) struct Ring {
    /// By the moment from which they sign; at least one.
    keys: Vec<Member>,
    /// Since when they are in use. Until then this server signed with whatever it had before.
    taken_at: Timestamp,
}

/// A key at work.
pub(super) struct Member {
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    pub(super) id: String,
    /// The public half, in base64url.
    pub(super) public: String,
    signs_from: Timestamp,
    successors: Successors,
    seal: Seal,
    /// Of the token of operators who hold this key.
    operator: TokenHash,
}

impl Ring {
    pub(super) fn new(keys: &SigningKeys, taken_at: Timestamp) -> Self {
        Self { keys: keys.iter().map(Member::new).collect(), taken_at }
    }

    /// Returns the key that signs at `now`: of those that have begun the latest, or the first where none has.
    pub(super) fn signs(&self, now: Timestamp) -> &Member {
        &self.keys[self.signs_at(now)]
    }

    /// Returns the key named `id`, unless no token that it signed can live at `now`.
    pub(super) fn verifies(&self, id: &str, now: Timestamp) -> Option<&Member> {
        let at = self.keys.iter().position(|key| key.id == id)?;
        self.is_in_use(at, now).then(|| &self.keys[at])
    }

    /// Returns what refresh tokens are followed by: the oldest key says so, since it changes least often. A client whose
    /// answer is lost in the seconds in which that key is taken away logs in anew.
    pub(super) fn successors(&self) -> &Successors {
        &self.keys[0].successors
    }

    /// Seals `plain` for `owner` with the key that signs at `now`: by then every server has it.
    pub(super) fn seal(
        &self,
        plain: &SecretString,
        owner: &str,
        now: Timestamp,
        random: &dyn Random,
    ) -> String {
        let key = self.signs(now);
        key.seal.close(&key.id, plain, owner, random)
    }

    /// Opens what was sealed for `owner` by any of the keys, also one that signs and verifies nothing any more.
    pub(super) fn open(&self, sealed: Sealed<'_>, owner: &str) -> Option<SecretString> {
        self.keys.iter().find(|key| key.id == sealed.key)?.seal.open(sealed, owner)
    }

    /// Returns whether `token` is that of an operator who holds one of the keys.
    pub(super) fn is_operator(&self, token: &str) -> bool {
        // Of hashes, so that how long it takes tells nothing of the token.
        let hash = secret::hash(token);
        self.keys.iter().any(|key| key.operator == hash)
    }

    /// Lists the keys that verify at `now` or will, the one that signs first.
    pub(super) fn published(&self, now: Timestamp) -> impl Iterator<Item = &Member> {
        let signs = self.signs_at(now);
        let others = (0..self.keys.len()).filter(move |&at| at != signs && self.is_in_use(at, now));
        std::iter::once(signs).chain(others).map(|at| &self.keys[at])
    }

    /// Names all keys, for the log.
    pub(super) fn ids(&self) -> Vec<&str> {
        self.keys.iter().map(|key| key.id.as_str()).collect()
    }

    /// Returns whether its keys are the same, from the same moments on.
    pub(super) fn has_the_keys_of(&self, other: &Self) -> bool {
        let what = |key: &Member| (key.id.clone(), key.signs_from);
        self.keys.iter().map(what).eq(other.keys.iter().map(what))
    }

    fn signs_at(&self, now: Timestamp) -> usize {
        self.keys.iter().rposition(|key| key.signs_from <= now).unwrap_or(0)
    }

    fn is_in_use(&self, at: usize, now: Timestamp) -> bool {
        let Some(next) = self.keys.get(at + 1) else { return true };
        // A successor that is heard of late signs from then on only.
        now < next.signs_from.max(self.taken_at).plus_millis(RETIRES_AFTER)
    }
}

impl Member {
    fn new(key: &SigningKey) -> Self {
        let pair = pair(key);
        let der = pair.to_pkcs8v1().expect("an Ed25519 key has a PKCS#8 form");
        let public = pair.public_key().as_ref();
        Self {
            signing: EncodingKey::from_ed_der(der.as_ref()),
            verifying: DecodingKey::from_ed_der(public),
            id: key_id(public),
            public: URL_SAFE_NO_PAD.encode(public),
            signs_from: key.signs_from(),
            successors: Successors::new(key),
            seal: Seal::new(key),
            operator: secret::hash(key.operator_token().expose_secret()),
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("keys", &self.ids()).field("taken_at", &self.taken_at).finish()
    }
}

/// Names a key.
pub(super) fn key_id_of(key: &SigningKey) -> String {
    key_id(pair(key).public_key().as_ref())
}

fn pair(key: &SigningKey) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(key.seed()).expect("32 bytes make an Ed25519 key")
}

/// Names a key by its public half: the first 16 bytes of its SHA-256, so that two keys never share one.
fn key_id(public: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public);
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}
