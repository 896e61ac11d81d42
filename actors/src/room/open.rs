//! Joining the stream without a gap.
//!
//! Where the ring covers what a reader lacks, one turn of the room answers, pushes the rest of the
//! ring and attaches the reader. Where it does not, the reader is given the older events from the
//! store, page by page, by a task of its own, and comes back to join where that ends. Nothing is
//! buffered, and nothing can slip between.

use super::compose::no_such_room;
use super::{Room, RoomMessage};
use crate::answer::Answer;
use crate::node::Node;
use crate::session::Gate;
use rookery_engine::store::{Range, StoreError};
use rookery_engine::{Connection, Listener, Pushed};
use rookery_protocol::limits::{PAGE, REPLAY};
use rookery_protocol::{
    Authenticated, Frame, Head, OpenStatus, ReadCursor, ReadMarked, Room as RoomObject, RoomId, RoomOpened,
    RoomView, Seq, ServerEvent, UserId, WireError,
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
    /// Whether the store was asked whether this node knows all of the room.
    pub(crate) is_checked: bool,
}

/// What is being opened.
#[derive(Debug)]
pub(crate) enum Opening {
    /// A room, as its member sees it.
    Room(Box<RoomObject>, Option<Vec<ReadCursor>>),
    /// The inbox of somebody who has just authenticated.
    Inbox(Box<Authenticated>),
}

/// A reader that has its answer and is on its way into the audience. Dropped before it is there,
/// whoever drops it and why, it is told to open the room again.
#[derive(Debug)]
pub(crate) struct Join {
    room: RoomId,
    /// The room's head when it was looked at last.
    head: Head,
    listener: Listener,
    /// The next event it lacks.
    from: Seq,
    /// Whether it has arrived, or has been told why it does not.
    is_settled: bool,
    /// Dropped last, when there is nothing more to be told.
    _gate: Option<Gate>,
}

impl Drop for Join {
    fn drop(&mut self) {
        if !self.is_settled {
            let notice = ServerEvent::RoomLagged { room: self.room, head: self.head };
            self.listener.connection.push_reply(&Frame::server(notice));
        }
    }
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
        if !open.is_checked && self.may_be_behind(&open) {
            return self.look(vec![RoomMessage::Open(Open { is_checked: true, ..open })]);
        }
        let Some(&member) = self.live.members.get(&open.user) else {
            return open.refuse(no_such_room(self.id));
        };
        // Before the answer: what it still has to hear of the room as it had it open comes first.
        self.audience.detach(open.connection.id());
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
        let metrics = &self.node.metrics().rooms;
        metrics.opens.of(result).increment(1);
        if let Some(from) = wanted {
            #[expect(clippy::cast_precision_loss, reason = "where it is as much, it is all the same")]
            metrics.replayed.record(missing(from) as f64);
        }
        match open.opening {
            Opening::Room(mut room, mut reads) => {
                // It was read a moment ago, and what comes from here on is all that is told.
                let RoomView { read, unread, mentions, .. } = room.me;
                let now = self.live.since(room.head, open.user, ReadMarked { read, unread, mentions });
                (room.me.read, room.me.unread, room.me.mentions) = (now.read, now.unread, now.mentions);
                room.me.delivered = room.me.delivered.max(now.read);
                if let Some(reads) = &mut reads {
                    self.marks.bring_up_to_date(reads);
                }
                room.head = head;
                room.me.role = member.role.unwrap_or(room.me.role);
                // It was read from the store a moment ago, and must not be older than the head.
                if let Some(record) = &self.live.record {
                    room.title.clone_from(&record.title);
                    room.about.clone_from(&record.about);
                    room.avatar.clone_from(&record.avatar);
                    room.members = record.members;
                }
                open.answer.ok(RoomOpened { status, head, from, room, reads });
            }
            Opening::Inbox(mut who) => {
                who.inbox_status = Some(status);
                who.inbox_from = Some(from);
                open.answer.ok(*who);
            }
        }
        let listener = Listener { user: open.user, connection: open.connection };
        self.join(Join { room: self.id, head, listener, from, is_settled: false, _gate: open.gate });
    }

    pub(super) fn join(&mut self, mut join: Join) {
        join.head = self.live.head;
        let connection = &join.listener.connection;
        let Some(member) = self.live.members.get(&join.listener.user) else {
            // How far the room has gone on since is not for it to know.
            let seq =
                self.live.ring.removal_of(join.listener.user).unwrap_or(Seq(join.from.0.saturating_sub(1)));
            let notice = ServerEvent::RoomRemoved { room: self.id, seq };
            connection.push_reply(&Frame::server(notice));
            join.is_settled = true;
            return;
        };
        if join.from < member.joined {
            // It was removed and came back on the way: what is in between is not for it to see.
            return;
        }
        let is_covered =
            join.from > self.live.head.seq || self.live.ring.first().is_some_and(|first| first <= join.from);
        if !is_covered {
            let until = self.live.ring.first().unwrap_or(self.live.head.seq.next());
            return self.read_up_to(until, join);
        }
        for frame in self.live.ring.from(join.from) {
            match connection.push_event(frame) {
                Pushed::Queued | Pushed::Replaced => self.node.metrics().rooms.deliveries.increment(1),
                Pushed::Full => return self.node.metrics().rooms.lagged.increment(1),
                Pushed::Closed => return,
            }
        }
        if self.audience.attach(join.listener.clone()) > self.node.config().slice {
            self.fit_audience();
        }
        join.is_settled = true;
        self.node.cluster().follow(self.id);
    }

    /// Whether somebody who opens the room has seen more of it on another node than this one knows.
    fn may_be_behind(&self, open: &Open) -> bool {
        let seen = match &open.opening {
            Opening::Room(room, _) => room.head.seq.max(open.after.unwrap_or_default()),
            Opening::Inbox(_) => open.after.unwrap_or_default(),
        };
        let is_behind = seen > self.live.head.seq || !self.live.members.contains_key(&open.user);
        is_behind && !self.node.cluster().is_alone()
    }

    /// Gives a reader the events before `until` from the store, and then lets it join.
    fn read_up_to(&self, until: Seq, join: Join) {
        let (node, room) = (Arc::clone(&self.node), self.id);
        let connection = join.listener.connection.id().0;
        self.node.tasks().spawn(async move {
            match replay(&node, room, until, join).await {
                Ok(Some(join)) => node.tell_room(room, RoomMessage::Join(join)),
                // It has closed.
                Ok(None) => {}
                Err(error) => tracing::warn!(%room, connection, %error, "replay broken off"),
            }
        });
    }
}

