//! Logs in memory: one vector of events a room, position `n` at index `n - 1`.

use super::{MemoryStore, State};
use crate::store::{Answer, Append, AppendError, Log, Projection, Range, Receipt};
use rookery_protocol::{ClientId, Event, EventBody, Head, Message, RoomId, Seq, UserId};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct LogTables {
    pub(super) events: BTreeMap<RoomId, Vec<Event>>,
    named: BTreeMap<(RoomId, UserId, ClientId), Receipt>,
}

impl LogTables {
    pub(super) fn head(&self, room: RoomId) -> Option<Head> {
        let newest = self.events.get(&room)?.last()?;
        Some(Head { seq: newest.seq, ord: newest.ord, at: newest.at })
    }

    fn append(&mut self, append: &Append) -> Result<(), AppendError> {
        append.check()?;
        let head = self.head(append.room).map_or(Seq::ZERO, |head| head.seq);
        if head != append.expected {
            return Err(AppendError::Stale { expected: append.expected, head });
        }
        let mut named = BTreeMap::new();
        for event in append.events.iter() {
            let Some(client_id) = event.client_id else { continue };
            let name = (event.room, event.by, client_id);
            let receipt = Receipt { seq: event.seq, ord: event.ord, at: event.at };
            if self.named.contains_key(&name) || named.insert(name, receipt).is_some() {
                return Err(AppendError::Duplicate { by: event.by, client_id });
            }
        }
        self.named.append(&mut named);
        self.events.entry(append.room).or_default().extend_from_slice(&append.events);
        Ok(())
    }

    /// Takes the content of the message at `target` away, and that of its edits.
    pub(super) fn empty(&mut self, room: RoomId, target: Seq) {
        for event in self.events.get_mut(&room).into_iter().flatten() {
            let is_emptied = match event.body {
                EventBody::Message(_) => event.seq == target,
                EventBody::Edit(_) => event.target == Some(target),
                _ => false,
            };
            if is_emptied {
                event.body = event.body.clone().emptied();
            }
        }
    }

    /// Returns the messages up to `seq`.
    pub(super) fn ord(&self, room: RoomId, seq: Seq) -> u64 {
        self.read(room, Range::Before(seq.next()), 1).pop().map_or(0, |event| event.ord)
    }

    /// Returns the newest message event.
    pub(super) fn newest_message(&self, room: RoomId) -> Option<Event> {
        let is_message = |event: &&Event| event.body.kind() == "message";
        self.events.get(&room)?.iter().rev().find(is_message).cloned()
    }

    /// Reads what is an entry of a page.
    pub(super) fn entries(&self, room: RoomId, range: Range, limit: usize) -> Vec<Event> {
        let mut entries = self.read(room, range, usize::MAX);
        entries.retain(|event| !event.body.is_change());
        match range {
            Range::After(_) => entries.truncate(limit),
            Range::Before(_) => drop(entries.drain(..entries.len().saturating_sub(limit))),
        }
        entries
    }

    pub(super) fn read(&self, room: RoomId, range: Range, limit: usize) -> Vec<Event> {
        let events = self.events.get(&room).map_or(&[][..], Vec::as_slice);
        let index = |seq: u64| usize::try_from(seq).map_or(events.len(), |index| index.min(events.len()));
        let (from, to) = match range {
            Range::After(seq) => (index(seq.0), index(seq.0).saturating_add(limit).min(events.len())),
            Range::Before(seq) => {
                let end = index(seq.0.saturating_sub(1));
                (end.saturating_sub(limit), end)
            }
        };
        events[from..to].to_vec()
    }
}

impl State {
    pub(super) fn append(&mut self, append: &Append) -> Result<(), AppendError> {
        self.log.append(append)?;
        for projection in append.projections.iter() {
            if let Projection::Notice(notice) = projection {
                self.notices.entry(notice.key()).or_insert(*notice);
            }
            self.project_message(append.room, projection);
            self.rooms.project(append.room, projection);
            self.files.project(append.room, projection);
        }
        Ok(())
    }
}

impl Log for MemoryStore {
    fn append(&self, append: Append) -> Answer<'_, (), AppendError> {
        self.answer(move |state| state.append(&append))
    }

    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>> {
        self.answer(move |state| Ok(state.log.read(room, range, limit)))
    }

    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>> {
        self.page_of(room, range, limit, reader)
    }

    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>> {
        self.messages_at(room, seqs, reader)
    }

    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        self.answer(move |state| Ok(state.log.named.get(&(room, by, client_id)).copied()))
    }

    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>> {
        self.answer(move |state| Ok(state.log.head(room)))
    }
}
