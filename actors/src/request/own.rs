//! What a member does to its own view of a room: marks, typing, settings; and who has read what.

use super::write::written;
use super::{unread, view};
use crate::answer::Answer;
use crate::node::Node;
use crate::room::{RoomMessage, Said, Signal, no_such_room};
use rookery_engine::store::{CursorKind, SettingsChange};
use rookery_protocol::limits::PAGE;
use rookery_protocol::{
    ErrorCode, ReadList, Readers, ReplyBody, RoomId, RoomSettings, Timestamp, User, UserId, WireError,
};
use std::sync::Arc;

impl Node {
    /// Says something to a room that is no event, and waits until it has answered.
    pub(super) async fn signal(
        self: &Arc<Self>,
        by: UserId,
        room: RoomId,
        what: Said,
    ) -> Result<ReplyBody, WireError> {
        let (answer, answered) = Answer::task(Arc::clone(self));
        self.tell_room(room, RoomMessage::Signal(Signal { by, what, answer, is_checked: false }));
        answered.await.unwrap_or_else(|_| Err(WireError::new(ErrorCode::Internal, "no answer came")))
    }
}

/// Answers `room.settings`.
pub(super) async fn settings(
    node: &Arc<Node>,
    user: &User,
    asked: RoomSettings,
) -> Result<ReplyBody, WireError> {
    let RoomSettings { room, notify, muted_until, pinned, archived } = asked;
    // Only a member has settings.
    view(node, user, room).await?;
    // A moment that has passed mutes nothing, and the beginning of time says so on purpose.
    let muted_until = muted_until.map(|until| (until > Timestamp(0)).then_some(until));
    let change = SettingsChange { notify, muted_until, pinned, archived };
    written(|| node.store().change_settings(room, user.id, change)).await?;
    Ok(view(node, user, room).await?.me.into())
}

/// Answers `read.list`.
pub(super) async fn readers(node: &Arc<Node>, user: &User, asked: ReadList) -> Result<ReplyBody, WireError> {
    let ReadList { room, seq } = asked;
    let state = node.store().room_state(room, user.id).await.map_err(unread)?;
    let state = state.ok_or_else(|| no_such_room(room))?;
    if !(state.membership.joined..=state.head.seq).contains(&seq) {
        let why = format!("there is no event {seq} for you");
        return Err(WireError::new(ErrorCode::NotFound, why).field("seq"));
    }
    let reached = node.store().reached(room, CursorKind::Read, seq, PAGE).await.map_err(unread)?;
    Ok(Readers { count: reached.count, users: reached.users }.into())
}
