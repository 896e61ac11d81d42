//! `POST /v1/invites/{invite}/accept`: into a room by a link; as `invite.accept`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, InviteAccept, Op, Room};

pub(crate) const ROUTE: Route = Route::post(
    "/v1/invites/{invite}/accept",
    "acceptInvite",
    Handler::User(|call, who| Box::pin(accept_invite(call, who))),
)
.body_bytes(1024)
.about(Tag::Rooms, "Comes into a room by a link; as `invite.accept`")
.gives::<Room>(200)
.fails(&[ErrorCode::TooLarge]);

async fn accept_invite(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = InviteAccept { invite: call.path("invite")? };
    let room = call.perform(&who, Op::InviteAccept(op)).await?;
    Ok(respond::json(StatusCode::OK, &room))
}
