//! `PUT /v1/rooms/{room}/typing`: that one is typing, or no more; as `typing.set`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Empty, ErrorCode, Op, Typing, TypingSet};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::put(
    "/v1/rooms/{room}/typing",
    "setTyping",
    Handler::User(|call, who| Box::pin(set_typing(call, who))),
)
.body_bytes(1024)
.about(Tag::Messages, "Says that one is typing, or no more; as `typing.set`")
.takes::<Body>()
.gives::<Empty>(200)
.fails(&[ErrorCode::Forbidden]);

/// Whether one is typing.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TypingSetBody")]
struct Body {
    /// Whether.
    on: bool,
    /// What is being made; `text` where it is absent.
    #[serde(default)]
    kind: Option<Typing>,
}

async fn set_typing(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { on, kind } = call.json().await?;
    let set = call.perform(&who, Op::TypingSet(TypingSet { room, on, kind })).await?;
    Ok(respond::json(StatusCode::OK, &set))
}
