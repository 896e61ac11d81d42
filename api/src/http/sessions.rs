//! `GET /v1/auth/sessions` and `DELETE /v1/auth/sessions[/{session}]`: one's own logins, and their end.

use crate::accounts::unavailable;
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_engine::store::LoginSession;
use rookery_protocol::{CloseCode, DeviceId, ErrorCode, SessionId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

const PATH: &str = "/v1/auth/sessions";

pub(crate) const LIST: Route =
    Route::get(PATH, "sessions", Handler::User(|call, who| Box::pin(list(call, who))))
        .about(Tag::Accounts, "Lists one's own logins that are live, the one begun last first")
        .gives::<Sessions>(200);

pub(crate) const END: Route = Route::delete(
    "/v1/auth/sessions/{session}",
    "endSession",
    Handler::User(|call, who| Box::pin(end(call, who))),
)
.about(Tag::Accounts, "Ends one of one's own logins and closes its sockets")
.gives_nothing(204)
.fails(&[ErrorCode::NotFound]);

pub(crate) const END_OTHERS: Route =
    Route::delete(PATH, "endOtherSessions", Handler::User(|call, who| Box::pin(end_others(call, who))))
        .about(Tag::Accounts, "Ends every other login of one's own and closes its sockets")
        .gives_nothing(204);

/// The logins of a user, at most 100.
#[derive(Serialize, JsonSchema)]
struct Sessions {
    /// The one begun last first.
    sessions: Vec<Shown>,
}

/// A login.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct Shown {
    /// Which.
    session: SessionId,
    /// The device, as it named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_name: Option<String>,
    /// When it began.
    created_at: Timestamp,
    /// It ends then, however often it is refreshed.
    expires_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

async fn list(call: Call, who: Identity) -> Result<Answer, Problem> {
    let logins = call.edge.accounts.logins(who.user.id).await.map_err(|error| unavailable(&error))?;
    let shown = |login: LoginSession| Shown {
        session: login.session,
        device: login.device,
        device_name: login.device_name,
        created_at: login.created_at,
        expires_at: login.expires_at,
        current: login.session == who.session,
    };
    Ok(respond::json(StatusCode::OK, &Sessions { sessions: logins.into_iter().map(shown).collect() }))
}

async fn end(call: Call, who: Identity) -> Result<Answer, Problem> {
    let session = call.path("session")?;
    let ended = call.edge.accounts.end_login(who.user.id, session).await;
    if !ended.map_err(|error| unavailable(&error))? {
        return Err(Problem::new(ErrorCode::NotFound, "there is no such login of yours"));
    }
    call.edge.node.end_login(session, CloseCode::SessionRevoked);
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn end_others(call: Call, who: Identity) -> Result<Answer, Problem> {
    let ended = call.edge.accounts.end_logins(who.user.id, Some(who.session)).await;
    for session in ended.map_err(|error| unavailable(&error))? {
        call.edge.node.end_login(session, CloseCode::SessionRevoked);
    }
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
