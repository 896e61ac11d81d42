//! `PUT` and `DELETE /v1/rooms/{room}/messages/{seq}/pin`: a message pinned, or no more; as `pin.set`.

use crate::call::Call;
use crate::idempotency;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ClientId, ErrorCode, Op, PinSet, Set};

const PATH: &str = "/v1/rooms/{room}/messages/{seq}/pin";

/// Pins it.
pub(crate) const SET: Route =
    Route::put(PATH, "pinMessage", Handler::User(|call, who| Box::pin(set(call, who))))
        .body_bytes(1024)
        .about(Tag::Messages, "Pins a message; as `pin.set`")
        .header::<ClientId>("Idempotency-Key", "The `client_id`; one is made where it is absent.")
        .gives::<Set>(200)
        .fails(&[ErrorCode::Forbidden, ErrorCode::Invalid]);

/// Takes the pin off.
pub(crate) const CLEAR: Route =
    Route::delete(PATH, "unpinMessage", Handler::User(|call, who| Box::pin(clear(call, who))))
        .about(Tag::Messages, "Takes the pin off; as `pin.set`")
        .header::<ClientId>("Idempotency-Key", "The `client_id`; one is made where it is absent.")
        .gives::<Set>(200)
        .fails(&[ErrorCode::Forbidden, ErrorCode::Invalid]);

async fn set(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = PinSet { on: true, ..taken_off(&call)? };
    perform(&mut call, &who, op).await
}

async fn clear(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = taken_off(&call)?;
    perform(&mut call, &who, op).await
}

fn taken_off(call: &Call) -> Result<PinSet, Problem> {
    let client_id = idempotency::or_fresh(call)?;
    Ok(PinSet { room: call.path("room")?, client_id, target: call.path("seq")?, on: false })
}

async fn perform(call: &mut Call, who: &Identity, op: PinSet) -> Result<Answer, Problem> {
    let written = call.perform(who, Op::PinSet(op)).await?;
    Ok(respond::json(StatusCode::OK, &written))
}
