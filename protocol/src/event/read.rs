//! Reading events and messages from one flat map.
//!
//! By hand, because serde's `flatten` forgets that MessagePack is a binary format, in which ids are
//! bytes. `type` must come before `body`, as the server writes them; then nothing is buffered.

use super::emptied::{MaybeEdit, MaybeMessage};
use super::{Event, EventBody};
use crate::message::Message;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor).map(|message| message.event)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor)
    }
}

struct MessageVisitor;

fn body<'de, A: MapAccess<'de>>(kind: Option<&str>, map: &mut A) -> Result<EventBody, A::Error> {
    match kind {
        Some("message") => map.next_value().map(MaybeMessage::into),
        Some("edit") => map.next_value().map(MaybeEdit::into),
        Some("delete") => map.next_value().map(EventBody::Delete),
        Some("reaction") => map.next_value().map(EventBody::Reaction),
        Some("pin") => map.next_value().map(EventBody::Pin),
        Some("member") => map.next_value().map(EventBody::Member),
        Some("room") => map.next_value().map(EventBody::Room),
        Some(other) => Err(A::Error::custom(format_args!("an event has no type `{other}`"))),
        None => Err(A::Error::custom("`type` comes before `body`")),
    }
}

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = Message;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message, A::Error> {
        let (mut room, mut seq, mut ord, mut at, mut by) = (None, None, None, None, None);
        let (mut client_id, mut target, mut reply_to, mut kind, mut content) =
            (None, None, None, None::<String>, None);
        let (mut rev, mut edited_at, mut deleted, mut reactions, mut pinned) = (None, None, None, None, None);
        let mut quoted = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "room" => room = Some(map.next_value()?),
                "seq" => seq = Some(map.next_value()?),
                "ord" => ord = Some(map.next_value()?),
                "at" => at = Some(map.next_value()?),
                "by" => by = Some(map.next_value()?),
                "client_id" => client_id = Some(map.next_value()?),
                "target" => target = Some(map.next_value()?),
                "reply_to" => reply_to = Some(map.next_value()?),
                "type" => kind = Some(map.next_value()?),
                "body" => content = Some(body(kind.as_deref(), &mut map)?),
                "rev" => rev = Some(map.next_value()?),
                "edited_at" => edited_at = Some(map.next_value()?),
                "deleted" => deleted = Some(map.next_value()?),
                "reactions" => reactions = Some(map.next_value()?),
                "pinned" => pinned = Some(map.next_value()?),
                "quoted" => quoted = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let event = Event {
            room: room.ok_or_else(|| A::Error::missing_field("room"))?,
            seq: seq.ok_or_else(|| A::Error::missing_field("seq"))?,
            ord: ord.ok_or_else(|| A::Error::missing_field("ord"))?,
            at: at.ok_or_else(|| A::Error::missing_field("at"))?,
            by: by.ok_or_else(|| A::Error::missing_field("by"))?,
            client_id,
            target,
            reply_to,
            body: content.ok_or_else(|| A::Error::missing_field("body"))?,
        };
        Ok(Message {
            event,
            rev: rev.unwrap_or_default(),
            edited_at,
            deleted: deleted.unwrap_or_default(),
            reactions: reactions.unwrap_or_default(),
            pinned: pinned.unwrap_or_default(),
            quoted,
        })
    }
}
