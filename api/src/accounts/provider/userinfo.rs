//! Whom an access token stands for, where there is no ID token: the provider is asked (OAuth 2.0 alone).

use super::{Known, ProviderError};
use crate::config::OAuth2Config;
use crate::outbound::Outbound;
use http::{Request, StatusCode, header};
use openidconnect::OAuth2TokenResponse;
use openidconnect::core::CoreTokenResponse;
use serde_json::Value;

pub(super) async fn known(
    outbound: &Outbound,
    oauth2: &OAuth2Config,
    issuer: &str,
    tokens: &CoreTokenResponse,
) -> Result<Known, ProviderError> {
    let request = Request::get(&oauth2.user_url)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", tokens.access_token().secret()))
        .body(Vec::new())
        .map_err(|error| ProviderError::Refused(error.to_string()))?;
    let answer = outbound.send(request).await.map_err(|error| ProviderError::Away(error.to_string()))?;
    if answer.status() != StatusCode::OK {
        return Err(ProviderError::Refused(format!("it answers {}", answer.status())));
    }
    let user: Value = serde_json::from_slice(answer.body())
        .map_err(|_| ProviderError::Refused("its answer is no JSON".to_owned()))?;
    let subject = match &user[&oauth2.subject] {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return Err(ProviderError::Refused(format!("its answer has no {}", oauth2.subject))),
    };
    let text = |name: &str| user[name].as_str().map(str::to_owned);
    let handle = text("login").or_else(|| text("preferred_username"));
    Ok(Known { issuer: issuer.to_owned(), subject, name: text("name"), handle })
}
