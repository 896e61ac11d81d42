//! `POST /v1/rooms/{room}/members`: more members; as `member.add`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{MemberAdd, Op, Role, UserId};
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::post(
    "/v1/rooms/{room}/members",
    "addMembers",
    Handler::User(|call, who| Box::pin(add_members(call, who))),
)
.body_bytes(16_384);

#[derive(Deserialize)]
struct Body {
    users: Vec<UserId>,
    #[serde(default)]
    role: Option<Role>,
}

async fn add_members(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { users, role } = call.json().await?;
    let added = call.edge.node.perform(&who.user, Op::MemberAdd(MemberAdd { room, users, role })).await?;
    Ok(respond::json(StatusCode::OK, &added))
}
