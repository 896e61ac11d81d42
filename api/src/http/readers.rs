//! `GET /v1/rooms/{room}/messages/{seq}/readers`: who has read a message; as `read.list`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Op, ReadList, Readers};

pub(crate) const ROUTE: Route = Route::get(
    "/v1/rooms/{room}/messages/{seq}/readers",
    "listReaders",
    Handler::User(|call, who| Box::pin(readers(call, who))),
)
.about(Tag::Messages, "Says who has read a message; as `read.list`")
.gives::<Readers>(200);

async fn readers(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = ReadList { room: call.path("room")?, seq: call.path("seq")? };
    let readers = call.perform(&who, Op::ReadList(op)).await?;
    Ok(respond::json(StatusCode::OK, &readers))
}
