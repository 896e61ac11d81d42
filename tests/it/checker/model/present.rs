//! What the modelled server keeps of the present: messages as they are, and how far members have come.

use super::sighting_of;
use rookery_protocol::{Reaction, RoomId, Seq, Timestamp, UserId};
use rookery_tests::journal::{Cursor, Logged, LoggedKind, Said, Shown, Sighting};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct Present {
    messages: HashMap<Seq, Message>,
    read: HashMap<UserId, Seq>,
    delivered: HashMap<UserId, Seq>,
}

#[derive(Debug, Default)]
struct Message {
    rev: Seq,
    said: Option<Said>,
    edited_at: Option<Timestamp>,
    deleted: bool,
    pinned: bool,
    reactions: BTreeMap<String, Vec<UserId>>,
}

impl Present {
    /// Takes over an event that was just written.
    pub(super) fn take(&mut self, event: &Logged) {
        match &event.kind {
            LoggedKind::Message => {
                self.messages.insert(event.seq, Message { said: event.said.clone(), ..Message::default() });
                self.read.insert(event.by, event.seq);
            }
            LoggedKind::Added { user } => drop(self.read.insert(*user, event.seq)),
            _ => {}
        }
        let Some(message) = event.kind.target().and_then(|target| self.messages.get_mut(&target)) else {
            return;
        };
        message.rev = event.seq;
        match &event.kind {
            LoggedKind::Edit { .. } => {
                message.said.clone_from(&event.said);
                message.edited_at = Some(event.at);
            }
            LoggedKind::Delete { .. } => {
                *message = Message { rev: event.seq, deleted: true, ..Message::default() };
            }
            LoggedKind::Reaction { emoji, on, .. } => {
                let users = message.reactions.entry(emoji.clone()).or_default();
                if *on {
                    users.push(event.by);
                } else {
                    users.retain(|user| *user != event.by);
                }
                message.reactions.retain(|_, users| !users.is_empty());
            }
            LoggedKind::Pin { on, .. } => message.pinned = *on,
            _ => {}
        }
    }

    pub(super) fn is_deleted(&self, target: Seq) -> bool {
        self.messages[&target].deleted
    }

    /// Whether a reaction or a pin would change nothing.
    pub(super) fn is_so(&self, by: UserId, kind: &LoggedKind) -> bool {
        match kind {
            LoggedKind::Reaction { target, emoji, on } => {
                let users = self.messages[target].reactions.get(emoji);
                users.is_some_and(|users| users.contains(&by)) == *on
            }
            LoggedKind::Pin { target, on } => self.messages[target].pinned == *on,
            _ => false,
        }
    }

    /// Moves a cursor forward, and returns where it is then.
    pub(super) fn mark(&mut self, user: UserId, cursor: Cursor, seq: Seq) -> Seq {
        let (read, _) = self.cursors(user);
        let (line, floor) = match cursor {
            Cursor::Read => (&mut self.read, Seq::ZERO),
            Cursor::Delivered => (&mut self.delivered, read),
        };
        let place = line.entry(user).or_default();
        *place = seq.max(*place);
        floor.max(*place)
    }

    /// Returns how far a user has read, and what has arrived.
    pub(super) fn cursors(&self, user: UserId) -> (Seq, Seq) {
        let of = |line: &HashMap<UserId, Seq>| line.get(&user).copied().unwrap_or_default();
        (of(&self.read), of(&self.delivered).max(of(&self.read)))
    }

    /// Returns a position with what is unread after it, and how much of that mentions `user`.
    pub(super) fn counts(&self, events: &[Logged], user: UserId, read: Seq) -> (Seq, u64, u64) {
        let is_unread = |event: &&Logged| event.kind == LoggedKind::Message && event.seq > read;
        let unread: Vec<&Logged> = events.iter().filter(is_unread).collect();
        let is_called = |event: &&&Logged| {
            let said = self.messages[&event.seq].said.as_ref();
            said.is_some_and(|said| said.calls.contains(&user))
        };
        (read, unread.len() as u64, unread.iter().filter(is_called).count() as u64)
    }

    /// Returns an entry of a page.
    pub(super) fn shown(
        &self,
        (room, event): (RoomId, &Logged),
        reader: UserId,
        (asked, head): (u64, Seq),
    ) -> Shown {
        let none = Message::default();
        let message = self.messages.get(&event.seq).unwrap_or(&none);
        let count = |(emoji, users): (&String, &Vec<UserId>)| Reaction {
            emoji: emoji.clone(),
            count: users.len() as u64,
            mine: users.contains(&reader),
        };
        Shown {
            seen: Sighting { body: message.said.as_ref().map(|said| said.body), ..sighting_of(room, event) },
            asked,
            head,
            rev: message.rev,
            edited_at: message.edited_at,
            deleted: message.deleted,
            pinned: message.pinned,
            reactions: message.reactions.iter().map(count).collect(),
            quotes: None,
        }
    }
}
