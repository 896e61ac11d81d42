//! `PATCH /v1/rooms/{room}/members/{user}`: another role; as `member.role`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, MemberRole, Op, Role, Written};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::patch(
    "/v1/rooms/{room}/members/{user}",
    "changeRole",
    Handler::User(|call, who| Box::pin(change_role(call, who))),
)
.body_bytes(1024)
.about(Tag::Members, "Gives a member another role; as `member.role`")
.takes::<Body>()
.gives::<Written>(200)
.fails(&[ErrorCode::Forbidden, ErrorCode::Conflict]);

/// The role from then on.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MemberRoleBody")]
struct Body {
    /// Which.
    role: Role,
}

async fn change_role(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let (room, user) = (call.path("room")?, call.path("user")?);
    let Body { role } = call.json().await?;
    let changed = call.perform(&who, Op::MemberRole(MemberRole { room, user, role })).await?;
    Ok(respond::json(StatusCode::OK, &changed))
}
