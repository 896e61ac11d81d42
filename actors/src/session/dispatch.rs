//! Each command to where it belongs: a room, a task that reads from the store, or an answer at once.

use super::{Entry, Gate, HeldCommand, Phase, Session};
use crate::answer::Answer;
use crate::request::{self, Step};
use crate::room::{Draft, Open, Opening, RoomMessage};
use ractor::MessagingErr;
use rookery_engine::Credit;
use rookery_protocol::{Command, ErrorCode, Op, Pong, RoomId, RoomOpen, User, WireError, limits};
use std::collections::VecDeque;
use std::sync::Arc;

/// Rooms that a session keeps the address of although they are not open.
const ADDRESSES_KEPT: usize = 64;

impl Session {
    pub(super) fn command(&mut self, command: Command, credit: Credit) {
        self.node.metrics().commands.increment(1);
        let held = match &mut self.phase {
            Phase::Authenticating(held) => Some(held),
            Phase::Ready(_) => request::room_of(&command.op)
                .and_then(|room| self.rooms.get_mut(&room))
                .and_then(|entry| entry.held.as_mut()),
            Phase::Greeting => None,
        };
        if let Some(held) = held {
            return held.push_back((command, credit));
        }
        let answer = Answer::command(
            Arc::clone(&self.connection),
            command.id,
            Arc::clone(self.node.metrics()),
            credit,
        );
        match (&self.phase, command.op) {
            (_, Op::Auth(auth)) => self.authenticate(*auth, answer),
            (Phase::Ready(identity), op) => {
                let user = identity.user.clone();
                self.dispatch(user, op, answer);
            }
            (_, op) => answer.err(WireError::new(
                ErrorCode::Unauthenticated,
                format!("send `auth` before `{}`", op.name()),
            )),
        }
    }

    fn dispatch(&mut self, user: User, op: Op, answer: Answer) {
        match op {
            Op::Ping => answer.ok(Pong { time: self.node.clock().now() }),
            Op::RoomOpen(open) => self.open(user, open, answer),
            Op::RoomClose(close) => {
                self.entry(close.room).is_open = false;
                self.node.hub().detach(close.room, self.connection.id());
                answer.ok(rookery_protocol::ReplyBody::Empty {});
            }
            op => match request::step(op) {
                Ok(Step::Submit(room, action)) => {
                    let arrived = self.node.clock().elapsed();
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
    fn run(&mut self, user: User, op: Op, answer: Answer) {
        let room = request::room_of(&op);
        let settles = room.filter(|room| self.rooms.get(room).is_some_and(|entry| entry.address.is_some()));
        let gate = room.map(|room| self.close_gate(room));
        let (node, connection) = (Arc::clone(&self.node), Arc::clone(&self.connection));
        self.node.tasks().spawn(async move {
            connection.outbox().room().await;
            if let Some(room) = settles {
                request::settle(&node, user.id, room).await;
            }
            answer.give(node.perform(&user, op).await);
            drop(gate);
        });
    }

    fn open(&mut self, user: User, RoomOpen { room, after }: RoomOpen, answer: Answer) {
        let others = self.rooms.iter().filter(|(other, entry)| entry.is_open && **other != room).count();
        if others >= limits::OPEN_ROOMS {
            return answer.err(WireError::new(
                ErrorCode::TooLarge,
                format!("a connection has at most {} rooms open", limits::OPEN_ROOMS),
            ));
        }
        self.entry(room).is_open = true;
        let gate = self.close_gate(room);
        let (node, connection) = (Arc::clone(&self.node), Arc::clone(&self.connection));
        self.node.tasks().spawn(async move {
            request::settle(&node, user.id, room).await;
            match request::view(&node, &user, room).await {
                Ok(view) => {
                    let open = Open {
                        user: user.id,
                        connection,
                        after,
                        opening: Opening::Room(Box::new(view)),
                        answer,
                        gate: Some(gate),
                    };
                    node.tell_room(room, RoomMessage::Open(open));
                }
                Err(error) => {
                    answer.err(error);
                    gate.not_opened();
                }
            }
        });
    }

    /// Has later commands on `room` wait until the gate is dropped.
    pub(super) fn close_gate(&mut self, room: RoomId) -> Gate {
        self.entry(room).held.get_or_insert_default();
        Gate::new(self.myself.clone(), room)
    }

    /// A gate was dropped: what waited behind it goes on, up to the next command that closes it.
    pub(super) fn passed(&mut self, room: RoomId, was_refused: bool) {
        if let (true, Some(entry)) = (was_refused, self.rooms.get_mut(&room)) {
            entry.is_open = false;
        }
        let mut held = self.rooms.get_mut(&room).and_then(|entry| entry.held.take()).unwrap_or_default();
        while let Some((command, credit)) = held.pop_front() {
            self.command(command, credit);
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
    pub(super) fn tell_room(&mut self, room: RoomId, message: RoomMessage) {
        let kept = self.rooms.get(&room).and_then(|entry| entry.address.clone());
        let message = match kept {
            None => message,
            Some(address) => match address.send_message(message) {
                Err(MessagingErr::SendErr(message)) => message,
                Ok(()) | Err(_) => return,
            },
        };
        let address = self.node.send_room(room, message);
        self.entry(room).address = address;
    }

    pub(super) fn entry(&mut self, room: RoomId) -> &mut Entry {
        if self.rooms.len() >= limits::OPEN_ROOMS + ADDRESSES_KEPT {
            self.rooms.retain(|_, entry| entry.is_open || entry.held.is_some());
        }
        self.rooms.entry(room).or_default()
    }
}
