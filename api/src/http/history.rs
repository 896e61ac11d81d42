//! `GET /v1/rooms/{room}/messages`: a page of messages; as `room.history`.
//!
//! With `If-None-Match` it is polling: everything that can change a page is an event of the room,
//! so the head's position is the page's version.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rookery_actors::Identity;
use rookery_protocol::{History, Op, ReplyBody, RoomHistory, Seq};

pub(crate) const ROUTE: Route = Route::get(
    "/v1/rooms/{room}/messages",
    "history",
    Handler::User(|call, who| Box::pin(history(call, who))),
)
.about(Tag::Messages, "Gives a page of the room; as `room.history`")
.query::<Seq>("before", "Only older than this position.")
.query::<Seq>("after", "Only newer than this position.")
.query::<Seq>("around", "Both sides of this position.")
.query::<u32>("limit", "At most this many; 100 is the most.")
.header::<String>("If-None-Match", "The `ETag` of the page one has: that is polling.")
.gives::<History>(200)
.with("ETag", "The version of the page.")
.gives_nothing(304)
.with("ETag", "The version of the page.");

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
    let mut answer = if matches(call.headers(), &tag) {
        respond::empty(StatusCode::NOT_MODIFIED)
    } else {
        respond::json(StatusCode::OK, &page)
    };
    answer.headers_mut().insert(header::ETAG, tag);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(answer)
}

/// Compares weakly (RFC 9110, section 13.1.2).
fn matches(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_not_sent_again_to_who_has_it() {
        let check = |line: &'static str| {
            let headers = [(header::IF_NONE_MATCH, HeaderValue::from_static(line))].into_iter().collect();
            matches(&headers, &HeaderValue::from_static("\"7\""))
        };
        assert!(check("\"7\"") && check("W/\"7\"") && check("\"3\", \"7\"") && check("*"));
        assert!(!check("\"8\"") && !check("7") && !check(""));
    }
}
