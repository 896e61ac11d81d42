//! `PUT /v1/rooms/{room}/typing`: that one is typing, or no more; as `typing.set`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Op, Typing, TypingSet};
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::put(
    "/v1/rooms/{room}/typing",
    "setTyping",
    Handler::User(|call, who| Box::pin(set_typing(call, who))),
)
.body_bytes(1024);

#[derive(Deserialize)]
struct Body {
    on: bool,
    #[serde(default)]
    kind: Option<Typing>,
}

async fn set_typing(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { on, kind } = call.json().await?;
    let set = call.edge.node.perform(&who.user, Op::TypingSet(TypingSet { room, on, kind })).await?;
    Ok(respond::json(StatusCode::OK, &set))
}
