//! `DELETE /v1/rooms/{room}/invites/{invite}`: a link that leads nowhere any more; as `invite.revoke`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Empty, ErrorCode, InviteRevoke, Op};

pub(crate) const ROUTE: Route = Route::delete(
    "/v1/rooms/{room}/invites/{invite}",
    "revokeInvite",
    Handler::User(|call, who| Box::pin(revoke_invite(call, who))),
)
.about(Tag::Rooms, "Takes a link into a room back; as `invite.revoke`")
.gives::<Empty>(200)
.fails(&[ErrorCode::Forbidden]);

async fn revoke_invite(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = InviteRevoke { room: call.path("room")?, invite: call.path("invite")? };
    let done = call.perform(&who, Op::InviteRevoke(op)).await?;
    Ok(respond::json(StatusCode::OK, &done))
}
