//! `POST /v1/auth/register`: a new account.

use crate::accounts::{Register, RegisterError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_engine::admission::Wanted;
use rookery_protocol::{ErrorCode, User, WireError};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) const ROUTE: Route =
    Route::post("/v1/auth/register", "register", Handler::Public(|call| Box::pin(register(call))))
        .body_bytes(8192)
        .about(Tag::Accounts, "Makes an account")
        .takes::<Register>()
        .gives::<Registered>(201)
        .fails(&[ErrorCode::Conflict, ErrorCode::RateLimited]);

/// The account that was made.
#[derive(Serialize, JsonSchema)]
struct Registered {
    /// Its user.
    user: User,
}

async fn register(mut call: Call) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Registration)?;
    let request: Register = call.json().await?;
    let outcome = call.edge.accounts.register(request, call.asker()).await;
    let result = if outcome.is_ok() { "ok" } else { "refused" };
    call.edge.node.metrics().accounts.registrations.of(result).increment(1);
    let user = outcome?;
    Ok(respond::json(StatusCode::CREATED, &Registered { user }))
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Field(bad) => bad.into(),
            RegisterError::HandleTaken => {
                WireError::new(ErrorCode::Conflict, "another account has this handle").field("handle").into()
            }
            RegisterError::Throttled(refused) => refused.into(),
            RegisterError::Busy(full) => full.into(),
            RegisterError::Store(error) => unavailable(&error).into(),
        }
    }
}
