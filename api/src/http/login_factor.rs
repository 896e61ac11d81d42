//! `POST /v1/auth/login/factor`: a login that waits, and a code for it, for tokens.

use super::login::{Delivery, Granted, counted, entered};
use crate::accounts::{ChallengeError, LoggedIn, LoginError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::Answer;
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use rookery_engine::admission::Wanted;
use rookery_protocol::ErrorCode;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub(crate) const ROUTE: Route =
    Route::post("/v1/auth/login/factor", "loginFactor", Handler::Public(|call| Box::pin(login(call))))
        .body_bytes(1024)
        .about(Tag::Accounts, "Gives tokens for a login that waits for its second factor, and a code")
        .takes::<Body>()
        .gives::<Granted<'static>>(200)
        .with("Set-Cookie", "The refresh token, where it was asked for as a cookie.")
        .fails(&[ErrorCode::Unauthenticated, ErrorCode::NotFound, ErrorCode::RateLimited]);

/// The second factor of a login.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "LoginFactorBody")]
struct Body {
    /// What the login was answered with.
    #[schemars(with = "String")]
    challenge: SecretString,
    /// Six digits of the app, or a recovery code.
    #[schemars(with = "String")]
    code: SecretString,
    /// The refresh token goes into a cookie, where scripts cannot read it.
    #[serde(default)]
    cookie: bool,
}

async fn login(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Body { challenge, code, cookie } = call.json().await?;
    let delivery = if cookie { Delivery::Cookie } else { Delivery::Body };
    let accounts = &call.edge.accounts;
    let (challenge, code) = (challenge.expose_secret(), code.expose_secret());
    let met = accounts.meet_challenge(challenge, code, &call.asker()).await;
    let met = met.map(|tokens| LoggedIn::Tokens(Box::new(tokens)));
    match counted(&call, met)? {
        LoggedIn::Tokens(tokens) => entered(&call, "factor", &tokens, delivery).await,
        LoggedIn::Challenged(challenge) => Ok(super::login::challenged(&challenge)),
    }
}

impl From<ChallengeError> for Problem {
    fn from(error: ChallengeError) -> Self {
        match error {
            ChallengeError::Gone => {
                Self::new(ErrorCode::NotFound, "no login waits for this code: log in again")
            }
            ChallengeError::Barred => LoginError::Barred.into(),
            ChallengeError::Refused => Self::new(ErrorCode::Unauthenticated, "the code is not accepted"),
            ChallengeError::Throttled(refused) => refused.into(),
            ChallengeError::Store(error) => unavailable(&error).into(),
        }
    }
}
