//! A session: the actor behind one connection. It knows who speaks there, and sends each command to
//! where it belongs.
//!
//! Hears from the connection's task (command, closed), the authenticator (identified) and whatever
//! held a room's gate (passed).
//! Tells rooms (submit, open), tasks that read from the store, and the connection's outbox.
//! Owns which rooms are open and their addresses. A panic closes the socket; the client comes back
//! and resumes from its positions.

mod authenticate;
mod dispatch;
mod gate;
mod presence;

pub(crate) use gate::Gate;

use crate::identity::Identity;
use crate::node::Node;
use crate::presence::Attendance;
use crate::room::RoomMessage;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rookery_engine::{Connection, Credit};
use rookery_protocol::{CloseCode, Command, Frame, RoomId, Seq, ServerEvent, WireError};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;

/// Where a session is reached.
pub type SessionRef = ActorRef<SessionMessage>;

/// Everything that a session hears.
#[derive(Debug)]
pub enum SessionMessage {
    /// The peer has sent a command.
    Command(Command, Credit),
    /// The connection came with a ticket, and this is whose it was.
    Ticket(Box<Identity>),
    /// The authenticator has answered an `auth`.
    Identified(Box<Identified>),
    /// What held back later commands on this room is done; `true` when it was to open the room and
    /// was refused.
    Passed(RoomId, bool),
    /// The actor that this room was reached at has gone, and has handed on all that it was sent.
    Moved(RoomId),
    /// The socket is gone.
    Closed,
}

/// The authenticator's answer, and what was asked.
#[derive(Debug)]
pub struct Identified {
    result: Result<Identity, WireError>,
    inbox_after: Option<Seq>,
    answer: Answer,
    /// Since when the peer has been asked, where this is what was looked up first.
    asked: Option<Duration>,
}

/// The actor; all it has is in [`Session`].
pub(crate) struct SessionActor;

/// A session's state.
pub(crate) struct Session {
    node: Arc<Node>,
    myself: SessionRef,
    connection: Arc<Connection>,
    phase: Phase,
    rooms: HashMap<RoomId, Entry>,
    /// Its place in presence, once somebody speaks; it goes with the session.
    attendance: Option<Attendance>,
    has_ended: bool,
}

/// A command that cannot be dispatched yet.
type HeldCommand = (Command, Credit);

#[derive(Debug)]
enum Phase {
    /// Nobody has said who they are.
    Greeting,
    /// A token is being verified; what came after it waits.
    Authenticating(VecDeque<HeldCommand>),
    /// Somebody speaks.
    Ready(Box<Identity>),
}

/// What a session knows of a room.
#[derive(Debug, Default)]
struct Entry {
    /// Where it was reached last.
    address: Option<ActorRef<RoomMessage>>,
    /// Whether it is being heard here.
    is_open: bool,
    /// Commands that wait for the one under way on this room, if one is.
    held: Option<VecDeque<HeldCommand>>,
    /// Messages that wait for the room's last actor to hand on those before them, if it is going.
    moving: Option<VecDeque<RoomMessage>>,
}

impl Actor for SessionActor {
    type Msg = SessionMessage;
    type State = Session;
    type Arguments = (Arc<Node>, Arc<Connection>);

    async fn pre_start(
        &self,
        myself: SessionRef,
        (node, connection): (Arc<Node>, Arc<Connection>),
    ) -> Result<Session, ActorProcessingErr> {
        Ok(Session {
            node,
            myself,
            connection,
            phase: Phase::Greeting,
            rooms: HashMap::new(),
            attendance: None,
            has_ended: false,
        })
    }

    async fn handle(
        &self,
        _: SessionRef,
        message: SessionMessage,
        state: &mut Session,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SessionMessage::Command(command, credit) => {
                state.node.metrics().commands.increment(1);
                state.command(command, credit);
            }
            SessionMessage::Ticket(identity) => state.ticket(*identity),
            SessionMessage::Identified(identified) => state.identified(*identified),
            SessionMessage::Passed(room, was_refused) => state.passed(room, was_refused),
            SessionMessage::Moved(room) => state.moved(room),
            SessionMessage::Closed => state.end(),
        }
        Ok(())
    }
}

impl Session {
    /// The socket is gone: hear nothing more, and stop.
    fn end(&mut self) {
        self.has_ended = true;
        self.leave_rooms();
        self.myself.stop(None);
    }

    fn leave_rooms(&self) {
        for (room, _) in self.rooms.iter().filter(|(_, entry)| entry.is_open) {
            self.node.hub().detach(*room, self.connection.id());
        }
    }
}

impl Drop for Session {
    /// Runs after a panic as well: the peer must not be left with a socket that nobody serves.
    fn drop(&mut self) {
        if !self.has_ended {
            tracing::error!(connection = self.connection.id().0, "a session has failed");
            let code = CloseCode::Internal;
            let bye = Frame::server(ServerEvent::bye(code, Some(0)));
            self.connection.close(code, Some(&bye), self.node.clock().elapsed());
            // Afterwards, so that no room takes it in behind our back.
            self.leave_rooms();
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("connection", &self.connection.id()).finish_non_exhaustive()
    }
}
