//! A whole store, record by record, in the order of [`Part::ALL`].

use super::{Asked, Batch, Export, Page, Part, Place, Record};
use crate::limits::BATCH_EVENTS;
use crate::store::StoreError;
use rookery_protocol::{RoomId, Seq};
use std::collections::VecDeque;

/// Records of one page; with the longest ones, which are batches, about 8 MiB.
const PAGE: usize = 256;

/// Reads a store from its first record to its last, a page at a time.
#[derive(Debug)]
pub struct Reading<'a> {
    source: &'a dyn Export,
    /// Parts that are not through yet, the present one first.
    parts: VecDeque<Part>,
    /// Where the present part goes on; of [`Part::Logs`], its list of rooms.
    place: Option<Place>,
    /// Rooms whose logs are still to be read, and how far the first one has been.
    rooms: VecDeque<RoomId>,
    seq: Seq,
    /// The list of rooms has ended.
    is_last: bool,
}

impl<'a> Reading<'a> {
    /// Begins with the first record.
    pub fn of(source: &'a dyn Export) -> Self {
        let (parts, rooms) = (Part::ALL.into_iter().collect(), VecDeque::new());
        Self { source, parts, place: None, rooms, seq: Seq::ZERO, is_last: false }
    }

    /// Returns the next records, all of one part; `None` at the end. A page may be empty.
    ///
    /// # Errors
    /// Those of the store; the same call may be made again.
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        let Some(part) = self.parts.front().copied() else { return Ok(None) };
        if part == Part::Logs {
            return self.log().await.map(Some);
        }
        let Page { items, next } = self.source.rows(part, self.place.clone(), PAGE).await?;
        self.place = next;
        if self.place.is_none() {
            self.parts.pop_front();
        }
        Ok(Some(items))
    }

    /// Reads the next batch, or the next rooms where the ones known are through.
    async fn log(&mut self) -> Result<Vec<Record>, StoreError> {
        let Some(room) = self.rooms.front().copied() else {
            if self.is_last {
                self.parts.pop_front();
                self.place = None;
                return Ok(Vec::new());
            }
            let Page { items, next } = self.source.rooms(self.place.clone(), PAGE).await?;
            self.rooms.extend(items);
            self.is_last = next.is_none();
            self.place = next;
            return Ok(Vec::new());
        };
        let events = self.source.events(room, self.seq, BATCH_EVENTS).await?;
        if events.is_empty() {
            self.rooms.pop_front();
            self.seq = Seq::ZERO;
            return Ok(Vec::new());
        }
        let events = Batch::cut(events);
        let asked = Asked::about(&events);
        let implied = if asked.is_empty() { Vec::new() } else { self.source.implied(room, &asked).await? };
        let batch = Batch::new(room, events, implied);
        self.seq = batch.newest();
        Ok(vec![Record::Batch(batch)])
    }
}

/// Returns whether a store keeps nothing that could be transferred.
///
/// # Errors
/// Those of the store.
pub async fn is_empty(source: &dyn Export) -> Result<bool, StoreError> {
    let mut reading = Reading::of(source);
    while let Some(records) = reading.next().await? {
        if !records.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}
