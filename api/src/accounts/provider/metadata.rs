//! What is known of a provider: where it is asked what, and its keys.

use super::{Provider, ProviderError};
use crate::outbound::OutboundError;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGrantType, CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthUrl, IssuerUrl, JsonWebKeySet, ProviderMetadata, RequestTokenError,
    StandardErrorResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long it is taken for the present one; keys that are not known are looked for at once.
const FRESH: Duration = Duration::from_secs(600);

/// The shortest time between two looks for keys, so that nobody has us ask the provider at will.
const APART: Duration = Duration::from_secs(10);

/// What is known of a provider.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub(super) issuer: IssuerUrl,
    pub(super) authorize: AuthUrl,
    pub(super) token: TokenUrl,
    pub(super) keys: CoreJsonWebKeySet,
    /// Its answers name it (RFC 9207).
    pub(super) says_who: bool,
}

/// What was found out, and when.
#[derive(Debug, Default)]
pub(super) struct MetadataCache(Mutex<Option<(Duration, Metadata)>>);

/// The fields of OpenID Connect Discovery that others have added.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct More {
    /// RFC 9207, section 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Discovered = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

impl Provider {
    /// Returns what is known of the provider, and finds it out where that is nothing or old.
    pub(super) async fn metadata(&self) -> Result<Metadata, ProviderError> {
        self.no_older_than(FRESH).await
    }

    /// Finds out what there is to know, unless that was done just now.
    pub(super) async fn metadata_anew(&self) -> Result<Metadata, ProviderError> {
        self.no_older_than(APART).await
    }

    async fn no_older_than(&self, age: Duration) -> Result<Metadata, ProviderError> {
        if let Some((found, metadata)) = &*self.known.0.lock().unwrap_or_else(PoisonError::into_inner)
            && self.clock.elapsed().saturating_sub(*found) < age
        {
            return Ok(metadata.clone());
        }
        let metadata = if self.config.oauth2.is_some() { self.as_set()? } else { self.discover().await? };
        let known = Some((self.clock.elapsed(), metadata.clone()));
        *self.known.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(metadata)
    }

    /// Asks the provider (OpenID Connect Discovery 1.0): the issuer in its answer has to be the one asked for.
    async fn discover(&self) -> Result<Metadata, ProviderError> {
        let away = |error: &dyn std::error::Error| ProviderError::Away(error.to_string());
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|error| away(&error))?;
        let found = Discovered::discover_async(issuer, &self.outbound).await.map_err(|error| away(&error))?;
        let token = found.token_endpoint().cloned();
        let token = token.ok_or_else(|| ProviderError::Away("it redeems no codes".to_owned()))?;
        Ok(Metadata {
            issuer: found.issuer().clone(),
            authorize: found.authorization_endpoint().clone(),
            token,
            keys: found.jwks().clone(),
            says_who: found.additional_metadata().authorization_response_iss_parameter_supported,
        })
    }

    /// Returns what is set of a provider that cannot be asked.
    fn as_set(&self) -> Result<Metadata, ProviderError> {
        let away = |error: &dyn std::error::Error| ProviderError::Away(error.to_string());
        let oauth2 = self.config.oauth2.as_ref();
        let oauth2 = oauth2.ok_or_else(|| ProviderError::Away("nothing is set".to_owned()))?;
        Ok(Metadata {
            // Of no use here but to the types: no ID token is looked at.
            issuer: IssuerUrl::new(oauth2.authorize_url.clone()).map_err(|error| away(&error))?,
            authorize: AuthUrl::new(oauth2.authorize_url.clone()).map_err(|error| away(&error))?,
            token: TokenUrl::new(oauth2.token_url.clone()).map_err(|error| away(&error))?,
            keys: JsonWebKeySet::default(),
            says_who: false,
        })
    }
}

/// Says what it means that a code was not redeemed.
pub(super) fn failure(
    error: &RequestTokenError<OutboundError, StandardErrorResponse<CoreErrorResponseType>>,
) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(said) => ProviderError::Refused(said.error().to_string()),
        RequestTokenError::Request(error) => ProviderError::Away(error.to_string()),
        RequestTokenError::Parse(_, _) | RequestTokenError::Other(_) => {
            ProviderError::Refused("its answer is no token".to_owned())
        }
    }
}
