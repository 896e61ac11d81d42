//! What two clients must agree on at a position: an event's content, as a hash.

use rookery_protocol::{ClientId, Event, EventBody, Seq, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Keeps these hashes apart from other version 5 UUIDs; drawn at random once.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0d_94cb_51a7_4f0e_8a35_d3b1_77c0_e21f);

/// The part of an event that its sender decides; the server adds place and time.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// Who.
    pub by: UserId,
    /// The name its sender gave it.
    pub client_id: Option<ClientId>,
    /// What it changes.
    pub target: Option<Seq>,
    /// What it answers.
    pub reply_to: Option<Seq>,
    /// Type and body.
    pub body: &'a EventBody,
}

/// A hash of a [`Content`]: the same on every machine and in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub Uuid);

impl Content<'_> {
    /// Returns its hash.
    ///
    /// Taken over the typed content written as JSON: in which codec and in which order of keys it
    /// came does not matter.
    ///
    /// # Panics
    /// Never: what was decoded can be encoded.
    pub fn hash(&self) -> ContentHash {
        let Self { by, client_id, target, reply_to, body } = self;
        let json = body.to_json().expect("own types can be encoded");
        let canonical = format!("{by} {client_id:?} {target:?} {reply_to:?} {} {json}", body.kind());
        ContentHash(Uuid::new_v5(&NAMESPACE, canonical.as_bytes()))
    }
}

impl<'a> From<&'a Event> for Content<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            by: event.by,
            client_id: event.client_id,
            target: event.target,
            reply_to: event.reply_to,
            body: &event.body,
        }
    }
}
