//! What became of messages, in memory, and the pages that show it.

use super::{MemoryStore, State};
use crate::store::{Answer, Projection, Range};
use rookery_protocol::{
    Event, EventBody, Message, MessageBody, Preview, Reaction, RoomId, Seq, Timestamp, UserId,
};
use std::collections::{BTreeMap, BTreeSet};

/// What became of one message.
#[derive(Debug, Default)]
struct Changed {
    rev: Seq,
    edited: Option<(Timestamp, MessageBody)>,
    is_deleted: bool,
    is_pinned: bool,
    reactions: BTreeMap<String, BTreeSet<UserId>>,
}

#[derive(Debug, Default)]
pub(super) struct MessageTables {
    changed: BTreeMap<(RoomId, Seq), Changed>,
}

impl MessageTables {
    /// Returns the message's changes and notes `rev`, if that is newer than all of them and the
    /// message is not deleted.
    fn newer(&mut self, room: RoomId, target: Seq, rev: Seq) -> Option<&mut Changed> {
        let changed = self.changed.entry((room, target)).or_default();
        if changed.rev >= rev || changed.is_deleted {
            return None;
        }
        changed.rev = rev;
        Some(changed)
    }

    fn is_deleted(&self, room: RoomId, seq: Seq) -> bool {
        self.changed.get(&(room, seq)).is_some_and(|changed| changed.is_deleted)
    }

    /// Returns an entry as it is now.
    fn shown(&self, event: Event, reader: UserId) -> Message {
        let mut message = Message::new(event);
        let Some(changed) = self.changed.get(&(message.event.room, message.event.seq)) else {
            return message;
        };
        message.rev = changed.rev;
        message.deleted = changed.is_deleted;
        message.pinned = changed.is_pinned;
        if let Some((at, body)) = &changed.edited {
            message.edited_at = Some(*at);
            message.event.body = EventBody::Message(body.clone());
        }
        let told = |(emoji, users): (&String, &BTreeSet<UserId>)| Reaction {
            emoji: emoji.clone(),
            count: users.len() as u64,
            mine: users.contains(&reader),
        };
        message.reactions = changed.reactions.iter().map(told).collect();
        message
    }
}

impl State {
    /// Takes over what `projection` says of a message, if it says something of one.
    pub(super) fn project_message(&mut self, room: RoomId, projection: &Projection) {
        match projection {
            Projection::Mention { user, seq } if !self.messages.is_deleted(room, *seq) => {
                self.rooms.mention(room, *user, *seq);
            }
            Projection::Edited { target, rev, at, body } => {
                if let Some(changed) = self.messages.newer(room, *target, *rev) {
                    changed.edited = Some((*at, (**body).clone()));
                    self.rooms.forget_mentions(room, *target);
                }
            }
            Projection::Deleted { target, rev } => {
                if let Some(changed) = self.messages.newer(room, *target, *rev) {
                    *changed = Changed { rev: *rev, is_deleted: true, ..Changed::default() };
                    self.rooms.forget_mentions(room, *target);
                    self.log.empty(room, *target);
                }
            }
            Projection::Reacted { target, rev, user, emoji, on } => {
                if let Some(changed) = self.messages.newer(room, *target, *rev) {
                    let users = changed.reactions.entry(emoji.clone()).or_default();
                    if *on {
                        users.insert(*user);
                    } else {
                        users.remove(user);
                    }
                    changed.reactions.retain(|_, users| !users.is_empty());
                }
            }
            Projection::Pinned { target, rev, on } => {
                if let Some(changed) = self.messages.newer(room, *target, *rev) {
                    changed.is_pinned = *on;
                }
            }
            Projection::Room(_)
            | Projection::Member(_)
            | Projection::Read { .. }
            | Projection::Mention { .. }
            | Projection::Attach { .. }
            | Projection::Notice(_) => {}
        }
    }

    fn shown_in(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Vec<Message> {
        let entries = self.log.entries(room, range, limit);
        entries.into_iter().map(|event| self.messages.shown(event, reader)).collect()
    }

    /// Returns how the newest message begins, if there is one from `joined` on.
    pub(super) fn preview(&self, room: RoomId, joined: Seq) -> Option<Preview> {
        let newest = self.log.newest_message(room).filter(|event| event.seq >= joined)?;
        let by = newest.by;
        Some(Preview { by, text: self.messages.shown(newest, by).event.body.beginning().unwrap_or_default() })
    }
}

impl MemoryStore {
    pub(super) fn page_of(
        &self,
        room: RoomId,
        range: Range,
        limit: usize,
        reader: UserId,
    ) -> Answer<'_, Vec<Message>> {
        self.answer(move |state| Ok(state.shown_in(room, range, limit, reader)))
    }

    pub(super) fn messages_at<'a>(
        &'a self,
        room: RoomId,
        seqs: &'a [Seq],
        reader: UserId,
    ) -> Answer<'a, Vec<Message>> {
        self.answer(move |state| {
            let wanted: BTreeSet<Seq> = seqs.iter().copied().filter(|seq| *seq > Seq::ZERO).collect();
            let one = |seq: Seq| state.shown_in(room, Range::After(Seq(seq.0 - 1)), 1, reader).pop();
            Ok(wanted.into_iter().filter_map(|seq| one(seq).filter(|found| found.event.seq == seq)).collect())
        })
    }
}
