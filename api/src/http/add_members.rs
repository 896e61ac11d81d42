//! `POST /v1/rooms/{room}/members`: more members; as `member.add`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, MemberAdd, Op, Role, UserId, Written};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::post(
    "/v1/rooms/{room}/members",
    "addMembers",
    Handler::User(|call, who| Box::pin(add_members(call, who))),
)
.body_bytes(16_384)
.about(Tag::Members, "Adds members; as `member.add`")
.takes::<Body>()
.gives::<Written>(200)
.fails(&[ErrorCode::Forbidden]);

/// Who is to be added.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MemberAddBody")]
struct Body {
    /// Whom.
    users: Vec<UserId>,
    /// As what; `member` by default.
    #[serde(default)]
    role: Option<Role>,
}

async fn add_members(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { users, role } = call.json().await?;
    let added = call.perform(&who, Op::MemberAdd(MemberAdd { room, users, role })).await?;
    Ok(respond::json(StatusCode::OK, &added))
}
