//! `PUT` and `DELETE /v1/rooms/{room}/messages/{seq}/reactions/{emoji}`: one's own reaction to a
//! message, set or taken off; as `reaction.set`. The emoji is percent-encoded UTF-8.

use crate::call::Call;
use crate::idempotency;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ClientId, ErrorCode, Op, ReactionSet, Set};

const PATH: &str = "/v1/rooms/{room}/messages/{seq}/reactions/{emoji}";

/// Sets it.
pub(crate) const SET: Route =
    Route::put(PATH, "setReaction", Handler::User(|call, who| Box::pin(set(call, who))))
        .body_bytes(1024)
        .about(Tag::Messages, "Reacts to a message; as `reaction.set`")
        .header::<ClientId>("Idempotency-Key", "The `client_id`; one is made where it is absent.")
        .gives::<Set>(200)
        .fails(&[ErrorCode::Forbidden, ErrorCode::Invalid, ErrorCode::TooLarge]);

/// Takes it off.
pub(crate) const CLEAR: Route =
    Route::delete(PATH, "clearReaction", Handler::User(|call, who| Box::pin(clear(call, who))))
        .about(Tag::Messages, "Takes one's reaction off; as `reaction.set`")
        .header::<ClientId>("Idempotency-Key", "The `client_id`; one is made where it is absent.")
        .gives::<Set>(200)
        .fails(&[ErrorCode::Forbidden, ErrorCode::Invalid]);

async fn set(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = ReactionSet { on: true, ..taken_off(&call)? };
    perform(&mut call, &who, op).await
}

async fn clear(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = taken_off(&call)?;
    perform(&mut call, &who, op).await
}

fn taken_off(call: &Call) -> Result<ReactionSet, Problem> {
    Ok(ReactionSet {
        room: call.path("room")?,
        client_id: idempotency::or_fresh(call)?,
        target: call.path("seq")?,
        emoji: call.path("emoji")?,
        on: false,
    })
}

async fn perform(call: &mut Call, who: &Identity, op: ReactionSet) -> Result<Answer, Problem> {
    let written = call.perform(who, Op::ReactionSet(Box::new(op))).await?;
    Ok(respond::json(StatusCode::OK, &written))
}
