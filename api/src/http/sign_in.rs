//! `/v1/auth/providers`: logging in by an identity elsewhere.

use super::login::{Challenged, Delivery, Granted, entered};
use crate::accounts::{
    Answer as CameBack, Attempt, Device, LinkError, LoginError, SignInError, SignedIn, unavailable,
};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Answering, Handler, Route};
use http::StatusCode;
use rookery_engine::admission::Wanted;
use rookery_protocol::{ErrorCode, WireError};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::future::ready;

/// Milliseconds until a provider that did not answer should be asked again.
const RETRY_AFTER_MS: u32 = 2000;

pub(crate) const LIST: Route = Route::get("/v1/auth/providers", "providers", Handler::Public(list))
    .about(Tag::Accounts, "Lists whose identities log in here")
    .gives::<Providers<'static>>(200);

pub(crate) const BEGIN: Route = Route::post(
    "/v1/auth/providers/{provider}/begin",
    "beginSignIn",
    Handler::Public(|call| Box::pin(begin(call))),
)
.body_bytes(256)
.about(Tag::Accounts, "Begins a login by an identity elsewhere")
.gives::<Begun<'static>>(200)
.fails(&[ErrorCode::Busy, ErrorCode::RateLimited]);

pub(crate) const END: Route = Route::post(
    "/v1/auth/providers/{provider}/finish",
    "finishSignIn",
    Handler::Public(|call| Box::pin(end(call))),
)
.body_bytes(16_384)
.about(Tag::Accounts, "Gives tokens for what a provider has sent somebody back with")
.takes::<Body>()
.gives::<Granted<'static>>(200)
.with("Set-Cookie", "The refresh token, where it was asked for as a cookie.")
.gives::<Further<'static>>(202)
.fails(&[ErrorCode::Unauthenticated, ErrorCode::Forbidden, ErrorCode::Busy, ErrorCode::RateLimited]);

pub(crate) const REGISTER: Route = Route::post(
    "/v1/auth/providers/register",
    "registerIdentity",
    Handler::Public(|call| Box::pin(register(call))),
)
.body_bytes(4096)
.about(Tag::Accounts, "Makes an account for an identity that has none, and gives tokens")
.takes::<RegisterBody>()
.gives::<Granted<'static>>(200)
.with("Set-Cookie", "The refresh token, where it was asked for as a cookie.")
.fails(&[ErrorCode::NotFound, ErrorCode::Conflict, ErrorCode::RateLimited]);

/// Whose identities log in here.
#[derive(Serialize, JsonSchema)]
struct Providers<'a> {
    /// By their names in paths.
    providers: Vec<Provider<'a>>,
}

/// A provider.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IdentityProvider")]
struct Provider<'a> {
    /// Its name in paths.
    id: &'a str,
    /// Its name for people.
    name: &'a str,
}

/// A login that was begun.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignInBegun")]
pub(crate) struct Begun<'a> {
    /// Where the person goes; the provider sends back to the `redirect_uri` that is set.
    url: &'a str,
    /// To be kept where only the page that began it reads it, and brought in the end.
    attempt: &'a str,
    /// Seconds for which it waits.
    expires_in: u64,
}

/// What the provider has sent somebody back with.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SignInFinishBody")]
struct Body {
    /// What came back to the page, and what it has kept.
    #[serde(flatten)]
    came_back: Back,
    /// What is logged in.
    #[serde(default)]
    device: Option<Device>,
    /// The refresh token goes into a cookie, where scripts cannot read it.
    #[serde(default)]
    cookie: bool,
}

/// What came back to the page, and what it has kept.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SignInAnswer")]
pub(crate) struct Back {
    /// What was given at the beginning.
    #[schemars(with = "String")]
    attempt: SecretString,
    /// `state` of the query that came back.
    state: String,
    /// `code` of it.
    #[schemars(with = "String")]
    code: SecretString,
    /// `iss` of it, where it has one.
    #[serde(default)]
    iss: Option<String>,
}

