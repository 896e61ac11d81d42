//! Requests: ops that are answered with a value, by sockets and HTTP alike.
//!
//! A write goes to its room and comes back when it is durable; a read is answered from the store,
//! past the room, so that a reader never delays a writer.

mod attachments;
mod avatar;
mod check;
mod create;
mod invite;
mod moderate;
mod own;
mod people;
mod read;
mod search;
mod source;
mod write;

pub use attachments::attachment;
pub(crate) use invite::no_such_invite;
pub(crate) use read::reads_rooms_cursor;

use crate::answer::Answer;
use crate::node::Node;
use crate::room::{Action, Draft, Opening, RoomMessage, Said, no_such_room};
use rookery_engine::limits::NAMED_MARKS;
use rookery_engine::store::{self, CursorKind, MemberCursor, RoomState, StoreError};
use rookery_engine::trace::Trace;
use rookery_protocol::{
    DeliveredMark, ErrorCode, Op, Pong, ReadCursor, ReadMark, ReplyBody, Role, Room, RoomId, RoomView,
    TypingSet, User, UserId, WireError,
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
        Op::InviteCreate(create) => create.room,
        Op::InviteRevoke(revoke) => revoke.room,
        Op::MessageSend(send) => send.room,
        Op::MessageEdit(edit) => edit.room,
        Op::MessageDelete(delete) => delete.room,
        Op::ReactionSet(set) => set.room,
        Op::PinSet(set) => set.room,
        Op::RoomSettings(settings) => settings.room,
        Op::ReadMark(mark) => mark.room,
        Op::ReadList(list) => list.room,
        Op::DeliveredMark(mark) => mark.room,
        Op::TypingSet(set) => set.room,
        Op::MessageSearch(search) => return search.room,
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
        Op::MessageEdit(edit) => {
            edit.body.check()?;
            if edit.body.attachments.is_empty() {
                Step::Submit(edit.room, Action::Edit(edit))
            } else {
                Step::Task(Op::MessageEdit(edit))
            }
        }
        Op::MessageDelete(delete) => Step::Submit(delete.room, Action::Delete(delete)),
        Op::ReactionSet(set) => {
            check::emoji(&set.emoji)?;
            Step::Submit(set.room, Action::React(set))
        }
        Op::PinSet(set) => Step::Submit(set.room, Action::Pin(set)),
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
        | Op::RoomSettings(_)
        | Op::MemberList(_)
        | Op::ReadMark(_)
        | Op::ReadList(_)
        | Op::DeliveredMark(_)
        | Op::TypingSet(_)
        | Op::InviteCreate(_)
        | Op::InviteRevoke(_)
        | Op::InviteAccept(_)
        | Op::UserGet(_)
        | Op::UserSearch(_)
        | Op::UserBlock(_)
        | Op::ProfileUpdate(_)
        | Op::MessageSearch(_)) => Step::Task(op),
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
        self.perform_traced(user, op, None).await
    }

    /// As [`Node::perform`]: with the trace of the op, in its third step, where it has one.
    ///
    /// # Errors
    /// As [`Node::perform`].
    pub async fn perform_traced(
        self: &Arc<Self>,
        user: &User,
        op: Op,
        mut trace: Option<Box<Trace>>,
    ) -> Result<ReplyBody, WireError> {
        if let Op::Ping = op {
            return Ok(Pong { time: self.clock().now() }.into());
        }
        let step = step(op).inspect_err(|error| {
            if let Some(trace) = &mut trace {
                trace.fail(error.code.as_str());
            }
        })?;
        match step {
            Step::Submit(room, action) => self.submit_traced(user.id, room, action, trace).await,
            Step::Task(Op::MessageSend(send)) => attachments::send(self, user.id, *send, trace).await,
            Step::Task(Op::MessageEdit(edit)) => attachments::edit(self, user.id, *edit, trace).await,
            Step::Task(op) => {
                let outcome = self.run(user, op).await;
                if let (Err(error), Some(mut trace)) = (&outcome, trace) {
                    trace.fail(error.code.as_str());
                }
                outcome
            }
        }
    }

    async fn run(self: &Arc<Self>, user: &User, op: Op) -> Result<ReplyBody, WireError> {
        match op {
            Op::RoomCreate(create) => create::create(self, user, *create).await,
            Op::RoomDirect(direct) => create::direct(self, user, direct.user).await,
            Op::RoomUpdate(update) => create::update(self, user, *update).await,
            Op::RoomGet(get) => Ok(view(self, user, get.room).await?.into()),
            Op::RoomList(list) => read::rooms(self, user, list).await,
            Op::RoomHistory(history) => read::history(self, user, history).await,
            Op::MemberList(list) => read::members(self, user, list).await,
            Op::RoomSettings(asked) => own::settings(self, user, asked).await,
            Op::ReadList(list) => own::readers(self, user, list).await,
            Op::ReadMark(ReadMark { room, seq }) => {
                self.signal(user.id, room, Said::Mark(CursorKind::Read, seq)).await
            }
            Op::DeliveredMark(DeliveredMark { room, seq }) => {
                self.signal(user.id, room, Said::Mark(CursorKind::Delivered, seq)).await
            }
            Op::TypingSet(TypingSet { room, on, kind }) => {
                let said = if on { Said::Types(kind.unwrap_or_default()) } else { Said::Stops };
                self.signal(user.id, room, said).await
            }
            Op::InviteCreate(create) => invite::create(self, user, create).await,
            Op::InviteRevoke(revoke) => invite::revoke(self, user, revoke).await,
            Op::InviteAccept(accept) => invite::accept(self, user, accept).await,
            Op::UserGet(get) => people::get(self, get.user).await,
            Op::UserSearch(search) => people::search(self, user, search).await,
            Op::UserBlock(block) => people::block(self, user, block).await,
            Op::ProfileUpdate(update) => people::update(self, user, *update).await,
            Op::MessageSearch(asked) => search::search(self, user, *asked).await,
            op => Err(WireError::new(ErrorCode::Unsupported, format!("`{}` needs a WebSocket", op.name()))),
        }
    }

    /// Submits to a room, and waits until it has answered.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        by: UserId,
        room: RoomId,
        action: Action,
    ) -> Result<ReplyBody, WireError> {
        self.submit_traced(by, room, action, None).await
    }

    async fn submit_traced(
        self: &Arc<Self>,
        by: UserId,
        room: RoomId,
        action: Action,
        trace: Option<Box<Trace>>,
    ) -> Result<ReplyBody, WireError> {
        let (answer, answered) = Answer::task(Arc::clone(self));
        let mut answer = answer.with(trace);
        answer.goes_to(room);
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

/// Returns what a member is told who opens the room: how it sees it, and in a small room how far the
/// others have read.
///
/// # Errors
/// `not_found` for everybody who is not a member.
pub(crate) async fn opening(node: &Arc<Node>, user: &User, room: RoomId) -> Result<Opening, WireError> {
    let opening = node.store().opening(room, user.id, NAMED_MARKS).await.map_err(unread)?;
    let store::Opening { state, cursors } = opening.ok_or_else(|| no_such_room(room))?;
    let read = |cursor: MemberCursor| ReadCursor { user: cursor.user, seq: cursor.read };
    let reads = cursors.map(|cursors| cursors.into_iter().map(read).collect());
    Ok(Opening::Room(Box::new(object(state)), reads))
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
            delivered: state.delivered,
            unread,
            mentions: state.mentions,
            muted_until: state.settings.muted_until,
            notify: state.settings.notify,
            pinned: state.settings.pinned,
            archived: state.settings.archived,
        },
        preview: state.preview,
    }
}

/// What a client is told when the store could not be read.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn unread(error: StoreError) -> WireError {
    tracing::warn!(%error, "store not read");
    WireError::new(ErrorCode::StoreUnavailable, "nothing can be read at the moment").retry_after(1000)
}
