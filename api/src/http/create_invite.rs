//! `POST /v1/rooms/{room}/invites`: a link into a room; as `invite.create`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{InviteCreate, Op, Timestamp};
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::post(
    "/v1/rooms/{room}/invites",
    "createInvite",
    Handler::User(|call, who| Box::pin(create_invite(call, who))),
)
.body_bytes(1024);

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    uses: Option<u32>,
}

async fn create_invite(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { expires_at, uses } = call.json_or_default().await?;
    let op = InviteCreate { room, expires_at, uses };
    let invited = call.edge.node.perform(&who.user, Op::InviteCreate(op)).await?;
    Ok(respond::json(StatusCode::CREATED, &invited))
}
