//! Requests: ops that are answered with a value, by sockets and HTTP alike.
//!
//! A write goes to its room and comes back when it is durable; a read is answered from the store,
//! past the room, so that a reader never delays a writer.

mod attachments;
mod check;
mod create;
mod read;

pub use attachments::attachment;

use crate::answer::Answer;
use crate::node::Node;
use crate::room::{Action, Draft, RoomMessage, no_such_room};
use rookery_engine::store::{RoomState, StoreError};
use rookery_protocol::{
    ErrorCode, Op, Pong, ReplyBody, Role, Room, RoomId, RoomView, User, UserId, WireError,
};
use std::sync::Arc;

/// Where an op goes.
#[derive(Debug)]
pub(crate) enum Step {
    /// To its room, which answers.
    Submit(RoomId, Action),
    /// To a task, since it takes more than one step.
    Task(Op),
}

/// Returns the room that `op` is about, if it is about one that is known by its id.
pub(crate) fn room_of(op: &Op) -> Option<RoomId> {
    Some(match op {
        Op::RoomGet(get) => get.room,
        Op::RoomUpdate(update) => update.room,
        Op::RoomOpen(open) => open.room,
        Op::RoomClose(close) => close.room,
        Op::RoomHistory(history) => history.room,
        Op::MemberList(list) => list.room,
        Op::MemberAdd(add) => add.room,
        Op::MemberRemove(remove) => remove.room,
        Op::MemberRole(role) => role.room,
        Op::MessageSend(send) => send.room,
        _ => return None,
    })
}

/// Checks what can be checked without a room, and says where the op goes.
///
/// # Errors
/// `invalid` with the field, or `unsupported` for an op of the protocol that is not served.
pub(crate) fn step(op: Op) -> Result<Step, WireError> {
    Ok(match op {
        Op::MessageSend(send) => {
            send.body.check()?;
            if send.body.attachments.is_empty() {
                Step::Submit(send.room, Action::Send(send))
            } else {
                Step::Task(Op::MessageSend(send))
            }
        }
        Op::MemberAdd(add) => {
            check::members(&add.users)?;
            Step::Submit(add.room, Action::Add { users: add.users, role: add.role.unwrap_or(Role::Member) })
        }
        Op::MemberRemove(remove) => Step::Submit(remove.room, Action::Remove(remove.user)),
        Op::MemberRole(set) => Step::Submit(set.room, Action::SetRole { user: set.user, role: set.role }),
        op @ (Op::RoomCreate(_)
        | Op::RoomDirect(_)
        | Op::RoomGet(_)
        | Op::RoomUpdate(_)
        | Op::RoomList(_)
        | Op::RoomHistory(_)
        | Op::MemberList(_)) => Step::Task(op),
        op => {
            return Err(WireError::new(
                ErrorCode::Unsupported,
                format!("`{}` is not served here", op.name()),
            ));
        }
    })
}

impl Node {
    /// Performs one op for `user` and answers when it is done: what a socket does with one command,
    /// without a socket.
    ///
    /// # Errors
    /// As the op's reply. `unsupported` for ops that need a connection.
    pub async fn perform(self: &Arc<Self>, user: &User, op: Op) -> Result<ReplyBody, WireError> {
        if let Op::Ping = op {
            return Ok(Pong { time: self.clock().now() }.into());
        }
        match step(op)? {
            Step::Submit(room, action) => self.submit(user.id, room, action).await,
            Step::Task(Op::MessageSend(send)) => attachments::send(self, user.id, *send).await,
            Step::Task(Op::RoomCreate(create)) => create::create(self, user, *create).await,
            Step::Task(Op::RoomDirect(direct)) => create::direct(self, user, direct.user).await,
            Step::Task(Op::RoomUpdate(update)) => create::update(self, user, *update).await,
            Step::Task(Op::RoomGet(get)) => Ok(view(self, user, get.room).await?.into()),
            Step::Task(Op::RoomList(list)) => read::rooms(self, user, list).await,
            Step::Task(Op::RoomHistory(history)) => read::history(self, user, history).await,
            Step::Task(Op::MemberList(list)) => read::members(self, user, list).await,
            Step::Task(op) => {
                Err(WireError::new(ErrorCode::Unsupported, format!("`{}` needs a WebSocket", op.name())))
            }
        }
    }

    /// Submits to a room, and waits until it has answered.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        by: UserId,
        room: RoomId,
        action: Action,
    ) -> Result<ReplyBody, WireError> {
        let (answer, answered) = Answer::task(Arc::clone(self.metrics()));
        let draft = Draft { by, action, answer, arrived: self.clock().elapsed() };
        self.tell_room(room, RoomMessage::Submit(draft));
        answered.await.unwrap_or_else(|_| Err(WireError::new(ErrorCode::Internal, "no answer came")))
    }
}

/// Returns the room as `user` sees it.
///
/// # Errors
/// `not_found` for everybody who is not a member.
pub(crate) async fn view(node: &Arc<Node>, user: &User, room: RoomId) -> Result<Room, WireError> {
    let state = node.store().room_state(room, user.id).await.map_err(unread)?;
    Ok(object(state.ok_or_else(|| no_such_room(room))?))
}

/// Turns what the store knows into what the member is shown.
fn object(state: RoomState) -> Room {
    let unread = state.unread();
    Room {
        id: state.record.room,
        kind: state.record.kind,
        title: state.record.title,
        avatar: state.record.avatar,
        about: state.record.about,
        created_at: state.record.created_at,
        members: state.record.members,
        head: state.head,
        me: RoomView {
            role: state.membership.role.unwrap_or(Role::Reader),
            read: state.read,
            delivered: state.read,
            unread,
            mentions: state.mentions,
            muted_until: None,
            notify: rookery_protocol::Notify::All,
            pinned: false,
            archived: false,
        },
    }
}

/// What a client is told when the store could not be read.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn unread(error: StoreError) -> WireError {
    tracing::warn!(%error, "store not read");
    WireError::new(ErrorCode::StoreUnavailable, "nothing can be read at the moment").retry_after(1000)
}
