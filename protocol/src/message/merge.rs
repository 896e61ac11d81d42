//! How a message and the events that change it come together, in whatever order they arrive.

use super::{Message, Reaction};
use crate::event::{Event, EventBody};
use crate::id::{Seq, UserId};

impl Message {
    /// Returns a message or a notice that nothing has changed yet.
    pub fn new(event: Event) -> Self {
        Self {
            event,
            rev: Seq::ZERO,
            edited_at: None,
            deleted: false,
            reactions: Vec::new(),
            pinned: false,
            quoted: None,
        }
    }

    /// Takes over a change of this message, as `reader` sees it. Returns whether it did: what is not
    /// newer than `rev` is in it already, and a change of another message is none of its.
    ///
    /// Changes of one message must be given in their order; that is the order in which a room's
    /// stream has them.
    pub fn merge(&mut self, change: &Event, reader: UserId) -> bool {
        let is_mine = change.room == self.event.room && change.target == Some(self.event.seq);
        if !is_mine || change.seq <= self.rev || !change.body.is_change() {
            return false;
        }
        self.rev = change.seq;
        match &change.body {
            _ if self.deleted => {}
            EventBody::Edit(edit) => {
                self.event.body = EventBody::Message(edit.body.clone());
                self.edited_at = Some(change.at);
            }
            EventBody::Delete(_) => {
                self.event.body = self.event.body.clone().emptied();
                self.edited_at = None;
                self.deleted = true;
                self.pinned = false;
                self.reactions.clear();
                self.quoted = None;
            }
            EventBody::Reaction(reaction) => self.react(&reaction.emoji, reaction.on, change.by == reader),
            EventBody::Pin(pin) => self.pinned = pin.on,
            // An edit of a message that is deleted further on.
            _ => {}
        }
        true
    }

    fn react(&mut self, emoji: &str, on: bool, is_mine: bool) {
        let place = self.reactions.binary_search_by(|reaction| reaction.emoji.as_str().cmp(emoji));
        match (place, on) {
            (Ok(place), true) => {
                self.reactions[place].count += 1;
                self.reactions[place].mine |= is_mine;
            }
            (Err(place), true) => {
                let reaction = Reaction { emoji: emoji.to_owned(), count: 1, mine: is_mine };
                self.reactions.insert(place, reaction);
            }
            (Ok(place), false) => {
                self.reactions[place].count = self.reactions[place].count.saturating_sub(1);
                self.reactions[place].mine &= !is_mine;
                if self.reactions[place].count == 0 {
                    self.reactions.remove(place);
                }
            }
            (Err(_), false) => {}
        }
    }
}
