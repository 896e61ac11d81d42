//! `DELETE /v1/rooms/{room}/messages/{seq}`: a message without its content; as `message.delete`.

use crate::call::Call;
use crate::idempotency;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Changed, ClientId, ErrorCode, MessageDelete, Op};

pub(crate) const ROUTE: Route = Route::delete(
    "/v1/rooms/{room}/messages/{seq}",
    "deleteMessage",
    Handler::User(|call, who| Box::pin(delete_message(call, who))),
)
.about(Tag::Messages, "Takes the content of a message away; as `message.delete`")
.header::<ClientId>("Idempotency-Key", "The `client_id`; one is made where it is absent.")
.gives::<Changed>(200)
.fails(&[ErrorCode::Forbidden, ErrorCode::Invalid]);

async fn delete_message(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let (room, target) = (call.path("room")?, call.path("seq")?);
    let op = MessageDelete { room, client_id: idempotency::or_fresh(&call)?, target };
    let deleted = call.perform(&who, Op::MessageDelete(op)).await?;
    Ok(respond::json(StatusCode::OK, &deleted))
}
