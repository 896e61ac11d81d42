//! Access tokens: signed statements (JWT, RFC 9068) that live for minutes.
//!
//! One algorithm, one key, every claim required. The times are checked here against the node's
//! clock, because the `jsonwebtoken` crate reads the system's.

use super::after;
use super::key::SigningKey;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rookery_engine::Random;
use rookery_protocol::{SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;
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
    signing: EncodingKey,
    verifying: DecodingKey,
    key_id: String,
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

impl AccessTokens {
    pub(super) fn new(key: &SigningKey, lasts: Duration) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(key.seed()).expect("32 bytes make an Ed25519 key");
        let der = pair.to_pkcs8v1().expect("an Ed25519 key has a PKCS#8 form");
        let public = pair.public_key().as_ref();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Self {
            signing: EncodingKey::from_ed_der(der.as_ref()),
            verifying: DecodingKey::from_ed_der(public),
            key_id: key_id(public),
            validation,
            lasts,
        }
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
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let token = jsonwebtoken::encode(&header, &payload, &self.signing).expect("plain claims are signed");
        (token, Claims { user, session, expires_at: Timestamp(expires * 1000) })
    }

    /// Verifies a token at `now`.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let verified = jsonwebtoken::decode::<Payload>(token, &self.verifying, &self.validation)
            .map_err(|_| TokenError::Invalid)?;
        let header = &verified.header;
        // `crit` names extensions that must be understood; we understand none (RFC 7515, 4.1.11).
        if header.typ.as_deref() != Some(TYPE)
            || header.kid.as_deref() != Some(&self.key_id)
            || header.crit.is_some()
        {
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
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Names a key by its public half: the first 16 bytes of its SHA-256, so that two keys never share one.
fn key_id(public: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public);
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

#[cfg(test)]
mod tests;
