//! `DELETE /v1/rooms/{room}/members/{user}`: one member less, oneself included; as `member.remove`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, MemberRemove, Op, Written};

pub(crate) const ROUTE: Route = Route::delete(
    "/v1/rooms/{room}/members/{user}",
    "removeMember",
    Handler::User(|call, who| Box::pin(remove_member(call, who))),
)
.about(Tag::Members, "Removes a member, or leaves; as `member.remove`")
.gives::<Written>(200)
.fails(&[ErrorCode::Forbidden, ErrorCode::Conflict]);

async fn remove_member(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = MemberRemove { room: call.path("room")?, user: call.path("user")? };
    let removed = call.perform(&who, Op::MemberRemove(op)).await?;
    Ok(respond::json(StatusCode::OK, &removed))
}
