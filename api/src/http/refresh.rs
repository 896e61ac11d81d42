//! `POST /v1/auth/refresh`: a refresh token for the next tokens.

use super::login::{Delivery, Granted, granted};
use crate::accounts::{RefreshError, unavailable};
use crate::call::Call;
use crate::cookie;
use crate::origin;
use crate::problem::Problem;
use crate::respond::Answer;
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::header;
use rookery_protocol::{CloseCode, ErrorCode};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub(crate) const ROUTE: Route =
    Route::post("/v1/auth/refresh", "refresh", Handler::Public(|call| Box::pin(refresh(call))))
        .body_bytes(4096)
        .about(Tag::Accounts, "Gives the next tokens for a refresh token, which is good once")
        .takes::<Body>()
        .or_nothing()
        .gives::<Granted<'static>>(200)
        .with("Set-Cookie", "The refresh token, where it came as a cookie.")
        .fails(&[ErrorCode::Unauthenticated, ErrorCode::Forbidden]);

/// What a login is named by.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "RefreshTokenBody")]
pub(crate) struct Body {
    /// Not needed where the cookie is there.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    refresh_token: Option<SecretString>,
}

async fn refresh(mut call: Call) -> Result<Answer, Problem> {
    let Some((token, delivery)) = presented(&mut call).await? else {
        return Err(Problem::new(ErrorCode::Unauthenticated, "a refresh token is needed"));
    };
    let outcome = call.edge.accounts.refresh(token.expose_secret(), call.asker()).await;
    let result = if outcome.is_ok() { "ok" } else { "refused" };
    call.edge.node.metrics().accounts.refreshes.of(result).increment(1);
    match outcome {
        Ok(tokens) => Ok(granted(&tokens, delivery)),
        Err(error) => {
            if let RefreshError::Reused(session) = error {
                tracing::warn!(%session, "a refresh token was used twice: its login is revoked");
                call.edge.node.end_login(session, CloseCode::SessionRevoked);
            }
            let problem = Problem::from(error);
            let is_over = problem.code() == ErrorCode::Unauthenticated && delivery == Delivery::Cookie;
            Err(if is_over { problem.header(header::SET_COOKIE, cookie::forget()) } else { problem })
        }
    }
}

/// Finds the refresh token in the body or the cookie, and says how it came. A cookie counts only
/// from our own page, because the browser sends it whoever asks.
pub(crate) async fn presented(call: &mut Call) -> Result<Option<(SecretString, Delivery)>, Problem> {
    let body: Body = call.json_or_default().await?;
    if let Some(token) = body.refresh_token {
        return Ok(Some((token, Delivery::Body)));
    }
    let Some(token) = cookie::find(call.headers()) else {
        return Ok(None);
    };
    if !origin::is_own_page(call.headers(), &call.edge.config().server.allowed_origins) {
        return Err(Problem::new(ErrorCode::Forbidden, "the cookie counts only from this server's own page"));
    }
    Ok(Some((SecretString::from(token), Delivery::Cookie)))
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused | RefreshError::Reused(_) => {
                Self::new(ErrorCode::Unauthenticated, "the refresh token is not accepted: log in again")
            }
            RefreshError::Store(error) => unavailable(&error).into(),
        }
    }
}
