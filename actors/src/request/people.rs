//! People: finding them, one's own profile, and blocking.

use super::attachments::thumb_url;
use super::avatar::{may_be_avatar, no_such_file};
use super::write::written;
use super::{check, unread};
use crate::naming::direct_room;
use crate::node::Node;
use rookery_engine::limits::BLOCKS_PER_USER;
use rookery_engine::store::{AvatarOf, BlockSet, ProfileChange, ProfileChanged, StoreError, TextChange};
use rookery_protocol::limits::{HANDLE_CHARS, SEARCH_CHARS_MIN, SEARCH_USERS};
use rookery_protocol::{
    ErrorCode, FileId, ProfileUpdate, ReplyBody, User, UserBlock, UserId, UserSearch, Users, WireError,
    display_name, is_handle, is_of_handles,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Answers `user.get`.
pub(super) async fn get(node: &Node, user: UserId) -> Result<ReplyBody, WireError> {
    let found = node.store().users(&[user]).await.map_err(unread)?;
    found.into_iter().next().map(Into::into).ok_or_else(|| no_such_user(user))
}

/// Answers `user.search`.
pub(super) async fn search(node: &Node, user: &User, asked: UserSearch) -> Result<ReplyBody, WireError> {
    let limit = match asked.limit.map(usize::try_from) {
        None => SEARCH_USERS,
        Some(Ok(limit @ 1..=SEARCH_USERS)) => limit,
        Some(_) => return Err(check::invalid("limit", format!("a search gives 1 to {SEARCH_USERS} users"))),
    };
    let query = asked.query.trim();
    let prefix = query.strip_prefix('@').unwrap_or(query).to_lowercase();
    if prefix.chars().count() < SEARCH_CHARS_MIN {
        return Err(check::invalid("query", format!("a search has at least {SEARCH_CHARS_MIN} characters")));
    }
    node.rates().search(user.id, node.clock().now()).await?;
    // No handle begins like that.
    if prefix.len() > HANDLE_CHARS || !prefix.chars().all(is_of_handles) {
        return Ok(Users { users: Vec::new() }.into());
    }
    let users = node.store().users_by_handle(user.id, &prefix, limit).await.map_err(unread)?;
    Ok(Users { users }.into())
}

/// Answers `profile.update`.
pub(super) async fn update(node: &Node, user: &User, asked: ProfileUpdate) -> Result<ReplyBody, WireError> {
    let name = asked.name.as_deref().map(name).transpose()?;
    if asked.handle.as_deref().is_some_and(|handle| !is_handle(handle)) {
        return Err(check::invalid("handle", "a handle is 3 to 32 of a-z 0-9 _ ."));
    }
    if let Some(about) = &asked.about {
        check::about(about)?;
    }
    let about = match asked.about {
        None => TextChange::Keep,
        Some(about) if about.is_empty() => TextChange::Clear,
        Some(about) => TextChange::Set(about),
    };
    if let Some(avatar) = asked.avatar {
        may_be_avatar(node, user.id, avatar).await?;
    }
    if let Some(handle) = &asked.handle {
        may_change_handle(node, user.id, handle).await?;
    }
    let change = ProfileChange { name, handle: asked.handle, about, avatar: TextChange::Keep };
    let mut changed = change_profile(node, user.id, change).await?;
    if let Some(avatar) = asked.avatar {
        changed = set_avatar(node, user.id, avatar).await?;
    }
    node.forget_user(user.id);
    Ok(changed.into())
}

async fn change_profile(node: &Node, user: UserId, change: ProfileChange) -> Result<User, WireError> {
    let now = node.clock().now();
    match written(|| node.store().change_profile(user, change.clone(), now)).await? {
        ProfileChanged::Changed(user) => Ok(user),
        ProfileChanged::HandleTaken => {
            Err(WireError::new(ErrorCode::Conflict, "somebody else has this handle, or had it not long ago")
                .field("handle"))
        }
        ProfileChanged::NoSuchUser => Err(no_such_user(user)),
    }
}

/// Makes a file `user`'s picture. First the file is kept for it, then its profile says where it is, so
/// that a profile never says what nobody keeps.
async fn set_avatar(node: &Node, user: UserId, file: FileId) -> Result<User, WireError> {
    let now = node.clock().now();
    let wanted = (!file.0.is_nil()).then_some(file);
    if !written(|| node.store().hold_avatar(AvatarOf::User(user), wanted, now)).await? {
        return Err(no_such_file());
    }
    let avatar = wanted.map_or(TextChange::Clear, |file| TextChange::Set(thumb_url(file)));
    let change = ProfileChange { name: None, handle: None, about: TextChange::Keep, avatar };
    change_profile(node, user, change).await
}

fn name(name: &str) -> Result<String, WireError> {
    let bad = || check::invalid("name", "a name has 1 to 64 characters");
    display_name(name).map(str::to_owned).ok_or_else(bad)
}

/// Takes one change of a handle, unless the user has this one already.
async fn may_change_handle(node: &Node, user: UserId, handle: &str) -> Result<(), WireError> {
    let users = node.store().users(&[user]).await.map_err(unread)?;
    if users.iter().all(|user| user.handle != handle) {
        node.rates().handle(user, node.clock().now()).await?;
    }
    Ok(())
}

/// Answers `user.block`.
///
/// What follows from a block is done in a task: a client that does not wait for the answer must not
/// leave a direct room behind that has not heard of it.
pub(super) async fn block(node: &Arc<Node>, user: &User, asked: UserBlock) -> Result<ReplyBody, WireError> {
    if asked.user == user.id {
        return Err(check::invalid("user", "nobody blocks oneself"));
    }
    if node.store().users(&[asked.user]).await.map_err(unread)?.is_empty() {
        return Err(no_such_user(asked.user));
    }
    let (done, outcome) = oneshot::channel();
    let (task_node, user, other) = (Arc::clone(node), user.id, asked.user);
    node.tasks().spawn(async move {
        let outcome = set_block(&task_node, user, asked).await;
        task_node.block_changed(user, other).await;
        // Whoever asked may have stopped waiting.
        drop(done.send(outcome));
    });
    outcome.await.unwrap_or_else(|_| Err(WireError::new(ErrorCode::Internal, "no answer came")))
}

async fn set_block(node: &Node, user: UserId, asked: UserBlock) -> Result<ReplyBody, WireError> {
    let (other, now) = (asked.user, node.clock().now());
    let set = if asked.on {
        written(|| node.store().block(user, other, now)).await?
    } else {
        written(|| node.store().unblock(user, other)).await?;
        BlockSet::Set
    };
    match set {
        BlockSet::Set => Ok(ReplyBody::Empty {}),
        BlockSet::TooMany => Err(WireError::new(
            ErrorCode::TooLarge,
            format!("a user blocks at most {BLOCKS_PER_USER} others"),
        )),
    }
}

fn no_such_user(user: UserId) -> WireError {
    WireError::new(ErrorCode::NotFound, format!("there is no user {user}")).field("user")
}

impl Node {
    /// Returns those of `others` who block `user` or whom it blocks, ascending. Which of the two is told
    /// to nobody. One read of the store.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn blocked_either_way(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<Vec<UserId>, StoreError> {
        if others.is_empty() {
            return Ok(Vec::new());
        }
        self.store().blocks_between(user, others).await
    }

    /// Tells whoever is active, on every node, that a block between two users was set or taken off, or may
    /// have been.
    async fn block_changed(&self, one: UserId, other: UserId) {
        self.cluster().tell_block_changed(one, other);
        self.look_at_block(one, other).await;
    }

    /// As [`Node::block_changed`], on this node.
    ///
    /// One change at a time, so that the last one looks at what all of them have written.
    pub(crate) async fn look_at_block(&self, one: UserId, other: UserId) {
        self.refresh_room(direct_room(one, other));
        let _one_at_a_time = self.blocks.lock().await;
        match self.blocked_either_way(one, &[other]).await {
            Ok(blocked) if blocked.is_empty() => self.presence().unhide(one, other),
            Ok(_) => self.presence().hide(one, other),
            Err(error) => {
                // Better hidden for too long than seen by somebody blocked.
                tracing::warn!(%error, "blocks not read");
                self.presence().hide(one, other);
            }
        }
    }
}
