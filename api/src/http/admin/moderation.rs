//! `/admin/rooms/{room}/…`: what is done to rooms, whoever is in them.

use super::note;
use crate::call::Call;
use crate::office::{Actor, Because};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use rookery_protocol::{RoomId, Seq, UserId};
use serde_json::json;

/// Takes the content of a message away.
pub(crate) const TAKE_DOWN: Route = Route::delete(
    "/admin/rooms/{room}/messages/{seq}",
    "adminTakeDown",
    Handler::Admin(|call, who| Box::pin(take_down(call, who))),
)
.reach(Reach::Admin);

/// Removes a member.
pub(crate) const EXPEL: Route = Route::delete(
    "/admin/rooms/{room}/members/{user}",
    "adminExpel",
    Handler::Admin(|call, who| Box::pin(expel(call, who))),
)
.reach(Reach::Admin);

/// Removes every member.
pub(crate) const CLOSE: Route = Route::delete(
    "/admin/rooms/{room}",
    "adminCloseRoom",
    Handler::Admin(|call, who| Box::pin(close(call, who))),
)
.reach(Reach::Admin);

async fn take_down(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let (room, seq): (RoomId, Seq) = (call.path("room")?, call.path("seq")?);
    let reason = call.json::<Because>().await?.reason()?;
    note(&call, who, ("message.remove", format!("{room} {seq}")), &reason).await?;
    call.edge.office.take_down(room, seq).await?;
    Ok(respond::json(StatusCode::OK, &json!({})))
}

async fn expel(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let (room, user): (RoomId, UserId) = (call.path("room")?, call.path("user")?);
    let reason = call.json::<Because>().await?.reason()?;
    note(&call, who, ("member.remove", format!("{room} {user}")), &reason).await?;
    call.edge.node.expel(room, user).await?;
    Ok(respond::json(StatusCode::OK, &json!({})))
}

async fn close(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let room: RoomId = call.path("room")?;
    let reason = call.json::<Because>().await?.reason()?;
    note(&call, who, ("room.close", room.to_string()), &reason).await?;
    call.edge.node.close_room(room).await?;
    Ok(respond::json(StatusCode::OK, &json!({})))
}
