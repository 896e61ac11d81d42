//! Each command to where it belongs: a room, a task that reads from the store, or an answer at once.

use super::{Arrival, Entry, Gate, HeldCommand, Phase, Session, SessionMessage};
use crate::answer::{Answer, Asked};
use crate::identity::Identity;
use crate::naming::inbox_of;
use crate::request::{self, Step};
use crate::room::{Action, Draft, Open, RoomMessage};
use ractor::MessagingErr;
use rookery_engine::{Credit, Mailbox, metrics};
use rookery_protocol::{
    Command, ErrorCode, Op, Pong, ReplyBody, RoomId, RoomOpen, User, UserId, WireError, limits,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::Instrument;

/// Rooms that a session keeps the address of although they are not open.
const ADDRESSES_KEPT: usize = 64;

impl Session {
    pub(super) fn command(&mut self, command: Command, credit: Credit, arrival: Arrival) {
        let held = match &mut self.phase {
            Phase::Authenticating(held) => Some(held),
            Phase::Ready(identity) => room_of(&command.op, identity)
                .and_then(|room| self.rooms.get_mut(&room))
                .and_then(|entry| entry.held.as_mut()),
            Phase::Greeting => None,
        };
        if let Some(held) = held {
            return held.push_back((command, credit, arrival));
        }
        let asked = Asked { id: command.id, op: command.op.index(), read: arrival.read };
        let answer = Answer::command(Arc::clone(&self.node), Arc::clone(&self.connection), asked, credit);
        match (&self.phase, command.op) {
            (_, Op::Auth(auth)) => self.authenticate(*auth, answer),
            (Phase::Ready(identity), op) => match self.node.spend(identity, &op) {
                Ok(()) => {
                    let user = identity.user.clone();
                    self.dispatch(user, op, answer, arrival.sent);
                }
                Err(refused) => answer.err(refused.into()),
            },
            (_, op) => answer.err(WireError::new(
                ErrorCode::Unauthenticated,
                format!("send `auth` before `{}`", op.name()),
            )),
        }
    }

    fn dispatch(&mut self, user: User, op: Op, answer: Answer, sent: Duration) {
        match op {
            Op::Ping => answer.ok(Pong { time: self.node.clock().now() }),
            Op::RoomOpen(open) => self.open(user, open, answer),
            Op::RoomClose(close) => {
                self.entry(close.room).is_open = false;
                self.node.hub().detach(close.room, self.connection.id());
                answer.ok(ReplyBody::Empty {});
            }
            Op::PresenceSet(presence) => self.set_presence(presence, answer),
            Op::PresenceWatch(watch) => self.watch_presence(watch, answer),
            op => match request::step(op) {
                Ok(Step::Submit(room, action)) => {
                    let arrived = self.node.clock().elapsed();
                    let took = arrived.saturating_sub(sent).as_secs_f64();
                    self.node.metrics().commands.step(metrics::Step::Authorise).record(took);
                    let mut answer = answer;
                    answer.goes_to(room);
                    let draft = Draft { by: user.id, action, answer, arrived };
                    self.tell_room(room, RoomMessage::Submit(draft));
                }
                Ok(Step::Task(op)) => self.run(user, op, answer),
                Err(error) => answer.err(error),
            },
        }
    }

    /// Runs a command of several steps as a task of its own, after what this connection has sent
    /// before on the same room.
    fn run(&mut self, user: User, op: Op, mut answer: Answer) {
        let room = request::room_of(&op);
        let settled = room.and_then(|room| self.settle(user.id, room));
        let gate = room.map(|room| self.close_gate(room));
        let span = self.span(op.name(), &mut answer);
        let (node, connection) = (Arc::clone(&self.node), Arc::clone(&self.connection));
        let task = async move {
            connection.outbox().room().await;
            if let Some(settled) = settled {
                drop(settled.await);
            }
            let trace = answer.take_trace();
            answer.give(node.perform_traced(&user, op, trace).await);
            drop(gate);
        };
        self.node.tasks().spawn(task.instrument(span));
    }

    /// Returns what names a command in every line that is written for it. Of the highest level, so that no filter
    /// takes the names from a line that it lets through.
    pub(super) fn span(&self, op: &'static str, answer: &mut Answer) -> tracing::Span {
        let trace_id = answer.trace().map(|trace| tracing::field::display(trace.id()));
        let user = self.connection.identity().map(|(user, _)| tracing::field::display(user));
        tracing::error_span!("command", connection = self.connection.id().0, user, op, trace_id)
    }

    fn open(&mut self, user: User, RoomOpen { room, after }: RoomOpen, mut answer: Answer) {
        if self.open_besides(room) >= limits::OPEN_ROOMS {
            self.forget_left_rooms();
        }
        if self.open_besides(room) >= limits::OPEN_ROOMS {
            return answer.err(WireError::new(
                ErrorCode::TooLarge,
                format!("a connection has at most {} rooms open", limits::OPEN_ROOMS),
            ));
        }
        self.entry(room).is_open = true;
        let settled = self.settle(user.id, room);
        let gate = self.close_gate(room);
        let span = self.span("room.open", &mut answer);
        let (node, connection) = (Arc::clone(&self.node), Arc::clone(&self.connection));
        let task = async move {
            if let Some(settled) = settled {
                drop(settled.await);
            }
            match request::opening(&node, &user, room).await {
                Ok(opening) => {
                    let open = Open {
                        user: user.id,
                        connection,
                        after,
                        opening,
                        answer,
                        gate: Some(gate),
                        is_checked: false,
                    };
                    node.tell_room(room, RoomMessage::Open(open));
                }
                Err(error) => {
                    answer.err(error);
                    gate.not_opened();
                }
            }
        };
        self.node.tasks().spawn(task.instrument(span));
    }

    fn open_besides(&self, room: RoomId) -> usize {
        self.rooms.iter().filter(|(other, entry)| entry.is_open && **other != room).count()
    }

    /// Takes note of the rooms that have let this connection go: it lagged, or its user was removed.
    fn forget_left_rooms(&mut self) {
        let (hub, connection) = (self.node.hub(), self.connection.id());
        for (room, entry) in &mut self.rooms {
            // One that is being opened just now is not heard yet.
            entry.is_open = entry.is_open && (entry.held.is_some() || hub.hears(*room, connection));
        }
    }

    /// Has `room` say when everything that this connection has sent to it before is settled, done or
    /// refused; `None` where that is nothing.
    fn settle(
        &mut self,
        by: UserId,
        room: RoomId,
    ) -> Option<oneshot::Receiver<Result<ReplyBody, WireError>>> {
        if !self.rooms.get(&room).is_some_and(Entry::was_told) {
            return None;
        }
        let (answer, settled) = Answer::task(Arc::clone(&self.node));
        let draft = Draft { by, action: Action::Settle, answer, arrived: self.node.clock().elapsed() };
        self.tell_room(room, RoomMessage::Submit(draft));
        Some(settled)
    }

    /// Has later commands on `room` wait until the gate is dropped.
    pub(super) fn close_gate(&mut self, room: RoomId) -> Gate {
        self.entry(room).held.get_or_insert_default();
        Gate::new(self.myself.clone(), room)
    }

    /// A gate was dropped: what waited behind it goes on, up to the next command that closes it.
    pub(super) fn passed(&mut self, room: RoomId, was_refused: bool) {
        if let (true, Some(entry)) = (was_refused, self.rooms.get_mut(&room)) {
            // A room that was open before stays so.
            entry.is_open = self.node.hub().hears(room, self.connection.id());
        }
        let mut held = self.rooms.get_mut(&room).and_then(|entry| entry.held.take()).unwrap_or_default();
        while let Some((command, credit, arrival)) = held.pop_front() {
            self.command(command, credit, arrival);
            if let Some(entry) = self.rooms.get_mut(&room)
                && let Some(new) = &mut entry.held
            {
                let mut rest: VecDeque<HeldCommand> = std::mem::take(&mut held);
                rest.extend(new.drain(..));
                *new = rest;
                return;
            }
        }
    }

    /// Sends a message to a room, by the address kept since the last time where that still holds.
    fn tell_room(&mut self, room: RoomId, message: RoomMessage) {
        let entry = self.entry(room);
        if let Some(moving) = &mut entry.moving {
            return moving.push_back(message);
        }
        let Some(address) = entry.address.take() else {
            let address = self.node.send_room(room, message);
            self.entry(room).address = address;
            return;
        };
        match address.send_message(message) {
            Err(MessagingErr::SendErr(message)) => self.wait_for_the_last_of(room, address, message),
            Ok(()) | Err(_) => self.entry(room).address = Some(address),
        }
    }

    /// Keeps `message`, and what is sent to the room after it, until the actor that is going has
    /// handed on what it was sent before: the next one must not hear the later message first.
    fn wait_for_the_last_of(&mut self, room: RoomId, going: Mailbox<RoomMessage>, message: RoomMessage) {
        self.entry(room).moving = Some(VecDeque::from([message]));
        let myself = self.myself.clone();
        self.node.tasks().spawn(async move {
            // Without a bound of its own: an actor that is going waits for nothing.
            drop(going.wait(None).await);
            myself.tell(SessionMessage::Moved(room));
        });
    }

    /// What waited for the room's last actor goes to the next one.
    pub(super) fn moved(&mut self, room: RoomId) {
        let moving = self.rooms.get_mut(&room).and_then(|entry| entry.moving.take());
        for message in moving.into_iter().flatten() {
            self.tell_room(room, message);
        }
    }

    pub(super) fn entry(&mut self, room: RoomId) -> &mut Entry {
        if self.rooms.len() >= limits::OPEN_ROOMS + ADDRESSES_KEPT {
            self.rooms.retain(|_, entry| entry.is_open || entry.held.is_some() || entry.moving.is_some());
        }
        self.rooms.entry(room).or_default()
    }
}

impl Entry {
    /// Whether something was sent to the room that it may not have done yet.
    fn was_told(&self) -> bool {
        self.address.is_some() || self.moving.is_some()
    }
}

/// Returns the room whose gate holds `op` back.
fn room_of(op: &Op, identity: &Identity) -> Option<RoomId> {
    match op {
        // It opens the inbox again.
        Op::Auth(auth) if auth.inbox_after.is_some() => Some(inbox_of(identity.user.id)),
        op => request::room_of(op),
    }
}
