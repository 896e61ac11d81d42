//! `POST /v1/auth/email/change`: another e-mail address, once it is confirmed.

use crate::accounts::{AddressError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::ErrorCode;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::post(
    "/v1/auth/email/change",
    "changeEmail",
    Handler::User(|call, who| Box::pin(change_email(call, who))),
)
.body_bytes(8192)
.about(Tag::Accounts, "Sends a code to another e-mail address, which is the account's once `verify` has it")
.takes::<Body>()
.gives_nothing(202)
.fails(&[ErrorCode::Invalid, ErrorCode::Forbidden, ErrorCode::RateLimited]);

/// Another address.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChangeEmailBody")]
struct Body {
    /// The new address.
    email: String,
    /// The present password; empty where there is none, since the account was made by an identity elsewhere: then
    /// the login is one of the last ten minutes.
    #[schemars(with = "String", extend("format" = "password"))]
    current: SecretString,
    /// Six digits of the app, or a recovery code; where the account has a second factor.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    code: Option<SecretString>,
}

async fn change_email(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let Body { email, current, code } = call.json().await?;
    let proof = (current, code.as_ref().map(ExposeSecret::expose_secret));
    call.edge.accounts.change_address(&who, &email, proof, &call.asker()).await?;
    Ok(respond::empty(StatusCode::ACCEPTED))
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Field(bad) => bad.into(),
            AddressError::Password(error) => error.into(),
            AddressError::Factor(error) => error.into(),
            AddressError::Throttled(throttled) => throttled.into(),
            AddressError::Store(error) => unavailable(&error).into(),
        }
    }
}