/// Pushes the events from `join.from` to before `until`, no faster than the peer takes them. Returns
/// the reader, or `None` when it has closed.
async fn replay(node: &Node, room: RoomId, until: Seq, mut join: Join) -> Result<Option<Join>, StoreError> {
    let connection = Arc::clone(&join.listener.connection);
    while join.from < until {
        connection.outbox().room().await;
        let after = Seq(join.from.0 - 1);
        let page = node.store().read(room, Range::After(after), PAGE).await?;
        if page.is_empty() {
            return Err(StoreError::Refused(format!("nothing is there after position {after}")));
        }
        for event in page.into_iter().filter(|event| event.seq < until) {
            // Before each, since a page is many times what may wait.
            connection.outbox().room().await;
            let seq = event.seq;
            if connection.push_reply(&Frame::event(event)) == Pushed::Closed {
                return Ok(None);
            }
            join.from = seq.next();
            node.metrics().rooms.deliveries.increment(1);
        }
    }
    Ok(Some(join))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_engine::ConnectionId;
    use rookery_protocol::Codec;
    use std::collections::VecDeque;
    use std::task::{Context, Waker};
    use std::time::Duration;
    use uuid::Uuid;

    fn told(is_settled: bool) -> String {
        let connection = Connection::new(ConnectionId(1), Codec::Json, Duration::ZERO);
        let listener = Listener { user: UserId(Uuid::nil()), connection: Arc::clone(&connection) };
        let room = RoomId(Uuid::nil());
        drop(Join { room, head: Head::default(), listener, from: Seq(1), is_settled, _gate: None });
        let mut frames = VecDeque::new();
        connection.outbox().poll_take(&Context::from_waker(Waker::noop()), &mut frames, Duration::ZERO);
        frames.iter().map(|frame| String::from_utf8_lossy(frame).into_owned()).collect()
    }

    #[test]
    fn a_reader_that_gets_lost_on_its_way_is_told_to_open_the_room_again() {
        assert!(told(false).contains("room.lagged"));
        assert_eq!(told(true), "");
    }
}
