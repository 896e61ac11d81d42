//! `GET /v1/rooms/{room}/messages`: a page of messages; as `room.history`.
//!
//! With `If-None-Match` it is polling: everything that can change a page is an event of the room, so
//! the head is the page's version. An active room knows its head, and says "unchanged" without a read
//! of the store.

use crate::call::Call;
use crate::problem::Problem;
use crate::range;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{HeaderValue, StatusCode, header};
use rookery_actors::Identity;
use rookery_protocol::{Head, History, Op, ReplyBody, RoomHistory, Seq, UserId};
use std::sync::Arc;

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

async fn history(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = RoomHistory {
        room: call.path("room")?,
        before: call.query("before")?,
        after: call.query("after")?,
        around: call.query("around")?,
        limit: call.query("limit")?,
    };
    let (node, user) = (&call.edge.node, who.user.id);
    let metrics = Arc::clone(node.metrics());
    let polls = &metrics.http.polls;
    let is_poll = call.headers().contains_key(header::IF_NONE_MATCH);
    if is_poll && let Some(head) = node.glance(op.room, user).await {
        let tag = tag(head, user);
        if range::is_known(call.headers(), &tag) {
            polls.of("unchanged").increment(1);
            return Ok(tagged(respond::empty(StatusCode::NOT_MODIFIED), tag));
        }
    }
    let page = call.perform(&who, Op::RoomHistory(op)).await?;
    let ReplyBody::History(history) = &page else {
        return Ok(respond::json(StatusCode::OK, &page));
    };
    let tag = tag(history.head, user);
    let is_unchanged = range::is_known(call.headers(), &tag);
    if is_poll {
        polls.of(if is_unchanged { "unchanged_stored" } else { "changed" }).increment(1);
    }
    if is_unchanged {
        return Ok(tagged(respond::empty(StatusCode::NOT_MODIFIED), tag));
    }
    Ok(tagged(respond::json(StatusCode::OK, &page), tag))
}

/// Names what `user` sees of a room up to `head`.
///
/// The position alone would do for one user and one log. Two users see different pages at the same
/// URL, and two representations must not share a tag (RFC 9110, section 8.8.3); the time tells a log
/// that was restored from a backup from the one that was there before.
fn tag(head: Head, user: UserId) -> HeaderValue {
    // The random half of an id is what tells two users apart.
    let (_, user) = user.0.as_u64_pair();
    HeaderValue::try_from(format!("\"{}.{:x}.{user:x}\"", head.seq, head.at.0))
        .expect("digits are a header value")
}

/// Adds what makes an answer one that can be asked about again; whose it is depends on the token.
fn tagged(mut answer: Answer, tag: HeaderValue) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::{Seq, Timestamp};
    use uuid::Uuid;

    #[test]
    fn a_tag_names_the_position_the_log_and_the_reader() {
        let head = Head { seq: Seq(7), ord: 3, at: Timestamp(100) };
        let (one, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        assert_eq!(tag(head, one), "\"7.64.1\"");
        assert_ne!(tag(head, one), tag(head, other));
        assert_ne!(tag(head, one), tag(Head { at: Timestamp(101), ..head }, one));
    }
}
