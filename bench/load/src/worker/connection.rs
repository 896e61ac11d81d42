//! A connection: its stage, its rooms, what it waits for. Small, because there are thousands.

use super::come::AUTH;
use super::order::{Goal, Person};
use crate::verify::Position;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use uuid::Uuid;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// There is none.
    Away,
    /// The handshake was sent, or waits for the connection; its answer is awaited.
    Handshake,
    /// `auth` was sent.
    Auth,
    /// It is authenticated, and its rooms are left for another time.
    Known,
    /// Rooms are being opened: so many are answered.
    Opening,
    /// All is open.
    Ready,
    /// It reads no more.
    Stopped,
}

/// One room of a connection.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The room's number.
    pub(super) room: u32,
    pub(super) position: Position,
}

/// A message that was sent and not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unanswered {
    /// The command.
    pub(super) id: u32,
    pub(super) room: u32,
    /// What the sender names it by.
    pub(super) client_id: Uuid,
    pub(super) number: u32,
    pub(super) due: u64,
    /// The hash of its text.
    pub(super) hash: u64,
    pub(super) attempt: u32,
    /// Which publisher of the plan.
    pub(super) publisher: u32,
}

/// See the file's description.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Option<OwnedFd>,
    pub(super) stage: Stage,
    pub(super) stops: bool,
    /// Whether it comes back when it is cut off.
    pub(super) is_wanted: bool,
    /// How far it is to come.
    pub(super) goal: Goal,
    /// Whether epoll is to say when there is room to write.
    pub(super) waits_to_write: bool,
    /// Rooms that were asked for on this socket.
    pub(super) asked: u32,
    /// Those of them that were answered.
    pub(super) opened: u32,
    /// The last command's id on this socket.
    pub(super) last_id: u32,
    /// Times in a row that it could not come.
    pub(super) attempts: u8,
    /// Milliseconds that the server asked it to stay away.
    pub(super) retry_after: Option<u64>,
    /// When it was its turn to come; 0 where nobody waits for it.
    pub(super) begun: u64,
    pub(super) token: Box<str>,
    pub(super) subscriptions: Box<[Subscription]>,
    /// The beginning of a frame.
    pub(super) partial: Vec<u8>,
    /// What has to be written.
    pub(super) unwritten: Vec<u8>,
    /// Only publishers have some.
    pub(super) unanswered: VecDeque<Unanswered>,
}

impl Connection {
    pub(super) fn new(person: Person) -> Self {
        let subscription = |room| Subscription { room, position: Position::default() };
        Self {
            socket: None,
            stage: Stage::Away,
            stops: person.stops,
            is_wanted: false,
            goal: Goal::Open,
            waits_to_write: false,
            asked: 0,
            opened: 0,
            last_id: AUTH,
            attempts: 0,
            retry_after: None,
            begun: 0,
            token: person.token.into(),
            subscriptions: person.rooms.into_iter().map(subscription).collect(),
            partial: Vec::new(),
            unwritten: Vec::new(),
            unanswered: VecDeque::new(),
        }
    }

    /// Closes the socket, whatever was on its way; positions and unanswered sends stay.
    pub(super) fn leave(&mut self) {
        self.socket = None;
        self.waits_to_write = false;
        self.asked = 0;
        self.opened = 0;
        self.last_id = AUTH;
        self.partial = Vec::new();
        self.unwritten = Vec::new();
    }

    /// Returns its subscription of a room.
    pub(super) fn subscription(&mut self, room: u32) -> Option<&mut Subscription> {
        let at = self.subscriptions.binary_search_by_key(&room, |subscription| subscription.room).ok()?;
        self.subscriptions.get_mut(at)
    }

    /// Returns whether it is there and reads.
    pub(super) const fn hears(&self) -> bool {
        matches!(self.stage, Stage::Ready)
    }

    /// Returns the next command's id.
    pub(super) const fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }
}
