//! Making rooms and describing them.

use super::{avatar, check, unread, view};
use crate::naming::{created_room, direct_room, inbox_of};
use crate::node::Node;
use crate::room::{Action, Creation};
use rookery_protocol::{
    ErrorCode, ReplyBody, Role, RoomCreate, RoomId, RoomKind, RoomUpdate, User, UserId, WireError,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Creates a group or a channel; the same `client_id` gives the same room.
pub(super) async fn create(
    node: &Arc<Node>,
    user: &User,
    create: RoomCreate,
) -> Result<ReplyBody, WireError> {
    check::kind(create.kind)?;
    check::title(&create.title)?;
    if !create.members.is_empty() {
        check::members(&create.members).map_err(|error| error.field("members"))?;
    }
    let mut others = create.members;
    others.sort_unstable();
    others.dedup();
    others.retain(|other| *other != user.id);
    let founders = std::iter::once((user.id, Role::Owner))
        .chain(others.into_iter().map(|other| (other, Role::Member)))
        .collect();
    let creation = Creation {
        client_id: Some(create.client_id),
        kind: create.kind,
        title: Some(create.title),
        founders,
    };
    made(node, user, created_room(user.id, create.client_id), creation).await
}

/// Makes the direct room of two users, or finds it.
pub(super) async fn direct(node: &Arc<Node>, user: &User, other: UserId) -> Result<ReplyBody, WireError> {
    if other == user.id {
        return Err(WireError::new(ErrorCode::Invalid, "a direct room has two users").field("user"));
    }
    let room = direct_room(user.id, other);
    let state = node.store().room_state(room, user.id).await.map_err(unread)?;
    if let Some(state) = state {
        return Ok(super::object(state).into());
    }
    let founders = vec![(user.id, Role::Member), (other, Role::Member)];
    let creation = Creation { client_id: None, kind: RoomKind::Direct, title: None, founders };
    made(node, user, room, creation).await
}

/// Changes the description of a room.
pub(super) async fn update(
    node: &Arc<Node>,
    user: &User,
    mut update: RoomUpdate,
) -> Result<ReplyBody, WireError> {
    if let Some(title) = &update.title {
        check::title(title)?;
    }
    if let Some(about) = &update.about {
        check::about(about)?;
    }
    avatar::resolve(node, user.id, &mut update).await?;
    let room = update.room;
    if update.avatar.is_some() {
        update_with_avatar(node, user.id, update).await?;
    } else {
        node.submit(user.id, room, Action::Update(Box::new(update))).await?;
    }
    Ok(view(node, user, room).await?.into())
}

/// Changes a room's picture too. In a task: a client that does not wait for the answer must not leave a picture behind
/// that nobody keeps.
async fn update_with_avatar(node: &Arc<Node>, by: UserId, update: RoomUpdate) -> Result<(), WireError> {
    let (done, outcome) = oneshot::channel();
    let (task_node, room) = (Arc::clone(node), update.room);
    node.tasks().spawn(async move {
        let updated = task_node.submit(by, room, Action::Update(Box::new(update))).await;
        let outcome = match updated {
            Ok(_) => avatar::keep(&task_node, room).await,
            Err(error) => Err(error),
        };
        // Whoever asked may have stopped waiting.
        drop(done.send(outcome));
    });
    outcome.await.unwrap_or_else(|_| Err(WireError::new(ErrorCode::Internal, "no answer came")))
}

impl Node {
    /// Makes the inbox of `user` if it is not there.
    pub(crate) async fn make_inbox(self: &Arc<Self>, user: UserId) -> Result<(), WireError> {
        let founders = vec![(user, Role::Reader)];
        let creation = Creation { client_id: None, kind: RoomKind::Inbox, title: None, founders };
        self.submit(user, inbox_of(user), Action::Create(creation)).await.map(drop)
    }
}

async fn made(
    node: &Arc<Node>,
    user: &User,
    room: RoomId,
    creation: Creation,
) -> Result<ReplyBody, WireError> {
    node.submit(user.id, room, Action::Create(creation)).await?;
    Ok(view(node, user, room).await?.into())
}
