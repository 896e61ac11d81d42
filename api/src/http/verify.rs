//! `POST /v1/auth/verify` and `…/verify/resend`: an e-mail address is confirmed by a code that was sent to it.

use crate::accounts::{AskError, VerifyError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_engine::admission::Wanted;
use rookery_protocol::ErrorCode;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub(crate) const VERIFY: Route =
    Route::post("/v1/auth/verify", "verify", Handler::Public(|call| Box::pin(verify(call))))
        .body_bytes(4096)
        .about(Tag::Accounts, "Confirms an e-mail address by the code that was sent to it")
        .takes::<Code>()
        .gives_nothing(204)
        .fails(&[ErrorCode::Invalid, ErrorCode::RateLimited]);

pub(crate) const RESEND: Route = Route::post(
    "/v1/auth/verify/resend",
    "resendVerification",
    Handler::Public(|call| Box::pin(resend(call))),
)
.body_bytes(4096)
.about(Tag::Accounts, "Sends the code once more, if there is an account whose address is not confirmed")
.takes::<Address>()
.gives_nothing(202)
.fails(&[ErrorCode::Invalid, ErrorCode::RateLimited]);

/// A code that came by mail.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CodeBody")]
struct Code {
    /// Good once, for 10 minutes.
    #[schemars(with = "String")]
    token: SecretString,
}

/// Whom to write to.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "EmailBody")]
pub(crate) struct Address {
    /// The e-mail address.
    pub(crate) email: String,
}

async fn verify(mut call: Call) -> Result<Answer, Problem> {
    let Code { token } = call.json().await?;
    call.edge.accounts.verify(token.expose_secret(), &call.asker()).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn resend(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Address { email } = call.json().await?;
    call.edge.accounts.resend(&email, &call.asker()).await?;
    Ok(respond::empty(StatusCode::ACCEPTED))
}

/// Says that a code is not accepted; why is not said.
pub(crate) fn refused() -> Problem {
    Problem::field("token", "the code is unknown, used or expired")
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused => refused(),
            VerifyError::Throttled(throttled) => throttled.into(),
            VerifyError::Store(error) => unavailable(&error).into(),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Field(bad) => bad.into(),
            AskError::Throttled(throttled) => throttled.into(),
            AskError::Store(error) => unavailable(&error).into(),
        }
    }
}
