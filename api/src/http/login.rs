//! `POST /v1/auth/login`: a password for tokens.

use crate::accounts::{Challenge, Credential, Device, LoggedIn, Login, LoginError, Tokens, unavailable};
use crate::call::Call;
use crate::cookie;
use crate::origin;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{StatusCode, header};
use rookery_engine::admission::Wanted;
use rookery_protocol::{CloseCode, ErrorCode, SessionId, User};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub(crate) const ROUTE: Route =
    Route::post("/v1/auth/login", "login", Handler::Public(|call| Box::pin(login(call))))
        .body_bytes(8192)
        .about(Tag::Accounts, "Gives tokens for a password")
        .takes::<Body>()
        .gives::<Granted<'static>>(200)
        .with("Set-Cookie", "The refresh token, where it was asked for as a cookie.")
        .gives::<Challenged<'static>>(202)
        .fails(&[ErrorCode::Unauthenticated, ErrorCode::Forbidden, ErrorCode::RateLimited]);

/// Who wants tokens.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "LoginBody")]
pub(crate) struct Body {
    /// The address of the account.
    email: String,
    /// Its password.
    #[schemars(with = "String", extend("format" = "password"))]
    password: SecretString,
    /// What is logged in from.
    #[serde(default)]
    device: Option<Device>,
    /// The refresh token goes into a cookie, where scripts cannot read it.
    #[serde(default)]
    cookie: bool,
}

/// Tokens, and whom they stand for.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Granted<'a> {
    /// For `Authorization: Bearer` and `auth`.
    access_token: &'a str,
    /// Seconds until it runs out.
    expires_in: u64,
    /// For `POST /v1/auth/refresh`, once; absent where it is a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// The login.
    session: SessionId,
    /// Whose.
    user: &'a User,
}

/// The password is right, and a second factor is asked for: `POST /v1/auth/login/factor`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Challenged<'a> {
    /// Names the login that waits, and is a secret.
    challenge: &'a str,
    /// Seconds for which it waits.
    expires_in: u64,
}

/// Where the refresh token goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Into the body.
    Body,
    /// Into a cookie.
    Cookie,
}

async fn login(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Body { email, password, device, cookie } = call.json().await?;
    let delivery = if cookie { Delivery::Cookie } else { Delivery::Body };
    let outcome = call.edge.accounts.login(Login { email, password, device }, call.asker()).await;
    match counted(&call, outcome)? {
        LoggedIn::Tokens(tokens) => entered(&call, "password", &tokens, delivery).await,
        LoggedIn::Challenged(challenge) => Ok(challenged(&challenge)),
    }
}

/// Counts how a login went; one that waits for its second factor has not ended.
pub(crate) fn counted<E>(call: &Call, outcome: Result<LoggedIn, E>) -> Result<LoggedIn, E> {
    let result = match &outcome {
        Ok(LoggedIn::Challenged(_)) => return outcome,
        Ok(LoggedIn::Tokens(_)) => "ok",
        Err(_) => "refused",
    };
    call.edge.node.metrics().accounts.logins.of(result).increment(1);
    outcome
}

/// Answers with the question for a second factor.
pub(crate) fn challenged(challenge: &Challenge) -> Answer {
    respond::json(StatusCode::ACCEPTED, &Challenged::of(challenge))
}

impl<'a> Challenged<'a> {
    pub(crate) fn of(challenge: &'a Challenge) -> Self {
        let expires_in = challenge.expires_in.as_secs();
        Self { challenge: challenge.challenge.expose_secret(), expires_in }
    }
}

/// Answers with the tokens of a login that has just begun, by `way`, and says so in the log. Where its cookie takes the
/// place of another one, the login of that one ends.
pub(crate) async fn entered(
    call: &Call,
    way: &'static str,
    tokens: &Tokens,
    delivery: Delivery,
) -> Result<Answer, Problem> {
    tracing::info!(user = %tokens.user.id, session = %tokens.session, way, "logged in");
    if delivery == Delivery::Cookie {
        end_replaced(call).await?;
    }
    Ok(granted(tokens, delivery))
}

/// Ends the login whose cookie the browser has had: nobody could end it with that cookie any more.
async fn end_replaced(call: &Call) -> Result<(), Problem> {
    let Some(token) = cookie::find(call.headers()) else { return Ok(()) };
    if !origin::is_own_page(call.headers(), &call.edge.config().server.allowed_origins) {
        return Ok(());
    }
    if let Some(session) = call.edge.accounts.logout(Credential::Refresh(token)).await? {
        call.edge.node.end_login(session, CloseCode::SessionRevoked);
    }
    Ok(())
}

/// Answers with tokens.
pub(crate) fn granted(tokens: &Tokens, delivery: Delivery) -> Answer {
    let body = Granted {
        access_token: &tokens.access_token,
        expires_in: tokens.expires_in.as_secs(),
        refresh_token: (delivery == Delivery::Body).then(|| tokens.refresh_token.expose_secret()),
        session: tokens.session,
        user: &tokens.user,
    };
    let mut answer = respond::json(StatusCode::OK, &body);
    if delivery == Delivery::Cookie {
        let cookie = cookie::keep(&tokens.refresh_token, tokens.refresh_expires_in);
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused => {
                Self::new(ErrorCode::Unauthenticated, "no account has this e-mail address and password")
            }
            LoginError::Barred => Self::new(ErrorCode::Forbidden, "this account is barred from the server"),
            LoginError::Unconfirmed => {
                Self::new(ErrorCode::Forbidden, "the e-mail address has still to be confirmed")
            }
            LoginError::Field(bad) => bad.into(),
            LoginError::Throttled(refused) => refused.into(),
            LoginError::Busy(full) => full.into(),
            LoginError::Store(error) => unavailable(&error).into(),
        }
    }
}
