//! Pictures of users and rooms: which files may be one, and how a room comes to keep its own.

use super::attachments::thumb_url;
use super::write::written;
use super::{check, unread};
use crate::node::Node;
use rookery_engine::store::AvatarOf;
use rookery_protocol::{ErrorCode, FileId, RoomId, RoomUpdate, UserId, WireError};

/// How often it is looked whether a room keeps the file that it names: each time more is another change of the picture
/// by another server meanwhile.
const LOOKS: usize = 8;

/// Checks that a file may be a picture that `user` sets: one that it can read and that is a picture. The nil id takes
/// the picture away.
pub(super) async fn may_be_avatar(node: &Node, user: UserId, file: FileId) -> Result<(), WireError> {
    if file.0.is_nil() {
        return Ok(());
    }
    let found = node.store().readable_files(user, &[file], node.clock().now()).await.map_err(unread)?;
    let content = found.into_iter().next().and_then(|record| record.content);
    match content {
        Some(content) if content.thumb.is_some() => Ok(()),
        Some(_) => Err(check::invalid("avatar", "the file is no picture")),
        None => Err(no_such_file()),
    }
}

/// What is told of a file that is not there, or not for whoever asks.
pub(super) fn no_such_file() -> WireError {
    WireError::new(ErrorCode::NotFound, "there is no such file for you").field("avatar")
}

/// Checks the picture of a change of a room, and has it say where the small picture is, in one form whatever the client
/// wrote; or nothing, where the picture is taken away.
pub(super) async fn resolve(node: &Node, user: UserId, update: &mut RoomUpdate) -> Result<(), WireError> {
    let Some(said) = &update.avatar else { return Ok(()) };
    let file = named(said).ok_or_else(|| check::invalid("avatar", "a picture is a file here: its id"))?;
    may_be_avatar(node, user, file).await?;
    update.avatar = Some(if file.0.is_nil() { String::new() } else { thumb_url(file) });
    Ok(())
}

/// Has the file kept that a room names as its picture, now that the change is durable.
///
/// Whoever comes here last on a node sees what all before have written; and it looks again until what the room names is
/// what it keeps, so that a change on another server is not undone.
///
/// # Errors
/// `not_found` where the file has gone meanwhile; those of the store.
pub(super) async fn keep(node: &Node, room: RoomId) -> Result<(), WireError> {
    let _one_at_a_time = node.avatars.lock().await;
    let mut kept = None;
    for _ in 0..LOOKS {
        let record = node.store().room(room).await.map_err(unread)?;
        let wanted = record.and_then(|record| record.avatar).and_then(|avatar| named(&avatar));
        if kept == Some(wanted) {
            break;
        }
        let now = node.clock().now();
        if !written(|| node.store().hold_avatar(AvatarOf::Room(room), wanted, now)).await? {
            return Err(no_such_file());
        }
        kept = Some(wanted);
    }
    Ok(())
}

/// Reads which file a text names: an id, or an address of the file or of its small picture; empty is the nil id.
fn named(text: &str) -> Option<FileId> {
    if text.is_empty() {
        return Some(FileId(uuid::Uuid::nil()));
    }
    let id = text.strip_prefix("/v1/files/").map_or(text, |path| path.strip_suffix("/thumb").unwrap_or(path));
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_named_by_its_id_or_where_it_is() {
        let file = "0193a1b4-0000-7000-8000-00000000f11e";
        let id = file.parse().ok();
        assert_eq!(id, Some(FileId(uuid::Uuid::from_u128(0x0193_a1b4_0000_7000_8000_0000_0000_f11e))));
        for text in [file.to_owned(), format!("/v1/files/{file}"), format!("/v1/files/{file}/thumb")] {
            assert_eq!(named(&text), id, "{text}");
        }
        assert_eq!(named(""), Some(FileId(uuid::Uuid::nil())));
        for text in ["x", "https://example.org/a.png", "javascript:alert(1)", "/v1/files/", "/v1/users/1"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
