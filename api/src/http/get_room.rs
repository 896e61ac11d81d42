//! `GET /v1/rooms/{room}`: one room; as `room.get`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Op, Room, RoomGet};

pub(crate) const ROUTE: Route =
    Route::get("/v1/rooms/{room}", "getRoom", Handler::User(|call, who| Box::pin(get_room(call, who))))
        .about(Tag::Rooms, "Gives a room; as `room.get`")
        .gives::<Room>(200);

async fn get_room(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = RoomGet { room: call.path("room")? };
    let room = call.perform(&who, Op::RoomGet(op)).await?;
    Ok(respond::json(StatusCode::OK, &room))
}
