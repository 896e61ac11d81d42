//! Joining the stream without a gap.
//!
//! Where the ring covers what a reader lacks, one turn of the room answers, pushes the rest of the
//! ring and attaches the reader. Where it does not, the reader is given the older events from the
//! store, page by page, by a task of its own, and comes back to join where that ends. Nothing is
//! buffered, and nothing can slip between.

use super::compose::no_such_room;
use super::{Room, RoomMessage, unavailable};
use crate::answer::Answer;
use crate::node::Node;
use crate::session::Gate;
use rookery_engine::store::Range;
use rookery_engine::{Connection, Listener, Pushed};
use rookery_protocol::limits::{PAGE, REPLAY};
use rookery_protocol::{
    Authenticated, CloseCode, Frame, OpenStatus, Room as RoomObject, RoomId, RoomOpened, Seq, ServerEvent,
    UserId, WireError,
};
use std::sync::Arc;

/// Somebody wants to hear a room.
#[derive(Debug)]
pub(crate) struct Open {
    /// Who.
    pub(crate) user: UserId,
    /// Where.
    pub(crate) connection: Arc<Connection>,
    /// The position it has seen last; from the head on if there is none.
    pub(crate) after: Option<Seq>,
    /// What the answer says besides the positions.
    pub(crate) opening: Opening,
    /// Who waits for the answer.
    pub(crate) answer: Answer,
    /// Holds the connection's later commands on this room back until it has joined.
    pub(crate) gate: Option<Gate>,
}

/// What is being opened.
#[derive(Debug)]
pub(crate) enum Opening {
    /// A room, as its member sees it.
    Room(Box<RoomObject>),
    /// The inbox of somebody who has just authenticated.
    Inbox(Box<Authenticated>),
}

/// A reader that has been given everything up to `position`.
#[derive(Debug)]
pub(crate) struct Join {
    listener: Listener,
    /// The next event it lacks.
    from: Seq,
    gate: Option<Gate>,
}

impl Open {
    pub(super) fn refuse(self, error: WireError) {
        self.answer.err(error);
        if let Some(gate) = self.gate {
            gate.not_opened();
        }
    }
}

impl Room {
    pub(super) fn open(&mut self, open: Open) {
        self.last_used = self.node.clock().elapsed();
        let Some(member) = self.live.members.get(&open.user) else {
            return open.refuse(no_such_room(self.id));
        };
        let head = self.live.head;
        // What was before its membership is not for it to see.
        let wanted = open.after.map(|after| after.next().max(member.joined));
        let missing =
            |from: Seq| usize::try_from(head.seq.next().0.saturating_sub(from.0)).unwrap_or(usize::MAX);
        let (status, from, result) = match wanted {
            None => (OpenStatus::Replayed, head.seq.next(), "head"),
            Some(from) if from <= head.seq.next() && missing(from) <= REPLAY => {
                (OpenStatus::Replayed, from, "replayed")
            }
            // Too far back, or a position that this room never gave.
            Some(_) => (OpenStatus::Reset, head.seq.next(), "reset"),
        };
        self.node.metrics().opens.of(result).increment(1);
        match open.opening {
            Opening::Room(mut room) => {
                room.head = head;
                open.answer.ok(RoomOpened { status, head, from, room, reads: None });
            }
            Opening::Inbox(mut who) => {
                who.inbox_status = Some(status);
                who.inbox_from = Some(from);
                open.answer.ok(*who);
            }
        }
        let listener = Listener { user: open.user, connection: open.connection };
        self.audience.detach(listener.connection.id());
        self.join(Join { listener, from, gate: open.gate });
    }

    pub(super) fn join(&mut self, join: Join) {
        let Join { listener, from, gate } = join;
        let connection = &listener.connection;
        if !self.live.is_member(listener.user) {
            let notice = ServerEvent::RoomRemoved { room: self.id, seq: self.live.head.seq };
            connection.push_reply(&Frame::server(notice));
            return;
        }
        let is_covered =
            from > self.live.head.seq || self.live.ring.first().is_some_and(|first| first <= from);
        if !is_covered {
            let until = self.live.ring.first().unwrap_or(self.live.head.seq.next());
            return self.read_up_to(until, Join { listener, from, gate });
        }
        for frame in self.live.ring.from(from) {
            match connection.push_event(frame) {
                Pushed::Queued | Pushed::Replaced => self.node.metrics().deliveries.increment(1),
                Pushed::Full => {
                    self.node.metrics().lagged.increment(1);
                    connection.push_reply(&self.lagged_notice());
                    return;
                }
                Pushed::Closed => return,
            }
        }
        self.audience.attach(listener);
    }

    /// Gives a reader the events before `until` from the store, and then lets it join.
    fn read_up_to(&self, until: Seq, join: Join) {
        let (node, room) = (Arc::clone(&self.node), self.id);
        let lagged = self.lagged_notice();
        self.node.tasks().spawn(async move {
            let connection = Arc::clone(&join.listener.connection);
            match replay(&node, room, until, join).await {
                Ok(Some(join)) => node.tell_room(room, RoomMessage::Join(join)),
                // It has closed.
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%room, %error, "replay broken off");
                    connection.push_reply(&lagged);
                }
            }
        });
    }
}

impl Join {
    /// No room takes the reader: its connection starts again from its position.
    pub(super) fn refuse(self, node: &Node) {
        self.listener.connection.close(CloseCode::StateLost, None, node.clock().elapsed());
    }
}

/// Pushes the events from `join.from` to before `until`, no faster than the peer takes them.
async fn replay(node: &Node, room: RoomId, until: Seq, mut join: Join) -> Result<Option<Join>, WireError> {
    let connection = Arc::clone(&join.listener.connection);
    while join.from < until {
        connection.outbox().room().await;
        if connection.outbox().closing().is_some() {
            return Ok(None);
        }
        let after = Seq(join.from.0 - 1);
        let page = node.store().read(room, Range::After(after), PAGE).await.map_err(|_| unavailable())?;
        if page.is_empty() {
            return Err(unavailable());
        }
        for event in page.into_iter().filter(|event| event.seq < until) {
            join.from = event.seq.next();
            connection.push_reply(&Frame::event(event));
            node.metrics().deliveries.increment(1);
        }
    }
    Ok(Some(join))
}
