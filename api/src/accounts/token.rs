//! Access tokens: signed statements (JWT, RFC 9068) that live for minutes.
//!
//! One algorithm, a key by its name, every claim required. The times are checked here against the node's
//! clock, because the `jsonwebtoken` crate reads the system's.

use super::after;
use super::keys::SigningKeys;
use super::ring::Ring;
use super::seal::Sealed;
use jsonwebtoken::{Algorithm, Header, Validation};
use rookery_engine::Random;
use rookery_engine::store::TokenHash;
use rookery_protocol::{SessionId, Timestamp, UserId};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use uuid::Uuid;

/// Who issues the tokens and whom they are for: this server, both.
const ISSUER: &str = "rookery";

/// The type of an access token (RFC 9068, section 2.1), so that no other token passes for one.
const TYPE: &str = "at+jwt";

/// Bytes of the longest token that is looked at; ours have about 400.
const TOKEN_BYTES: usize = 2048;

/// How far two nodes' clocks may be apart, in seconds.
const LEEWAY_SECONDS: i64 = 5;

/// Makes and verifies access tokens.
pub(super) struct AccessTokens {
    ring: RwLock<Arc<Ring>>,
    validation: Validation,
    lasts: Duration,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// It was never one of ours, or not for this.
    #[error("accept the token")]
    Invalid,
    /// It was good, and is no longer.
    #[error("accept the token: it has expired")]
    Expired,
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
}

/// The keys that verify access tokens, as others verify them too (JWK Set, RFC 7517).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeySet {
    /// The one that signs now first.
    pub keys: Vec<PublicKey>,
}

/// The public half of a key that signs access tokens (RFC 8037).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PublicKey {
    /// Always `OKP`.
    pub kty: &'static str,
    /// Always `Ed25519`.
    pub crv: &'static str,
    /// Always `EdDSA`.
    pub alg: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub purpose: &'static str,
    /// Its name, as tokens have it.
    pub kid: String,
    /// 32 bytes in base64url.
    pub x: String,
}

impl AccessTokens {
    pub(super) fn new(keys: &SigningKeys, lasts: Duration, now: Timestamp) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Self { ring: RwLock::new(Arc::new(Ring::new(keys, now))), validation, lasts }
    }

    /// Makes a token for a login that ends at `login_ends`; the token does not outlive it.
    pub(super) fn issue(
        &self,
        user: UserId,
        session: SessionId,
        (now, login_ends): (Timestamp, Timestamp),
        random: &dyn Random,
    ) -> (String, Claims) {
        let issued = now.0.div_euclid(1000);
        // Rounded up, so that a whole lifetime is left; but never past the login's end.
        let expires = (after(now, self.lasts).0 + 999).min(login_ends.0).div_euclid(1000);
        let mut id = [0; 16];
        random.fill(&mut id);
        let payload = Payload {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: user,
            sid: session,
            iat: issued,
            nbf: issued,
            exp: expires,
            jti: uuid::Builder::from_random_bytes(id).into_uuid(),
        };
        let ring = self.ring();
        let key = ring.signs(now);
        let header =
            Header { typ: Some(TYPE.to_owned()), kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &payload, &key.signing).expect("plain claims are signed");
        (token, Claims { user, session, expires_at: Timestamp(expires * 1000) })
    }

    /// Verifies a token at `now`.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        // What is not signed yet says only which key it wants.
        let claimed = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let ring = self.ring();
        let key = claimed.kid.as_deref().and_then(|id| ring.verifies(id, now)).ok_or(TokenError::Invalid)?;
        let verified = jsonwebtoken::decode::<Payload>(token, &key.verifying, &self.validation)
            .map_err(|_| TokenError::Invalid)?;
        let header = &verified.header;
        // `crit` names extensions that must be understood; we understand none (RFC 7515, 4.1.11).
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        let Payload { sub: user, sid: session, nbf, exp, .. } = verified.claims;
        let seconds = now.0.div_euclid(1000);
        if nbf.saturating_sub(LEEWAY_SECONDS) > seconds {
            return Err(TokenError::Invalid);
        }
        if exp.saturating_add(LEEWAY_SECONDS) <= seconds {
            return Err(TokenError::Expired);
        }
        Ok(Claims { user, session, expires_at: Timestamp(exp.saturating_mul(1000)) })
    }

    pub(super) const fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Uses these keys from `now` on. Returns whether they are others than before.
    pub(super) fn use_keys(&self, keys: &SigningKeys, now: Timestamp) -> bool {
        let ring = Ring::new(keys, now);
        if ring.has_the_keys_of(&self.ring()) {
            return false;
        }
        tracing::info!(keys = ring.ids().join(" "), signs = ring.signs(now).id, "signing keys");
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        true
    }

    /// Returns the public halves of the keys that verify at `now`, or will.
    pub(super) fn key_set(&self, now: Timestamp) -> KeySet {
        let keys = self
            .ring()
            .published(now)
            .map(|key| PublicKey {
                kty: "OKP",
                crv: "Ed25519",
                alg: "EdDSA",
                purpose: "sig",
                kid: key.id.clone(),
                x: key.public.clone(),
            })
            .collect();
        KeySet { keys }
    }

    /// Returns whether `token` is that of an operator who holds one of the keys.
    pub(super) fn is_operator(&self, token: &str) -> bool {
        self.ring().is_operator(token)
    }

    /// Returns the refresh token that `token` is spent for.
    pub(super) fn successor_of(&self, token: &str) -> (SecretString, TokenHash) {
        self.ring().successors().of(token)
    }

    /// Seals something for `owner`, so that a store may keep it.
    pub(super) fn seal(
        &self,
        plain: &SecretString,
        owner: &str,
        now: Timestamp,
        random: &dyn Random,
    ) -> String {
        self.ring().seal(plain, owner, now, random)
    }

    /// Opens what a store has kept for `owner`; what was never sealed, by a version of before, is as it is. Returns
    /// nothing where the key is gone, or it is not as it was sealed.
    pub(super) fn open(&self, kept: &str, owner: &str) -> Option<SecretString> {
        match Sealed::parse(kept) {
            Some(sealed) => self.ring().open(sealed, owner),
            None => Some(SecretString::from(kept)),
        }
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").field("ring", &self.ring()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
