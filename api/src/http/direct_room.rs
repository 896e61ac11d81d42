//! `POST /v1/rooms/direct`: the one room of two users; as `room.direct`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, Op, Room, RoomDirect};

pub(crate) const ROUTE: Route = Route::post(
    "/v1/rooms/direct",
    "directRoom",
    Handler::User(|call, who| Box::pin(direct_room(call, who))),
)
.body_bytes(1024)
.about(Tag::Rooms, "Finds or makes the room with a user; as `room.direct`")
.takes::<RoomDirect>()
.gives::<Room>(200)
.fails(&[ErrorCode::NotFound]);

async fn direct_room(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op: RoomDirect = call.json().await?;
    let room = call.perform(&who, Op::RoomDirect(op)).await?;
    Ok(respond::json(StatusCode::OK, &room))
}
