//! `/v1/me/factor`: the second factor of one's own account: how it stands, set up, confirmed, taken off.

use super::password::stale;
use crate::accounts::{FactorError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_engine::admission::Wanted;
use rookery_protocol::{ErrorCode, Timestamp};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub(crate) const SHOW: Route =
    Route::get("/v1/me/factor", "factor", Handler::User(|call, who| Box::pin(show(call, who))))
        .about(Tag::Accounts, "Tells whether logins ask for a second factor")
        .gives::<Standing>(200);

pub(crate) const BEGIN: Route =
    Route::post("/v1/me/factor", "beginFactor", Handler::User(|call, who| Box::pin(begin(call, who))))
        .body_bytes(4096)
        .about(Tag::Accounts, "Begins to set up a second factor: the codes of an authenticator app")
        .takes::<Password>()
        .gives::<Enrolling<'static>>(201)
        .fails(&[ErrorCode::Conflict, ErrorCode::Forbidden, ErrorCode::RateLimited]);

pub(crate) const CONFIRM: Route = Route::post(
    "/v1/me/factor/confirm",
    "confirmFactor",
    Handler::User(|call, who| Box::pin(confirm(call, who))),
)
.body_bytes(256)
.about(Tag::Accounts, "Has logins ask for a code from now on, and gives recovery codes, once")
.takes::<Code>()
.gives::<RecoveryCodes<'static>>(200)
.fails(&[ErrorCode::Conflict, ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::RateLimited]);

pub(crate) const RENEW: Route = Route::post(
    "/v1/me/factor/recovery",
    "renewRecoveryCodes",
    Handler::User(|call, who| Box::pin(renew(call, who))),
)
.body_bytes(4096)
.about(Tag::Accounts, "Gives new recovery codes in place of all earlier ones")
.takes::<Both>()
.gives::<RecoveryCodes<'static>>(200)
.fails(&[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::RateLimited]);

pub(crate) const DISABLE: Route = Route::post(
    "/v1/me/factor/disable",
    "disableFactor",
    Handler::User(|call, who| Box::pin(disable(call, who))),
)
.body_bytes(4096)
.about(Tag::Accounts, "Takes the second factor off")
.takes::<Both>()
.gives_nothing(204)
.fails(&[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::RateLimited]);

/// The password once more.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "FactorBeginBody")]
struct Password {
    /// The account's; empty where it has none, since it was made by an identity elsewhere: then the login is one of
    /// the last ten minutes.
    #[schemars(with = "String", extend("format" = "password"))]
    password: SecretString,
}

/// A code.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "FactorConfirmBody")]
struct Code {
    /// Six digits of the app.
    #[schemars(with = "String")]
    code: SecretString,
}

/// The password and a code.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "FactorProofBody")]
struct Both {
    /// The account's; empty where it has none, since it was made by an identity elsewhere: then the login is one of
    /// the last ten minutes.
    #[schemars(with = "String", extend("format" = "password"))]
    password: SecretString,
    /// Six digits of the app, or a recovery code.
    #[schemars(with = "String")]
    code: SecretString,
}

/// How the second factor stands.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FactorStanding")]
struct Standing {
    /// Since when logins ask for it; absent where they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_since: Option<Timestamp>,
    /// Recovery codes that are left.
    recovery_codes: usize,
}

/// A second factor that is being set up.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FactorEnrolling")]
struct Enrolling<'a> {
    /// For the app, in base32: six digits every 30 seconds, by SHA-1.
    secret: &'a str,
    /// The same for a picture that an app reads: `otpauth://…`.
    address: &'a str,
    /// Seconds in which it is to be confirmed.
    expires_in: u64,
}

/// Codes to write down, each good once in the place of the app's.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RecoveryCodes")]
struct RecoveryCodes<'a> {
    /// They are told once.
    recovery_codes: Vec<&'a str>,
}

async fn show(call: Call, who: Identity) -> Result<Answer, Problem> {
    let standing = call.edge.accounts.factor_standing(who.user.id).await?;
    let body = Standing { on_since: standing.on_since, recovery_codes: standing.recovery_codes };
    Ok(respond::json(StatusCode::OK, &body))
}

async fn begin(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Password { password } = call.json().await?;
    let begun = call.edge.accounts.begin_factor(&who, password).await?;
    let body = Enrolling {
        secret: begun.secret.expose_secret(),
        address: begun.address.expose_secret(),
        expires_in: begun.expires_in.as_secs(),
    };
    Ok(respond::json(StatusCode::CREATED, &body))
}

async fn confirm(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let Code { code } = call.json().await?;
    let (accounts, asker) = (&call.edge.accounts, call.asker());
    Ok(told(&accounts.confirm_factor(who.user.id, code.expose_secret(), &asker).await?))
}

async fn renew(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Both { password, code } = call.json().await?;
    let (accounts, proof) = (&call.edge.accounts, (password, code.expose_secret()));
    Ok(told(&accounts.renew_recovery_codes(&who, proof, &call.asker()).await?))
}

async fn disable(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Both { password, code } = call.json().await?;
    let proof = (password, code.expose_secret());
    call.edge.accounts.disable_factor(&who, proof, &call.asker()).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

fn told(codes: &[SecretString]) -> Answer {
    let recovery_codes = codes.iter().map(ExposeSecret::expose_secret).collect();
    respond::json(StatusCode::OK, &RecoveryCodes { recovery_codes })
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Refused => {
                Self::new(ErrorCode::Forbidden, "the password or the code is not accepted")
            }
            FactorError::Stale => stale(),
            FactorError::On => Self::new(ErrorCode::Conflict, "there is a second factor already"),
            FactorError::Off => Self::new(ErrorCode::NotFound, "there is no second factor"),
            FactorError::Throttled(refused) => refused.into(),
            FactorError::Busy(full) => full.into(),
            FactorError::Store(error) => unavailable(&error).into(),
        }
    }
}
