//! From what a script says is done to the command for it.

use super::mix::Deed;
use rookery_client::ClientIds;
use rookery_protocol::{
    DeliveredMark, Mention, MessageBody, MessageDelete, MessageEdit, Op, PinSet, ReactionSet, ReadMark,
    RoomHistory, RoomId, Seq, TypingSet, UserId,
};

/// Entries of a page that is looked at.
const PAGE: u32 = 20;

/// Returns the command that does `deed` to the message at `target`; `users` are those of the script.
pub(crate) fn command(
    deed: &Deed,
    (room, target): (RoomId, Seq),
    users: &[UserId],
    ids: &mut ClientIds,
) -> Op {
    match deed {
        Deed::Edit { text, mentions } => {
            let mut body = MessageBody::text(text.as_str());
            body.mentions = mentions.iter().map(|user| Mention::User(users[*user])).collect();
            let client_id = ids.make();
            MessageEdit { room, client_id, target, body, rev: None }.into()
        }
        Deed::Delete => MessageDelete { room, client_id: ids.make(), target }.into(),
        Deed::React { emoji, on } => {
            let emoji = (*emoji).to_owned();
            ReactionSet { room, client_id: ids.make(), target, emoji, on: *on }.into()
        }
        Deed::Pin { on } => PinSet { room, client_id: ids.make(), target, on: *on }.into(),
        Deed::Read => ReadMark { room, seq: target }.into(),
        Deed::Delivered => DeliveredMark { room, seq: target }.into(),
        Deed::Type => TypingSet { room, on: true, kind: None }.into(),
        Deed::Look => {
            RoomHistory { room, before: None, after: None, around: Some(target), limit: Some(PAGE) }.into()
        }
    }
}
