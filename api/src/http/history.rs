//! `GET /v1/rooms/{room}/messages`: a page of messages; as `room.history`.
//!
//! With `If-None-Match` it is polling: everything that can change a page is an event of the room,
//! so the head's position is the page's version.

use crate::call::Call;
use crate::problem::Problem;
use crate::range;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::{HeaderValue, StatusCode, header};
use rookery_actors::Identity;
use rookery_protocol::{Op, ReplyBody, RoomHistory};

pub(crate) const ROUTE: Route = Route::get(
    "/v1/rooms/{room}/messages",
    "history",
    Handler::User(|call, who| Box::pin(history(call, who))),
);

async fn history(call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = RoomHistory {
        room: call.path("room")?,
        before: call.query("before")?,
        after: call.query("after")?,
        around: call.query("around")?,
        limit: call.query("limit")?,
    };
    let page = call.edge.node.perform(&who.user, Op::RoomHistory(op)).await?;
    let ReplyBody::History(history) = &page else {
        return Ok(respond::json(StatusCode::OK, &page));
    };
    let tag = HeaderValue::try_from(format!("\"{}\"", history.head.seq)).expect("digits are a header value");
    let mut answer = if range::is_known(call.headers(), &tag) {
        respond::empty(StatusCode::NOT_MODIFIED)
    } else {
        respond::json(StatusCode::OK, &page)
    };
    answer.headers_mut().insert(header::ETAG, tag);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(answer)
}
