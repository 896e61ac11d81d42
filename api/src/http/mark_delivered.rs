//! `PUT /v1/rooms/{room}/delivered`: how far messages have arrived; as `delivered.mark`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{DeliveredMark, Empty, Op, Seq};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const ROUTE: Route = Route::put(
    "/v1/rooms/{room}/delivered",
    "markDelivered",
    Handler::User(|call, who| Box::pin(mark_delivered(call, who))),
)
.body_bytes(1024)
.about(Tag::Messages, "Moves how far messages have arrived; as `delivered.mark`")
.takes::<Body>()
.gives::<Empty>(200);

/// How far messages have arrived.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DeliveredMarkBody")]
struct Body {
    /// Up to and including this position; it only moves forward.
    seq: Seq,
}

async fn mark_delivered(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let room = call.path("room")?;
    let Body { seq } = call.json().await?;
    let marked = call.perform(&who, Op::DeliveredMark(DeliveredMark { room, seq })).await?;
    Ok(respond::json(StatusCode::OK, &marked))
}
