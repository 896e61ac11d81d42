//! The search port in its plainest form: it reads whole rooms through the store port, so it is never
//! behind and costs as much as there is. It is the model that indexes are compared with, and what
//! tests run over any store; no server uses it.

use super::{Hit, Hits, Search, SearchError, SearchProgress, SearchQuery};
use crate::store::{Answer, Range, Store, StoreError};
use rookery_protocol::{Event, EventBody, MessageBody, RoomId, Seq, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows that are read at a time.
const ROWS: usize = 500;

/// A search without an index, over any store.
#[derive(Clone, Debug)]
pub struct ScanSearch {
    store: Arc<dyn Store>,
}

/// What hits are ordered by, newest first.
type Place = (Timestamp, RoomId, Seq);

impl ScanSearch {
    /// Returns a search over what `store` holds.
    pub fn over(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    async fn run(&self, query: SearchQuery) -> Result<Hits, SearchError> {
        let before =
            query.cursor.as_deref().map(|text| parse(text).ok_or(SearchError::Cursor)).transpose()?;
        let mut found: Vec<Place> = Vec::new();
        for (room, joined) in self.rooms(&query).await? {
            for (seq, (event, body)) in self.messages(room).await? {
                let is_wanted = seq >= joined
                    && query.from.is_none_or(|from| event.by == from)
                    && query.before.is_none_or(|before| event.at < before)
                    && query.kind.as_ref().is_none_or(|kind| body.kind == *kind)
                    && query.terms.matches(&body);
                found.extend(is_wanted.then_some((event.at, room, seq)));
            }
        }
        found.retain(|place| before.is_none_or(|before| *place < before));
        found.sort_by_key(|place| Reverse(*place));
        let has_more = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().filter(|_| has_more).map(|(at, room, seq)| format!("{}.{room}.{seq}", at.0));
        Ok(Hits { hits: found.into_iter().map(|(_, room, seq)| Hit { room, seq }).collect(), next })
    }

    /// Returns the rooms that the user may search, each with where it joined.
    async fn rooms(&self, query: &SearchQuery) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        if let Some(room) = query.room {
            let state = self.store.room_state(room, query.user).await?;
            return Ok(state.map(|state| (room, state.membership.joined)).into_iter().collect());
        }
        let (mut rooms, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.store.rooms_of(query.user, cursor, ROWS).await?;
            let Some(last) = page.last() else { return Ok(rooms) };
            cursor = Some(crate::store::RoomsCursor { at: last.head.at, room: last.record.room });
            rooms.extend(page.iter().map(|state| (state.record.room, state.membership.joined)));
        }
    }

    /// Returns the messages of a room as they are now: each event with its present body.
    async fn messages(&self, room: RoomId) -> Result<BTreeMap<Seq, (Event, MessageBody)>, StoreError> {
        let (mut messages, mut after) = (BTreeMap::new(), Seq::ZERO);
        loop {
            let page = self.store.read(room, Range::After(after), ROWS).await?;
            let Some(last) = page.last() else { return Ok(messages) };
            after = last.seq;
            for event in page {
                match (event.body.clone(), event.target) {
                    (EventBody::Message(body), _) => {
                        messages.insert(event.seq, (event, body));
                    }
                    (EventBody::Edit(edit), Some(target)) => {
                        if let Some((_, body)) = messages.get_mut(&target) {
                            *body = edit.body;
                        }
                    }
                    (EventBody::Delete(_), Some(target)) => {
                        messages.remove(&target);
                    }
                    _ => {}
                }
            }
        }
    }
}

fn parse(cursor: &str) -> Option<Place> {
    let mut parts = cursor.split('.');
    let place = (
        Timestamp(parts.next()?.parse().ok()?),
        parts.next()?.parse().ok()?,
        Seq(parts.next()?.parse().ok()?),
    );
    parts.next().is_none().then_some(place)
}

impl Search for ScanSearch {
    fn search(&self, query: SearchQuery) -> Answer<'_, Hits, SearchError> {
        Box::pin(self.run(query))
    }

    fn progress(&self) -> SearchProgress {
        SearchProgress::default()
    }
}
