//! `PATCH /v1/rooms/{room}`: title, about, picture; as `room.update`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, Op, Room, RoomUpdate};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::patch(
    "/v1/rooms/{room}",
    "updateRoom",
    Handler::User(|call, who| Box::pin(update_room(call, who))),
)
.body_bytes(16_384)
.about(Tag::Rooms, "Changes title, about or avatar; as `room.update`")
.takes::<Body>()
.gives::<Room>(200)
.fails(&[ErrorCode::Forbidden]);

/// What changes; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RoomUpdateBody")]
struct Body {
    /// 1 to 128 characters.
    #[serde(default)]
    title: Option<String>,
    /// At most 1024 characters.
    #[serde(default)]
    about: Option<String>,
    /// A picture that was uploaded: its id, or where it is; empty takes the picture away.
    #[serde(default)]
    avatar: Option<String>,
}

async fn update_room(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { title, about, avatar } = call.json().await?;
    let op = RoomUpdate { room, title, about, avatar };
    let room = call.perform(&who, Op::RoomUpdate(Box::new(op))).await?;
    Ok(respond::json(StatusCode::OK, &room))
}
