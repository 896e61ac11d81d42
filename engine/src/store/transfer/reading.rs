//! A whole store, record by record.

use super::{Asked, Batch, Export, Page, Part, Place, Record};
use crate::limits::BATCH_EVENTS;
use crate::store::StoreError;
use rookery_protocol::{Event, EventBody, FileId, RoomId, Seq};
use std::collections::VecDeque;

/// Records of one page; with the longest ones, which are batches, about 8 MiB.
const PAGE: usize = 256;

/// Every part, in the order in which they are read.
///
/// What refers to something is read before it, so that it is there in whatever comes meanwhile: cursors and
/// notices before the logs that they are of, everything before the accounts. Only what has to be written
/// before what refers to it comes first, and [`Export::late`] says what came after it.
const ORDER: [Part; Part::ALL.len()] = [
    Part::Files,
    Part::Avatars,
    Part::Cursors,
    Part::Settings,
    Part::Notices,
    Part::Blocks,
    Part::Invites,
    Part::InviteUses,
    Part::LastSeen,
    Part::SignIns,
    Part::Docket,
    Part::Sessions,
    Part::RefreshTokens,
    Part::Logs,
    Part::Accounts,
    Part::KeptHandles,
];

/// Reads a store from its first record to its last, a page at a time.
///
/// Where the store is being written to meanwhile, and its answers are not of one moment, each log is as it was
/// at one moment after this had begun, and nothing else refers to what is not there.
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
        let (parts, rooms) = (ORDER.into_iter().collect(), VecDeque::new());
        Self { source, parts, place: None, rooms, seq: Seq::ZERO, is_last: false }
    }

    /// Returns the next records, all of one part, after the files that came late for them; `None` at the end.
    /// A page may be empty.
    ///
    /// # Errors
    /// Those of the store; the same call may be made again.
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        let Some(part) = self.parts.front().copied() else { return Ok(None) };
        if part == Part::Logs {
            return self.log().await.map(Some);
        }
        let Page { items, next } = self.source.rows(part, self.place.clone(), PAGE).await?;
        let files = items.iter().filter_map(picture).collect();
        let Some(records) = self.late(files).await? else { return Ok(Some(Vec::new())) };
        self.place = next;
        if self.place.is_none() {
            self.parts.pop_front();
        }
        Ok(Some(records.into_iter().chain(items).collect()))
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
        let found = events.len();
        if events.is_empty() {
            self.next_room();
            return Ok(Vec::new());
        }
        let events = Batch::cut(events);
        let is_end = events.len() == found && found < BATCH_EVENTS;
        let asked = Asked::about(&events);
        let implied = if asked.is_empty() { Vec::new() } else { self.source.implied(room, &asked).await? };
        let batch = Batch::new(room, events, implied);
        if is_end && self.is_changed(room, batch.newest()).await? {
            return Ok(Vec::new());
        }
        let Some(mut records) = self.late(batch.files().collect()).await? else { return Ok(Vec::new()) };
        if is_end {
            self.next_room();
        } else {
            self.seq = batch.newest();
        }
        records.push(Record::Batch(batch));
        Ok(records)
    }

    /// Returns whether something after `end` may have changed what was read of the log up to there.
    ///
    /// What a later event has changed already (content that is gone, a membership) is told with that one. A
    /// log that ends before it would not tell it at all, so its last batch is read once more, with what has
    /// come. A room where that comes faster than it is read is never through.
    async fn is_changed(&self, room: RoomId, end: Seq) -> Result<bool, StoreError> {
        let since = self.source.events(room, end, BATCH_EVENTS).await?;
        let changes_nothing = |event: &Event| {
            matches!(event.body, EventBody::Message(_) | EventBody::Reaction(_) | EventBody::Pin(_))
        };
        Ok(since.len() >= BATCH_EVENTS || !since.iter().all(changes_nothing))
    }

    fn next_room(&mut self) {
        self.rooms.pop_front();
        self.seq = Seq::ZERO;
    }

    async fn late(&self, files: Vec<FileId>) -> Result<Option<Vec<Record>>, StoreError> {
        if files.is_empty() { Ok(Some(Vec::new())) } else { self.source.late(files).await }
    }
}

const fn picture(record: &Record) -> Option<FileId> {
    match record {
        Record::Avatar { file, .. } => Some(*file),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read_once() {
        let mut parts = ORDER;
        parts.sort_unstable();
        assert_eq!(parts, Part::ALL);
    }
}
