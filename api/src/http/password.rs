//! `POST /v1/auth/password/forgot`, `…/reset` and `…/change`: another password.

use super::verify::{Address, refused};
use crate::accounts::{ChangePasswordError, ResetError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_engine::admission::Wanted;
use rookery_protocol::{CloseCode, ErrorCode};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub(crate) const FORGOT: Route =
    Route::post("/v1/auth/password/forgot", "forgotPassword", Handler::Public(|call| Box::pin(forgot(call))))
        .body_bytes(4096)
        .about(Tag::Accounts, "Sends a code for another password, if there is an account")
        .takes::<Address>()
        .gives_nothing(202)
        .fails(&[ErrorCode::Invalid, ErrorCode::RateLimited]);

pub(crate) const RESET: Route =
    Route::post("/v1/auth/password/reset", "resetPassword", Handler::Public(|call| Box::pin(reset(call))))
        .body_bytes(8192)
        .about(Tag::Accounts, "Chooses another password by a code that was sent, and ends every login")
        .takes::<Reset>()
        .gives_nothing(204)
        .fails(&[ErrorCode::Invalid, ErrorCode::RateLimited]);

pub(crate) const CHANGE: Route = Route::post(
    "/v1/auth/password/change",
    "changePassword",
    Handler::User(|call, who| Box::pin(change(call, who))),
)
.body_bytes(8192)
.about(Tag::Accounts, "Chooses another password by the present one, and ends every other login")
.takes::<Change>()
.gives_nothing(204)
.fails(&[ErrorCode::Invalid, ErrorCode::Forbidden, ErrorCode::Conflict, ErrorCode::RateLimited]);

/// Another password, and the right to choose it.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ResetBody")]
struct Reset {
    /// The code that was sent: good once, for 10 minutes.
    #[schemars(with = "String")]
    token: SecretString,
    /// The new password, as for an account that is made.
    #[schemars(with = "String", extend("format" = "password"))]
    password: SecretString,
}

/// Another password in place of the present one.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChangePasswordBody")]
struct Change {
    /// The present password; empty where there is none, since the account was made by an identity elsewhere: then
    /// the login is one of the last ten minutes.
    #[schemars(with = "String", extend("format" = "password"))]
    current: SecretString,
    /// The new one, as for an account that is made.
    #[schemars(with = "String", extend("format" = "password"))]
    password: SecretString,
}

async fn forgot(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Address { email } = call.json().await?;
    call.edge.accounts.forgot(&email, &call.asker()).await?;
    Ok(respond::empty(StatusCode::ACCEPTED))
}

async fn reset(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Reset { token, password } = call.json().await?;
    let user = call.edge.accounts.reset(token.expose_secret(), password, &call.asker()).await?;
    call.edge.node.end_logins_of(user, CloseCode::SessionRevoked);
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn change(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let Change { current, password } = call.json().await?;
    let ended = call.edge.accounts.change_password(&who, (current, password), &call.asker()).await?;
    for session in ended {
        call.edge.node.end_login(session, CloseCode::SessionRevoked);
    }
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

/// Says that a login does not stand for a password any more.
pub(crate) fn stale() -> Problem {
    Problem::new(ErrorCode::Forbidden, "the account has no password: log in anew, then within ten minutes")
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Refused => refused(),
            ResetError::Field(bad) => bad.into(),
            ResetError::Throttled(throttled) => throttled.into(),
            ResetError::Busy(full) => full.into(),
            ResetError::Store(error) => unavailable(&error).into(),
        }
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Refused => Self::field("current", "it is not the present password"),
            ChangePasswordError::Stale => stale(),
            ChangePasswordError::NoAddress => {
                Self::new(ErrorCode::Conflict, "the account has no e-mail address: give it one first")
            }
            ChangePasswordError::Field(bad) => bad.into(),
            ChangePasswordError::Throttled(throttled) => throttled.into(),
            ChangePasswordError::Busy(full) => full.into(),
            ChangePasswordError::Store(error) => unavailable(&error).into(),
        }
    }
}
