//! `PUT /v1/rooms/{room}/read`: how far one has read; as `read.mark`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Op, ReadMark, ReadMarked, Seq};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::put(
    "/v1/rooms/{room}/read",
    "markRead",
    Handler::User(|call, who| Box::pin(mark_read(call, who))),
)
.body_bytes(1024)
.about(Tag::Messages, "Moves how far one has read; as `read.mark`")
.takes::<Body>()
.gives::<ReadMarked>(200);

/// How far one has read.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ReadMarkBody")]
struct Body {
    /// Up to and including this position; it only moves forward.
    seq: Seq,
}

async fn mark_read(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { seq } = call.json().await?;
    let marked = call.perform(&who, Op::ReadMark(ReadMark { room, seq })).await?;
    Ok(respond::json(StatusCode::OK, &marked))
}
