//! What two clients must agree on at a position: an event's content, as hashes.
//!
//! What a message or an edit says has a hash of its own, because a delete takes only that away.

use rookery_protocol::{ClientId, EditBody, Event, EventBody, Mention, MessageBody, Seq, UserId};
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

/// A hash of a [`Content`], or of a message's body: the same on every machine and in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub Uuid);

/// What a message or an edit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Of the body.
    pub body: ContentHash,
    /// Whom it mentions by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<UserId>,
}

impl ContentHash {
    fn of(text: &str) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, text.as_bytes()))
    }
}

impl Content<'_> {
    /// Returns the hash of all but what a message or an edit says; a delete leaves it as it is.
    ///
    /// Taken over the typed content written as JSON: in which codec and in which order of keys it
    /// came does not matter.
    ///
    /// # Panics
    /// Never: what was decoded can be encoded.
    pub fn hash(&self) -> ContentHash {
        let Self { by, client_id, target, reply_to, body } = self;
        let json = match body {
            EventBody::Message(_) | EventBody::Edit(_) | EventBody::Emptied(_) => "{}".to_owned(),
            other => other.to_json().expect("own types can be encoded"),
        };
        ContentHash::of(&format!("{by} {client_id:?} {target:?} {reply_to:?} {} {json}", body.kind()))
    }

    /// Returns what a message or an edit says; `None` for others and once it is taken away.
    pub fn said(&self) -> Option<Said> {
        match self.body {
            EventBody::Message(body) | EventBody::Edit(EditBody { body }) => Some(body.into()),
            _ => None,
        }
    }
}

impl From<&MessageBody> for Said {
    fn from(body: &MessageBody) -> Self {
        let json = serde_json::to_string(body).expect("own types can be encoded");
        let named = |mention: &Mention| if let Mention::User(user) = mention { Some(*user) } else { None };
        Self { body: ContentHash::of(&json), calls: body.mentions.iter().filter_map(named).collect() }
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
