//! A session: the actor behind one connection. It knows who speaks there, and sends each command to
//! where it belongs.
//!
//! Hears from the connection's task (command, closed), the authenticator (identified) and whatever
//! held a room's gate (passed).
//! Tells rooms (submit, open), tasks that read from the store, and the connection's outbox.
//! Owns which rooms are open and their addresses. Its actor runs while there is something to do: it lies down
//! after some quiet seconds and gets up with the next message. A panic closes the socket; the client comes
//! back and resumes from its positions.

mod authenticate;
mod dispatch;
mod gate;
mod presence;
mod rested;
mod seat;

pub(crate) use gate::Gate;
pub(crate) use seat::Awake;
pub use seat::SessionRef;

use crate::identity::Identity;
use crate::node::Node;
use crate::presence::Attendance;
use crate::room::RoomMessage;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rookery_engine::metrics::Turn;
use rookery_engine::{Connection, Credit, Depth, Mailbox};
use rookery_protocol::{CloseCode, Command, Frame, RoomId, Seq, ServerEvent, WireError};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;

/// Everything that a session hears.
#[derive(Debug)]
pub enum SessionMessage {
    /// The peer has sent a command.
    Command(Command, Credit, Arrival),
    /// The connection came with a ticket, and this is whose it was.
    Ticket(Box<Identity>),
    /// The authenticator has answered an `auth`.
    Identified(Box<Identified>),
    /// What held back later commands on this room is done; `true` when it was to open the room and
    /// was refused.
    Passed(RoomId, bool),
    /// The actor that this room was reached at has gone, and has handed on all that it was sent.
    Moved(RoomId),
    /// Nothing was sent here for a while.
    Rest,
    /// The socket is gone.
    Closed,
}

/// When a command came, by the node's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its last byte was read.
    pub read: Duration,
    /// The session was sent it.
    pub sent: Duration,
}

impl SessionMessage {
    const fn turn(&self) -> Turn {
        match self {
            Self::Command(..) => Turn::SessionCommand,
            Self::Ticket(_) => Turn::SessionTicket,
            Self::Identified(_) => Turn::SessionIdentified,
            Self::Passed(..) => Turn::SessionPassed,
            Self::Moved(_) => Turn::SessionMoved,
            Self::Rest => Turn::SessionRest,
            Self::Closed => Turn::SessionClosed,
        }
    }
}

/// The authenticator's answer, and what was asked.
#[derive(Debug)]
pub struct Identified {
    result: Result<Identity, WireError>,
    inbox_after: Option<Seq>,
    answer: Answer,
    /// Since when the peer has been asked, where this is what was looked up first.
    asked: Option<Duration>,
    /// [`Node::logins_ended`] before the login was looked up.
    looked_up: u64,
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
    /// What waits for its actor.
    depth: Depth,
    /// Messages handled since its actor has run.
    handled: u64,
    /// The socket is gone, or all that it knew is at rest.
    has_ended: bool,
}

/// A command that cannot be dispatched yet.
type HeldCommand = (Command, Credit, Arrival);

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
    address: Option<Mailbox<RoomMessage>>,
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
    type Arguments = Session;

    async fn pre_start(
        &self,
        _: ActorRef<SessionMessage>,
        session: Session,
    ) -> Result<Session, ActorProcessingErr> {
        Ok(session)
    }

    async fn handle(
        &self,
        actor: ActorRef<SessionMessage>,
        message: SessionMessage,
        state: &mut Session,
    ) -> Result<(), ActorProcessingErr> {
        state.handled += 1;
        state.depth.taken();
        let (turn, begun) = (message.turn(), state.node.clock().elapsed());
        match message {
            SessionMessage::Command(command, credit, arrival) => state.command(command, credit, arrival),
            SessionMessage::Ticket(identity) => state.ticket(*identity),
            SessionMessage::Identified(identified) => state.identified(*identified),
            SessionMessage::Passed(room, was_refused) => state.passed(room, was_refused),
            SessionMessage::Moved(room) => state.moved(room),
            SessionMessage::Rest => state.lie_down(),
            SessionMessage::Closed => {
                state.end();
                actor.stop(None);
            }
        }
        state.node.metrics().actors.turned(turn, state.node.clock().elapsed().saturating_sub(begun));
        Ok(())
    }
}

impl Session {
    /// The socket is gone: hear nothing more.
    fn end(&mut self) {
        self.has_ended = true;
        self.leave_rooms();
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
