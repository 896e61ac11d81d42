//! `PATCH /v1/rooms/{room}/messages/{seq}`: another body for one's own message; as `message.edit`.

use crate::call::Call;
use crate::idempotency;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Changed, ClientId, ErrorCode, MessageBody, MessageEdit, Op, Seq};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::patch(
    "/v1/rooms/{room}/messages/{seq}",
    "editMessage",
    Handler::User(|call, who| Box::pin(edit_message(call, who))),
)
.about(Tag::Messages, "Gives a message of one's own another body; as `message.edit`")
.header::<ClientId>("Idempotency-Key", "The `client_id`; one is made where it is absent.")
.takes::<Body>()
.gives::<Changed>(200)
.fails(&[ErrorCode::Forbidden, ErrorCode::Conflict]);

/// The new body.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MessageEditBody")]
struct Body {
    /// What the message says from now on.
    body: MessageBody,
    /// Where the message was changed last, as one knows it: a later change is a `conflict`.
    #[serde(default)]
    rev: Option<Seq>,
}

async fn edit_message(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let (room, target) = (call.path("room")?, call.path("seq")?);
    let client_id = idempotency::or_fresh(&call)?;
    let Body { body, rev } = call.json().await?;
    let op = MessageEdit { room, client_id, target, body, rev };
    let edited = call.perform(&who, Op::MessageEdit(Box::new(op))).await?;
    Ok(respond::json(StatusCode::OK, &edited))
}