/// What is asked for before there are tokens.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "SignInFurther")]
enum Further<'a> {
    /// A second factor.
    Challenged(Challenged<'a>),
    /// A handle and a name.
    Registering(Registering<'a>),
}

/// No account has this identity: `POST /v1/auth/providers/register` makes one.
#[derive(Serialize, JsonSchema)]
struct Registering<'a> {
    /// Names what waits, and is a secret.
    registration: &'a str,
    /// Seconds for which it waits.
    expires_in: u64,
    /// A handle to suggest; somebody may have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<&'a str>,
    /// A name to suggest.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// Who somebody wants to be.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RegisterIdentityBody")]
struct RegisterBody {
    /// What the login was answered with.
    #[schemars(with = "String")]
    registration: SecretString,
    /// The unique name.
    handle: String,
    /// The display name.
    name: String,
    /// What is logged in.
    #[serde(default)]
    device: Option<Device>,
    /// The refresh token goes into a cookie, where scripts cannot read it.
    #[serde(default)]
    cookie: bool,
}

#[expect(clippy::needless_pass_by_value, reason = "a handler is given its call")]
fn list(call: Call) -> Answering {
    let known = call.edge.accounts.providers();
    let providers = known.iter().map(|(id, name)| Provider { id, name }).collect();
    Box::pin(ready(Ok(respond::json(StatusCode::OK, &Providers { providers }))))
}

async fn begin(call: Call) -> Result<Answer, Problem> {
    let provider: String = call.path("provider")?;
    Ok(begun(&call.edge.accounts.begin_sign_in(&provider, None, call.from()).await?))
}

/// Answers with what was begun.
pub(crate) fn begun(attempt: &Attempt) -> Answer {
    let Attempt { url, attempt, expires_in } = attempt;
    let (attempt, expires_in) = (attempt.expose_secret(), expires_in.as_secs());
    respond::json(StatusCode::OK, &Begun { url, attempt, expires_in })
}

async fn end(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let provider: String = call.path("provider")?;
    let Body { came_back, device, cookie } = call.json().await?;
    let accounts = &call.edge.accounts;
    let outcome = accounts.end_sign_in(&provider, came_back.into(), device, &call.asker()).await;
    let logins = &call.edge.node.metrics().accounts.logins;
    let further = match outcome.inspect_err(|_| logins.of("refused").increment(1))? {
        SignedIn::Tokens(tokens) => {
            logins.of("ok").increment(1);
            return entered(&call, "provider", &tokens, delivery(cookie)).await;
        }
        SignedIn::Challenged(challenge) => {
            let body = Further::Challenged(Challenged::of(&challenge));
            return Ok(respond::json(StatusCode::ACCEPTED, &body));
        }
        SignedIn::Registering(further) => further,
    };
    let body = Further::Registering(Registering {
        registration: further.registration.expose_secret(),
        expires_in: further.expires_in.as_secs(),
        handle: further.handle.as_deref(),
        name: further.name.as_deref(),
    });
    Ok(respond::json(StatusCode::ACCEPTED, &body))
}

async fn register(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let RegisterBody { registration, handle, name, device, cookie } = call.json().await?;
    let (accounts, who) = (&call.edge.accounts, (handle, name));
    let outcome = accounts.register_identity(registration.expose_secret(), who, device, &call.asker()).await;
    let result = if outcome.is_ok() { "ok" } else { "refused" };
    call.edge.node.metrics().accounts.registrations.of(result).increment(1);
    entered(&call, "provider", &outcome?, delivery(cookie)).await
}

const fn delivery(cookie: bool) -> Delivery {
    if cookie { Delivery::Cookie } else { Delivery::Body }
}

impl From<Back> for CameBack {
    fn from(back: Back) -> Self {
        Self { attempt: back.attempt, state: back.state, code: back.code, issuer: back.iss }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoSuchProvider => Self::new(ErrorCode::NotFound, "there is no such provider"),
            SignInError::Gone => {
                Self::new(ErrorCode::NotFound, "this was not begun, or is over: begin again")
            }
            SignInError::Refused => {
                Self::new(ErrorCode::Unauthenticated, "what came back is not accepted: begin again")
            }
            SignInError::Barred => LoginError::Barred.into(),
            SignInError::Away => WireError::new(ErrorCode::Busy, "the provider does not answer: begin again")
                .retry_after(RETRY_AFTER_MS)
                .into(),
            SignInError::NotLinked => {
                Self::new(ErrorCode::Forbidden, "no account has this identity: log in otherwise and link it")
            }
            SignInError::Field(bad) => bad.into(),
            SignInError::HandleTaken => Self::new(ErrorCode::Conflict, "another account has this handle"),
            SignInError::Link(error) => error.into(),
            SignInError::Throttled(refused) => refused.into(),
            SignInError::Store(error) => unavailable(&error).into(),
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Taken => Self::new(ErrorCode::Conflict, "the identity is another account's"),
            LinkError::TooMany => Self::new(ErrorCode::Conflict, "the account has as many as it may"),
            LinkError::NotLinked => Self::new(ErrorCode::NotFound, "the account has no such identity"),
            LinkError::LastWayIn => {
                Self::new(ErrorCode::Conflict, "the account has no other way in: link another one first")
            }
            LinkError::Store(error) => unavailable(&error).into(),
        }
    }
}
