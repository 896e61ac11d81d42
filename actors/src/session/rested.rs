//! A session at rest: what it has to know when it gets up, and no more.

use super::{Entry, Phase, Session, SessionRef};
use crate::identity::Identity;
use crate::node::Node;
use crate::presence::Attendance;
use rookery_engine::{Connection, Depth};
use rookery_protocol::RoomId;
use std::sync::Arc;

/// What a session at rest knows.
#[derive(Debug)]
pub(super) struct Rested {
    node: Arc<Node>,
    connection: Arc<Connection>,
    /// Who speaks; `None` where nobody has said.
    identity: Option<Box<Identity>>,
    open: Box<[RoomId]>,
    attendance: Option<Attendance>,
}

impl Rested {
    /// Returns the session of a connection that has said nothing yet.
    pub(super) fn new(node: Arc<Node>, connection: Arc<Connection>) -> Self {
        Self { node, connection, identity: None, open: Box::default(), attendance: None }
    }

    pub(super) const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the session, reached at `myself`, for whose actor `depth` counts what waits.
    pub(super) fn get_up(self, myself: SessionRef, depth: Depth) -> Session {
        let open = |room: &RoomId| (*room, Entry { is_open: true, ..Entry::default() });
        Session {
            node: self.node,
            myself,
            connection: self.connection,
            phase: self.identity.map_or(Phase::Greeting, Phase::Ready),
            rooms: self.open.iter().map(open).collect(),
            attendance: self.attendance,
            depth,
            handled: 0,
            has_ended: false,
        }
    }

    /// The socket is gone.
    pub(super) fn end(self) {
        for room in &self.open {
            self.node.hub().detach(*room, self.connection.id());
        }
    }
}

impl Session {
    /// Lies down where that loses nothing: all commands are answered, and nothing waits.
    pub(super) fn lie_down(&mut self) {
        let waits = |entry: &Entry| entry.held.is_some() || entry.moving.is_some();
        let is_asked =
            matches!(self.phase, Phase::Authenticating(_)) || !self.connection.credits().are_all_free();
        if !is_asked && !self.rooms.values().any(waits) {
            let (myself, handled) = (self.myself.clone(), self.handled);
            myself.lie_down(self, handled);
        }
    }

    /// Moves out what a session at rest has to know. The addresses of its rooms are not among it: an actor
    /// that has gone would be kept in memory by them, and with no command under way none is owed an order.
    pub(super) fn rest(&mut self) -> Rested {
        self.has_ended = true;
        let identity = match std::mem::replace(&mut self.phase, Phase::Greeting) {
            Phase::Ready(identity) => Some(identity),
            Phase::Greeting | Phase::Authenticating(_) => None,
        };
        let open = self.rooms.iter().filter(|(_, entry)| entry.is_open).map(|(room, _)| *room).collect();
        Rested {
            node: Arc::clone(&self.node),
            connection: Arc::clone(&self.connection),
            identity,
            open,
            attendance: self.attendance.take(),
        }
    }
}
