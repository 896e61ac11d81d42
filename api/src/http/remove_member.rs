//! `DELETE /v1/rooms/{room}/members/{user}`: one member less, oneself included; as `member.remove`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{MemberRemove, Op};

pub(crate) const ROUTE: Route = Route::delete(
    "/v1/rooms/{room}/members/{user}",
    "removeMember",
    Handler::User(|call, who| Box::pin(remove_member(call, who))),
);

async fn remove_member(call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = MemberRemove { room: call.path("room")?, user: call.path("user")? };
    let removed = call.edge.node.perform(&who.user, Op::MemberRemove(op)).await?;
    Ok(respond::json(StatusCode::OK, &removed))
}
