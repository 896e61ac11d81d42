//! `POST /v1/rooms/{room}/invites`: a link into a room; as `invite.create`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, InviteCreate, InviteCreated, Op, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::post(
    "/v1/rooms/{room}/invites",
    "createInvite",
    Handler::User(|call, who| Box::pin(create_invite(call, who))),
)
.body_bytes(1024)
.about(Tag::Rooms, "Makes a link into a room; as `invite.create`")
.takes::<Body>()
.or_nothing()
.gives::<InviteCreated>(201)
.fails(&[ErrorCode::Forbidden]);

/// How long the link leads somewhere.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "InviteCreateBody")]
struct Body {
    /// When it ends; never where it is absent.
    #[serde(default)]
    expires_at: Option<Timestamp>,
    /// How many users it lets in; any number where it is absent.
    #[serde(default)]
    uses: Option<u32>,
}

async fn create_invite(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { expires_at, uses } = call.json_or_default().await?;
    let op = InviteCreate { room, expires_at, uses };
    let invited = call.perform(&who, Op::InviteCreate(op)).await?;
    Ok(respond::json(StatusCode::CREATED, &invited))
}
