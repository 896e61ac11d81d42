//! `POST /v1/rooms`: a new room; as `room.create`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, Op, Room, RoomCreate};

pub(crate) const ROUTE: Route =
    Route::post("/v1/rooms", "createRoom", Handler::User(|call, who| Box::pin(create_room(call, who))))
        .about(Tag::Rooms, "Makes a room; as `room.create`")
        .takes::<RoomCreate>()
        .gives::<Room>(201)
        .fails(&[ErrorCode::NotFound]);

async fn create_room(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op: RoomCreate = call.json().await?;
    let room = call.edge.node.perform(&who.user, Op::RoomCreate(Box::new(op))).await?;
    Ok(respond::json(StatusCode::CREATED, &room))
}
