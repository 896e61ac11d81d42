//! `POST /v1/reports`: has the server's admins look at a user, a room or a message.

use crate::accounts::unavailable;
use crate::call::Call;
use crate::office::{About, checked};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, Op, RoomGet, RoomId, Seq, UserGet, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest reason, with its field names, in bytes.
const BODY_BYTES: usize = 8192;

pub(crate) const ROUTE: Route =
    Route::post("/v1/reports", "report", Handler::User(|call, who| Box::pin(report(call, who))))
        .body_bytes(BODY_BYTES)
        .about(Tag::Users, "Reports a user, a room or a message to the server's admins")
        .takes::<Body>()
        .gives::<Reported>(201)
        .fails(&[ErrorCode::NotFound, ErrorCode::Invalid]);

/// What is reported, and why. A room must be one of the reporter's own.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ReportBody")]
struct Body {
    /// A room; with `seq`, a message there.
    #[serde(default)]
    room: Option<RoomId>,
    /// The message's position.
    #[serde(default)]
    seq: Option<Seq>,
    /// A user.
    #[serde(default)]
    user: Option<UserId>,
    /// Why: 1 to 1000 characters.
    reason: String,
}

/// A report that was taken.
#[derive(Serialize, JsonSchema)]
struct Reported {
    /// Its id.
    id: String,
}

async fn report(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let Body { room, seq, user, reason } = call.json().await?;
    let reason = checked(reason)?;
    if room.is_none() && user.is_none() {
        return Err(Problem::field("user", "name a user or a room"));
    }
    if seq.is_some() && room.is_none() {
        return Err(Problem::field("room", "a message is one of a room"));
    }
    // What is not for the reporter does not exist for it.
    if let Some(room) = room {
        call.perform(&who, Op::RoomGet(RoomGet { room })).await?;
    }
    if let Some(user) = user {
        call.perform(&who, Op::UserGet(UserGet { user })).await?;
    }
    let taken = call.edge.office.report(who.user.id, About { room, seq, user }, reason).await;
    let id = taken.map_err(|error| unavailable(&error))?;
    Ok(respond::json(StatusCode::CREATED, &Reported { id: id.to_string() }))
}
