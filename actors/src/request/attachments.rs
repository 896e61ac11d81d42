//! Attachments: what a message says of its files comes from the store, whatever its sender said.

use super::unread;
use crate::node::Node;
use crate::room::Action;
use rookery_engine::store::FileRecord;
use rookery_engine::trace::Trace;
use rookery_protocol::{
    Attachment, ErrorCode, FileId, MessageBody, MessageEdit, MessageSend, ReplyBody, UserId, WireError,
};
use std::sync::Arc;

/// Returns where the small picture of a file is, for attachments and for avatars.
pub(crate) fn thumb_url(file: FileId) -> String {
    format!("/v1/files/{file}/thumb")
}

/// Returns a complete file as messages carry it; `None` where nothing has been sent of it yet.
pub fn attachment(record: &FileRecord) -> Option<Attachment> {
    let content = record.content.as_ref()?;
    let id = record.upload.file;
    Some(Attachment {
        id,
        name: record.upload.name.clone(),
        mime: content.mime.clone(),
        size: content.size,
        width: content.width,
        height: content.height,
        duration_ms: None,
        thumb: content.thumb.as_ref().map(|_| thumb_url(id)),
    })
}

/// Fills in what `body` says of its files: everything but how long they last, which only the sender
/// knows. For every message and every edit that has attachments, before it goes to its room.
///
/// # Errors
/// `not_found` with the field where a file is not there, or neither `user`'s own nor readable for it;
/// `store_unavailable`.
pub(crate) async fn resolve(
    node: &Node,
    user: UserId,
    mut body: MessageBody,
) -> Result<MessageBody, WireError> {
    let ids: Vec<FileId> = body.attachments.iter().map(|attachment| attachment.id).collect();
    if ids.is_empty() {
        return Ok(body);
    }
    let found = node.store().readable_files(user, &ids, node.clock().now()).await.map_err(unread)?;
    for said in &mut body.attachments {
        let known = found.iter().find(|record| record.upload.file == said.id).and_then(attachment);
        let known = known.ok_or_else(|| {
            WireError::new(ErrorCode::NotFound, format!("there is no file {} for you", said.id))
                .field("body.attachments")
        })?;
        *said = Attachment { duration_ms: said.duration_ms, ..known };
    }
    Ok(body)
}

/// Gives a message a body that has attachments.
pub(super) async fn edit(
    node: &Arc<Node>,
    user: UserId,
    mut edit: MessageEdit,
    trace: Option<Box<Trace>>,
) -> Result<ReplyBody, WireError> {
    match resolve(node, user, edit.body.clone()).await {
        Ok(body) => edit.body = body,
        // Edited before, and its files are gone since: the room answers from its log.
        Err(error) if error.code == ErrorCode::NotFound => {
            let written = node.store().find(edit.room, user, edit.client_id).await.map_err(unread)?;
            written.ok_or(error)?;
        }
        Err(error) => return Err(error),
    }
    node.submit_traced(user, edit.room, Action::Edit(Box::new(edit)), trace).await
}

/// Sends a message that has attachments.
pub(super) async fn send(
    node: &Arc<Node>,
    user: UserId,
    mut send: MessageSend,
    trace: Option<Box<Trace>>,
) -> Result<ReplyBody, WireError> {
    match resolve(node, user, send.body.clone()).await {
        Ok(body) => send.body = body,
        // Sent before, and its files are gone since: the room answers from its log.
        Err(error) if error.code == ErrorCode::NotFound => {
            let written = node.store().find(send.room, user, send.client_id).await.map_err(unread)?;
            if written.is_none() {
                return Err(error);
            }
            send.attempt = Some(send.attempt.unwrap_or(1).max(2));
        }
        Err(error) => return Err(error),
    }
    node.submit_traced(user, send.room, Action::Send(Box::new(send)), trace).await
}
