//! `POST /v1/rooms/{room}/messages`: one message; as `message.send`.
//!
//! `Idempotency-Key` is the message's `client_id`: the same one again is answered with the position
//! that the first one got.

use crate::call::Call;
use crate::idempotency;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ClientId, ErrorCode, MessageBody, MessageSend, Op, ReplyBody, Sent, Seq};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::post(
    "/v1/rooms/{room}/messages",
    "sendMessage",
    Handler::User(|call, who| Box::pin(send_message(call, who))),
)
.about(Tag::Messages, "Sends a message; as `message.send`")
.header::<ClientId>("Idempotency-Key", "The `client_id`: the same one again gives the same message.")
.required()
.takes::<Body>()
.gives::<Sent>(201)
.gives::<Sent>(200)
.fails(&[ErrorCode::Forbidden]);

/// The message.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MessageSendBody")]
struct Body {
    /// What.
    body: MessageBody,
    /// The message it answers.
    #[serde(default)]
    reply_to: Option<Seq>,
}

async fn send_message(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let client_id = idempotency::required(&call)?;
    let Body { body, reply_to } = call.json().await?;
    let op = MessageSend { room, client_id, attempt: None, body, reply_to };
    let sent = call.perform(&who, Op::MessageSend(Box::new(op))).await?;
    let is_duplicate = matches!(&sent, ReplyBody::Sent(sent) if sent.duplicate);
    let status = if is_duplicate { StatusCode::OK } else { StatusCode::CREATED };
    Ok(respond::json(status, &sent))
}
