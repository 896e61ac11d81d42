//! `POST /v1/rooms`: a new room; as `room.create`.
//!
//! Its `client_id` is in the body or is the `Idempotency-Key`.

use crate::call::Call;
use crate::idempotency;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ClientId, ErrorCode, Op, Room, RoomCreate, RoomKind, UserId};
use serde::Deserialize;

pub(crate) const ROUTE: Route =
    Route::post("/v1/rooms", "createRoom", Handler::User(|call, who| Box::pin(create_room(call, who))))
        .about(Tag::Rooms, "Makes a room; as `room.create`")
        .takes::<RoomCreate>()
        .gives::<Room>(201)
        .fails(&[ErrorCode::NotFound]);

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    client_id: Option<ClientId>,
    kind: RoomKind,
    title: String,
    #[serde(default)]
    members: Vec<UserId>,
}

async fn create_room(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let key = idempotency::given(call.headers())?;
    let Body { client_id, kind, title, members } = call.json().await?;
    if key.is_some() && client_id.is_some() && key != client_id {
        return Err(Problem::field("client_id", "it differs from the Idempotency-Key: send one of the two"));
    }
    let client_id = client_id.or(key).ok_or_else(|| {
        Problem::field("client_id", "it is needed here, or a UUID in the header Idempotency-Key")
    })?;
    let op = RoomCreate { client_id, kind, title, members };
    let room = call.perform(&who, Op::RoomCreate(Box::new(op))).await?;
    Ok(respond::json(StatusCode::CREATED, &room))
}
