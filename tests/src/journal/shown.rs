//! What a client is shown of a room's present: entries of pages, and how far members have come.

use super::Sighting;
use rookery_protocol::{Message, Reaction, RoomId, Seq, Timestamp};
use serde::{Deserialize, Serialize};

/// An entry of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The event; of a message, what it says at that moment.
    #[serde(flatten)]
    pub seen: Sighting,
    /// When the page was asked for.
    pub asked: u64,
    /// The room's head, as the page says.
    pub head: Seq,
    /// Position of the last change.
    pub rev: Seq,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Whether its content is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Whether it is pinned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// In the order of the page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// The message that it answers, where the page shows something of what that says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<Seq>,
}

impl Shown {
    /// Notes an entry of a page that was asked for at `asked` and says that `head` is the newest position.
    pub fn new(message: &Message, asked: u64, head: Seq) -> Self {
        let is_telling = message.quoted.as_ref().is_some_and(|quoted| {
            quoted.text.as_ref().is_some_and(|text| !text.is_empty()) || quoted.kind.is_some()
        });
        Self {
            seen: Sighting::from(&message.event),
            asked,
            head,
            rev: message.rev,
            edited_at: message.edited_at,
            deleted: message.deleted,
            pinned: message.pinned,
            reactions: message.reactions.clone(),
            quotes: message.event.reply_to.filter(|_| is_telling),
        }
    }
}

/// Which cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cursor {
    /// How far somebody has read.
    Read,
    /// How far messages have arrived.
    Delivered,
}

/// How far a user has come, as the server told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where.
    pub room: RoomId,
    /// When it was asked for; `None` when it was told unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    /// The room's head at that moment, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Seq>,
    /// The mark that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<(Cursor, Seq)>,
    /// Where it has read to, with what is unread after that and how much of it mentions the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<(Seq, u64, u64)>,
    /// What has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Seq>,
}
