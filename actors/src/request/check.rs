//! What is wrong with an op whatever the room: lengths, counts, kinds.

use rookery_protocol::limits::{ABOUT_CHARS, EMOJI_BYTES, MEMBERS_PER_CALL, PAGE, TITLE_CHARS};
use rookery_protocol::{ErrorCode, RoomKind, UserId, WireError};

/// Says what is wrong with a field.
pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> WireError {
    WireError::new(ErrorCode::Invalid, why).field(field)
}

/// Checks a title: 1 to 128 characters, not only blanks.
pub(super) fn title(title: &str) -> Result<(), WireError> {
    if title.trim().is_empty() || title.chars().count() > TITLE_CHARS {
        return Err(invalid("title", format!("a title has 1 to {TITLE_CHARS} characters")));
    }
    Ok(())
}

/// Checks a description.
pub(super) fn about(about: &str) -> Result<(), WireError> {
    if about.chars().count() > ABOUT_CHARS {
        return Err(invalid("about", format!("a description has at most {ABOUT_CHARS} characters")));
    }
    Ok(())
}

/// Checks a reaction: one word, which an emoji is.
pub(super) fn emoji(emoji: &str) -> Result<(), WireError> {
    let is_word = !emoji.chars().any(|char| char.is_control() || char.is_whitespace());
    if emoji.is_empty() || emoji.len() > EMOJI_BYTES || !is_word {
        return Err(invalid("emoji", format!("an emoji has 1 to {EMOJI_BYTES} bytes and no blanks")));
    }
    Ok(())
}

/// Checks the kind of a room to be created.
pub(super) fn kind(kind: RoomKind) -> Result<(), WireError> {
    match kind {
        RoomKind::Group | RoomKind::Channel => Ok(()),
        RoomKind::Direct | RoomKind::Inbox => Err(invalid("kind", "a created room is a group or a channel")),
    }
}

/// Checks a list of members to add.
pub(super) fn members(users: &[UserId]) -> Result<(), WireError> {
    if users.is_empty() || users.len() > MEMBERS_PER_CALL {
        return Err(invalid("users", format!("name 1 to {MEMBERS_PER_CALL} users")));
    }
    Ok(())
}

/// Returns how many entries a page has.
pub(super) fn limit(asked: Option<u32>, default: usize) -> Result<usize, WireError> {
    match asked.map(|asked| usize::try_from(asked).unwrap_or(usize::MAX)) {
        None => Ok(default),
        Some(limit @ 1..=PAGE) => Ok(limit),
        Some(_) => Err(invalid("limit", format!("a page has 1 to {PAGE} entries"))),
    }
}
