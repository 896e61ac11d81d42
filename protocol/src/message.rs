//! Messages: what somebody said, and what became of it since (PROTOCOL section 2).

mod merge;

use crate::body_kind::BodyKind;
use crate::bounded;
use crate::code::{ErrorCode, WireError};
use crate::event::Event;
use crate::id::{FileId, Seq, Timestamp, UserId};
use crate::limits::{ATTACHMENTS, MENTIONS, SAFE_INTEGER, TEXT_BYTES};
use crate::mention::Mention;
use crate::meta::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageBody {
    /// How it is to be shown.
    pub kind: BodyKind,
    /// The text, at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who is to be notified, at most 50.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, MENTIONS>",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 50))]
    pub mentions: Vec<Mention>,
    /// Files, at most 20.
    #[serde(default, deserialize_with = "attachments", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub attachments: Vec<Attachment>,
    /// What the application adds, at most 4 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl MessageBody {
    /// Returns a body of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            kind: BodyKind::Text,
            text: Some(text.into()),
            mentions: Vec::new(),
            attachments: Vec::new(),
            meta: None,
        }
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// `invalid`, or `too_large` for the text, naming the field.
    pub fn check(&self) -> Result<(), WireError> {
        let refuse = |code, field: &str, why: String| Err(WireError::new(code, why).field(field));
        let text = self.text.as_deref().unwrap_or_default();
        if text.trim().is_empty() && self.attachments.is_empty() {
            let why = "a message has a text or an attachment".to_owned();
            return refuse(ErrorCode::Invalid, "body.text", why);
        }
        if text.len() > TEXT_BYTES {
            return refuse(
                ErrorCode::TooLarge,
                "body.text",
                format!("a text has at most {TEXT_BYTES} bytes"),
            );
        }
        let is_exact = |number: u64| number <= SAFE_INTEGER;
        let is_fine = |file: &Attachment| is_exact(file.size) && file.duration_ms.is_none_or(is_exact);
        if !self.attachments.iter().all(is_fine) {
            return refuse(ErrorCode::Invalid, "body.attachments", "a number of 2^53 or above".to_owned());
        }
        Ok(())
    }

    /// Returns about how many bytes the body takes encoded.
    pub fn weight(&self) -> usize {
        /// What an attachment takes besides its strings.
        const ATTACHMENT: usize = 160;
        /// What a mention takes as text.
        const MENTION: usize = 40;
        let attachments: usize = self
            .attachments
            .iter()
            .map(|file| {
                ATTACHMENT + file.name.len() + file.mime.len() + file.thumb.as_ref().map_or(0, String::len)
            })
            .sum();
        self.text.as_ref().map_or(0, String::len)
            + self.meta.as_ref().map_or(0, |meta| meta.as_json().len())
            + self.mentions.len() * MENTION
            + attachments
    }
}

/// A file that belongs to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Attachment {
    /// Which file.
    pub id: FileId,
    /// Its name, for people.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// Bytes.
    pub size: u64,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Where a small picture of it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
}

/// Reads attachments, each from an object.
fn attachments<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Attachment>, D::Error> {
    #[derive(Deserialize)]
    struct Element(#[serde(deserialize_with = "bounded::object")] Attachment);
    let elements = bounded::list::<D, Element, ATTACHMENTS>(deserializer)?;
    Ok(elements.into_iter().map(|element| element.0).collect())
}

/// The state of one message as pages give it: its event and what happened to it since.
///
/// **Shape**: one object with the event's fields and these.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Message {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Position of the last change, 0 if none.
    pub rev: Seq,
    /// When the text was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// The content is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// One entry a kind, in the order of their bytes.
    pub reactions: Vec<Reaction>,
    /// Kept at the top of the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// What `reply_to` says now, where the reader may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quoted>,
}

/// The beginning of the message that another one answers, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Quoted {
    /// Whose.
    pub by: UserId,
    /// How it begins: at most 140 characters; absent where it has no text, or none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How it is shown; absent once its content is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<BodyKind>,
    /// Its content is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// How often one emoji was set on a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// By how many.
    pub count: u64,
    /// By the reader of this page.
    pub mine: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn file(size: u64) -> Attachment {
        Attachment {
            id: FileId(Uuid::nil()),
            name: "a".to_owned(),
            mime: "image/png".to_owned(),
            size,
            width: None,
            height: None,
            duration_ms: None,
            thumb: None,
        }
    }

    #[test]
    fn a_message_has_a_text_within_the_limit_or_an_attachment() {
        let with = |text: &str, files: Vec<Attachment>| MessageBody {
            attachments: files,
            ..MessageBody::text(text)
        };
        let outcome = |body: MessageBody| body.check().map_err(|error| error.code);
        assert_eq!(outcome(with("hi", vec![])), Ok(()));
        assert_eq!(outcome(with(&"a".repeat(TEXT_BYTES), vec![])), Ok(()));
        assert_eq!(outcome(with(" \n", vec![file(1)])), Ok(()));
        assert_eq!(outcome(with(" \n", vec![])), Err(ErrorCode::Invalid));
        assert_eq!(outcome(MessageBody { text: None, ..with("", vec![]) }), Err(ErrorCode::Invalid));
        assert_eq!(outcome(with(&"é".repeat(TEXT_BYTES / 2 + 1), vec![])), Err(ErrorCode::TooLarge));
        assert_eq!(outcome(with("hi", vec![file(SAFE_INTEGER + 1)])), Err(ErrorCode::Invalid));
    }
}
