//! `PATCH /v1/rooms/{room}/settings`: one's own view of a room; as `room.settings`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Notify, Op, RoomSettings, RoomView, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::patch(
    "/v1/rooms/{room}/settings",
    "setRoomSettings",
    Handler::User(|call, who| Box::pin(set_room_settings(call, who))),
)
.body_bytes(1024)
.about(Tag::Rooms, "Changes one's own view of a room; as `room.settings`")
.takes::<Body>()
.gives::<RoomView>(200);

/// What changes; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RoomSettingsBody")]
struct Body {
    /// What one is told of.
    #[serde(default)]
    notify: Option<Notify>,
    /// Until when one is told of nothing; 0 is no more.
    #[serde(default)]
    muted_until: Option<Timestamp>,
    /// Whether it stays at the top of the list.
    #[serde(default)]
    pinned: Option<bool>,
    /// Whether it is out of the way.
    #[serde(default)]
    archived: Option<bool>,
}

async fn set_room_settings(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { notify, muted_until, pinned, archived } = call.json().await?;
    let op = RoomSettings { room, notify, muted_until, pinned, archived };
    let me = call.perform(&who, Op::RoomSettings(op)).await?;
    Ok(respond::json(StatusCode::OK, &me))
}
