//! `GET /v1/rooms`: the caller's rooms, newest activity first; as `room.list`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Op, RoomList, Rooms};

pub(crate) const ROUTE: Route =
    Route::get("/v1/rooms", "listRooms", Handler::User(|call, who| Box::pin(list_rooms(call, who))))
        .about(Tag::Rooms, "Lists one's rooms, newest activity first; as `room.list`")
        .query::<u32>("limit", "At most this many; 100 is the most.")
        .query::<String>("cursor", "`next` of the page before.")
        .gives::<Rooms>(200);

async fn list_rooms(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = RoomList { limit: call.query("limit")?, cursor: call.query("cursor")? };
    let rooms = call.perform(&who, Op::RoomList(op)).await?;
    Ok(respond::json(StatusCode::OK, &rooms))
}
