//! `message.search`: messages of one's own rooms, by their words.

use super::{check, unread};
use crate::node::Node;
use crate::room::no_such_room;
use rookery_engine::limits::PAGE_BYTES;
use rookery_engine::search::{Hit, SearchError, SearchQuery, Terms};
use rookery_engine::store::StoreError;
use rookery_protocol::{
    ErrorCode, EventBody, Found, Message, MessageSearch, ReplyBody, User, UserId, WireError,
};
use std::sync::Arc;

/// Messages of a page when the client does not say how many.
const DEFAULT_PAGE: usize = 20;

/// Bytes of a cursor; what any index gives is shorter.
const CURSOR_BYTES: usize = 128;

/// Answers `message.search`.
///
/// # Errors
/// `invalid` for the query, the kind, the limit or the cursor; `too_large` for a query that matches too
/// much to be read; `not_found` for a room that the user is no member of; `busy` where the index lags.
pub(super) async fn search(
    node: &Arc<Node>,
    user: &User,
    asked: MessageSearch,
) -> Result<ReplyBody, WireError> {
    let begun = node.clock().elapsed();
    let room = asked.room;
    let query = query(user, asked)?;
    if let Some(room) = room {
        let state = node.store().room_state(room, user.id).await.map_err(unread)?;
        state.ok_or_else(|| no_such_room(room))?;
    }
    let found = page(node, query).await?;
    node.metrics().search.seconds.record((node.clock().elapsed().saturating_sub(begun)).as_secs_f64());
    Ok(found.into())
}

/// Searches, and once more for fewer where that many do not fit in a page, so that the cursor is where
/// the page ends.
async fn page(node: &Node, mut query: SearchQuery) -> Result<Found, WireError> {
    loop {
        let found = node.search().search(query.clone()).await.map_err(refused)?;
        let messages = load(node, query.user, found.hits).await.map_err(unread)?;
        match fitting(&messages) {
            fits if fits < messages.len() => query.limit = fits,
            _ => return Ok(Found { messages, next: found.next }),
        }
    }
}

/// Returns how many of the messages fit in a page, at least one.
fn fitting(messages: &[Message]) -> usize {
    let mut bytes = 0;
    let fits = messages.iter().take_while(|message| {
        bytes += message.event.body.text_bytes();
        bytes <= PAGE_BYTES
    });
    fits.count().max(1)
}

/// Checks what is asked for.
fn query(user: &User, asked: MessageSearch) -> Result<SearchQuery, WireError> {
    let invalid = |field: &'static str, why: String| WireError::new(ErrorCode::Invalid, why).field(field);
    let terms = Terms::parse(&asked.query).map_err(|error| invalid("query", error.to_string()))?;
    let kind = asked.kind.map(|kind| kind.parse()).transpose();
    if asked.cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_BYTES) {
        return Err(bad_cursor());
    }
    Ok(SearchQuery {
        user: user.id,
        terms,
        room: asked.room,
        from: asked.from,
        before: asked.before,
        kind: kind.map_err(|error: rookery_protocol::UnknownBodyKind| invalid("kind", error.to_string()))?,
        limit: check::limit(asked.limit, DEFAULT_PAGE)?,
        cursor: asked.cursor,
    })
}

fn bad_cursor() -> WireError {
    WireError::new(ErrorCode::Invalid, "not a cursor of this search").field("cursor")
}

fn refused(error: SearchError) -> WireError {
    match error {
        SearchError::Cursor => bad_cursor(),
        SearchError::TooWide => {
            let why = "more matches than one search may read: add a word or name a room";
            WireError::new(ErrorCode::TooLarge, why).field("query")
        }
        SearchError::Behind => {
            tracing::warn!("the search index lags");
            WireError::new(ErrorCode::Busy, "the search index is catching up").retry_after(1000)
        }
        SearchError::Store(error) => unread(error),
    }
}

/// Reads what was found as it is now; what was deleted meanwhile is left out.
async fn load(node: &Node, reader: UserId, hits: Vec<Hit>) -> Result<Vec<Message>, StoreError> {
    let mut messages = Vec::with_capacity(hits.len());
    for Hit { room, seq } in hits {
        let found = node.store().messages(room, &[seq], reader).await?;
        let is_message = |message: &Message| matches!(message.event.body, EventBody::Message(_));
        messages.extend(found.into_iter().filter(is_message));
    }
    Ok(messages)
}
