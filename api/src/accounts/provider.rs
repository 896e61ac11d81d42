//! A provider of identities: where people are sent, and whom a code stands for (OpenID Connect Core 1.0, OAuth
//! 2.0 with PKCE).
//!
//! What it says is looked at with the `openidconnect` crate: signature by an allowed algorithm, issuer,
//! audience, nonce, times. It decides nothing about accounts.

mod metadata;
mod userinfo;

use crate::config::{ClientAuth, ProviderConfig};
use crate::outbound::Outbound;
use metadata::{Metadata, MetadataCache};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use rookery_engine::Clock;
use secrecy::ExposeSecret;
use std::sync::Arc;

/// What signs an ID token: keys of which the provider alone has the private half, so neither a shared secret
/// nor nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 5] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Characters of a subject (OpenID Connect Core, section 2).
const SUBJECT_CHARS: usize = 255;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet>;

/// One provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) config: ProviderConfig,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    known: MetadataCache,
}

/// Why a provider does not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    /// It is not reached, or says what it should not be able to.
    #[error("have the provider answer: {0}")]
    Away(String),
    /// It says no, or what it says is not to be believed.
    #[error("believe the provider: {0}")]
    Refused(String),
}

/// Somebody as a provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) issuer: String,
    /// Who, among all whom the issuer knows.
    pub(super) subject: String,
    /// A name, as a suggestion.
    pub(super) name: Option<String>,
    /// A handle, as a suggestion.
    pub(super) handle: Option<String>,
}

/// What a login is bound to: made for it, told to nobody but the provider, and only in part.
#[derive(Clone, Debug)]
pub(super) struct Binding<'a> {
    pub(super) state: &'a str,
    pub(super) nonce: &'a str,
    pub(super) verifier: &'a str,
}

impl Provider {
    pub(super) fn new(config: ProviderConfig, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { config, outbound, clock, known: MetadataCache::default() }
    }

    /// Returns the address at which somebody proves to the provider who they are.
    pub(super) async fn address(&self, binding: &Binding<'_>) -> Result<String, ProviderError> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata)?;
        let (state, nonce) = (binding.state.to_owned(), binding.nonce.to_owned());
        let verifier = PkceCodeVerifier::new(binding.verifier.to_owned());
        let request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(self.config.scopes.iter().cloned().map(Scope::new));
        Ok(request.url().0.to_string())
    }

    /// Checks who the answer to [`Provider::address`] says that it is from (RFC 9207): an answer of another
    /// provider must not be taken for this one's.
    pub(super) async fn is_from(&self, issuer: Option<&str>) -> Result<bool, ProviderError> {
        match issuer {
            Some(issuer) => Ok(issuer == self.config.issuer),
            None => Ok(!self.metadata().await?.says_who),
        }
    }

    /// Redeems a code, and returns whom it stands for.
    pub(super) async fn redeem(&self, code: &str, binding: &Binding<'_>) -> Result<Known, ProviderError> {
        let metadata = self.metadata().await?;
        let client = self.client(&metadata)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(binding.verifier.to_owned()))
            .request_async(&self.outbound)
            .await
            .map_err(|error| metadata::failure(&error))?;
        let known = match &self.config.oauth2 {
            Some(oauth2) => userinfo::known(&self.outbound, oauth2, &self.config.issuer, &tokens).await?,
            None => match self.verify(&client, &tokens, binding.nonce) {
                // It may have new keys since it was looked at.
                Err(Unverified::UnknownKey) => {
                    let metadata = self.metadata_anew().await?;
                    self.verify(&self.client(&metadata)?, &tokens, binding.nonce)?
                }
                verified => verified?,
            },
        };
        let is_subject = (1..=SUBJECT_CHARS).contains(&known.subject.len());
        if is_subject { Ok(known) } else { Err(ProviderError::Refused("the subject is none".to_owned())) }
    }

    /// Looks at an ID token (OpenID Connect Core, section 3.1.3.7).
    fn verify(&self, client: &Client, tokens: &CoreTokenResponse, nonce: &str) -> Result<Known, Unverified> {
        let clock = Arc::clone(&self.clock);
        let now = move || chrono::DateTime::from_timestamp_millis(clock.now().0).unwrap_or_default();
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(now);
        let token =
            tokens.id_token().ok_or_else(|| Unverified::Refused("there is no ID token".to_owned()))?;
        let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned()))?;
        if let Some(expected) = claims.access_token_hash() {
            let refused = |error: &dyn std::error::Error| Unverified::Refused(error.to_string());
            let algorithm = token.signing_alg().map_err(|error| refused(&error))?;
            let key = token.signing_key(&verifier).map_err(|error| refused(&error))?;
            let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if hash.map_err(|error| refused(&error))? != *expected {
                return Err(Unverified::Refused("the access token is another login's".to_owned()));
            }
        }
        Ok(known_by(claims))
    }

    fn client(&self, metadata: &Metadata) -> Result<Client, ProviderError> {
        let redirect = RedirectUrl::new(self.config.redirect_uri.clone())
            .map_err(|error| ProviderError::Refused(error.to_string()))?;
        let auth = match self.config.client_auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Post => AuthType::RequestBody,
        };
        let client_id = ClientId::new(self.config.client_id.clone());
        let mut client = CoreClient::new(client_id, metadata.issuer.clone(), metadata.keys.clone());
        if let Some(secret) = &self.config.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        if self.config.oauth2.is_some() {
            client = client.disable_openid_scope();
        }
        Ok(client
            .set_auth_type(auth)
            .set_redirect_uri(redirect)
            .set_auth_uri(metadata.authorize.clone())
            .set_token_uri(metadata.token.clone()))
    }
}

/// Why an ID token is not believed.
enum Unverified {
    /// It names a key that is not known.
    UnknownKey,
    Refused(String),
}

impl From<ClaimsVerificationError> for Unverified {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Self::UnknownKey
            }
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<Unverified> for ProviderError {
    fn from(error: Unverified) -> Self {
        Self::Refused(match error {
            Unverified::UnknownKey => "no key of the provider's has signed the ID token".to_owned(),
            Unverified::Refused(why) => why,
        })
    }
}

fn known_by(claims: &CoreIdTokenClaims) -> Known {
    Known {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
        handle: claims.preferred_username().map(|name| name.to_string()),
    }
}
