//! Writing events and messages as one flat map.
//!
//! By hand, because serde's `flatten` writes maps of unknown length, which MessagePack has to
//! buffer.

use super::{Event, EventBody};
use crate::message::Message;
use crate::reply::Empty;
use serde::ser::{Serialize, SerializeMap, Serializer};

impl Event {
    fn fields(&self) -> usize {
        7 + [self.client_id.is_some(), self.target.is_some(), self.reply_to.is_some()]
            .into_iter()
            .filter(|is_there| *is_there)
            .count()
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("room", &self.room)?;
        map.serialize_entry("seq", &self.seq)?;
        map.serialize_entry("ord", &self.ord)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("by", &self.by)?;
        if let Some(client_id) = &self.client_id {
            map.serialize_entry("client_id", client_id)?;
        }
        if let Some(target) = &self.target {
            map.serialize_entry("target", target)?;
        }
        if let Some(reply_to) = &self.reply_to {
            map.serialize_entry("reply_to", reply_to)?;
        }
        map.serialize_entry("type", self.body.kind())?;
        match &self.body {
            EventBody::Message(body) => map.serialize_entry("body", body),
            EventBody::Edit(body) => map.serialize_entry("body", body),
            EventBody::Delete(body) => map.serialize_entry("body", body),
            EventBody::Reaction(body) => map.serialize_entry("body", body),
            EventBody::Pin(body) => map.serialize_entry("body", body),
            EventBody::Member(body) => map.serialize_entry("body", body),
            EventBody::Room(body) => map.serialize_entry("body", body),
            EventBody::Emptied(_) => map.serialize_entry("body", &Empty {}),
        }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields()))?;
        self.write(&mut map)?;
        map.end()
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let more = [self.edited_at.is_some(), self.deleted, self.pinned, self.quoted.is_some()]
            .into_iter()
            .filter(|is_there| *is_there)
            .count();
        let mut map = serializer.serialize_map(Some(self.event.fields() + 2 + more))?;
        self.event.write(&mut map)?;
        map.serialize_entry("rev", &self.rev)?;
        if let Some(edited_at) = &self.edited_at {
            map.serialize_entry("edited_at", edited_at)?;
        }
        if self.deleted {
            map.serialize_entry("deleted", &true)?;
        }
        map.serialize_entry("reactions", &self.reactions)?;
        if self.pinned {
            map.serialize_entry("pinned", &true)?;
        }
        if let Some(quoted) = &self.quoted {
            map.serialize_entry("quoted", quoted)?;
        }
        map.end()
    }
}
