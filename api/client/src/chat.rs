//! What a good client does (docs/protocol/clients.md): it keeps a position for each room and every
//! unanswered command, comes back when the connection ends, and goes on there.
//!
//! It has no task: [`Chat::next`] moves everything and returns what happened, one thing at a time
//! and in the order in which it happened on the wire.

mod arrive;
mod connect;
mod follow;
mod outbox;

pub use outbox::{Full, Handle};

use crate::account::{Login, Tokens};
use crate::backoff::Backoff;
use crate::connection::{Closed, Connection, OpenError};
use crate::http::HttpError;
use crate::notice::Signal;
use crate::server_url::ServerUrl;
use crate::servers::Servers;
use connect::{Connecting, Keys, Refreshing};
use follow::Followed;
use outbox::{Asked, Outbox};
use rookery_protocol::{
    Authenticated, Codec, CommandId, Event, Message, Op, RawBody, RoomId, RoomOpened, Seq, WireError,
};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The time for an answer on a live connection; then the connection is taken for dead.
///
/// Above the server's own limits for its store; a command that is late is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A conversation with a server, over as many connections as it takes.
#[derive(Debug)]
pub struct Chat {
    servers: Servers,
    codec: Codec,
    keys: Keys,
    phase: Phase,
    backoff: Backoff,
    rooms: HashMap<RoomId, Followed>,
    outbox: Outbox,
    asked: HashMap<CommandId, (Asked, Instant)>,
    news: VecDeque<News>,
    /// What the last `bye` asked for.
    come_back_after: Option<Duration>,
    /// Where the last `bye` sent it.
    come_back_to: Option<ServerUrl>,
    /// Goes on from one connection to the next.
    refreshing: Option<Refreshing>,
    /// When to show the live connection the fresh token.
    auth_due: Option<Instant>,
    totals: Totals,
}

/// Where the connection is.
#[derive(Debug)]
enum Phase {
    /// The tokens are being replaced first: there is a `refreshing`.
    Renewing,
    Connecting(Connecting),
    Live(Box<Connection>),
    Waiting(Pin<Box<Sleep>>),
    /// Given up, or not begun.
    Off,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum News {
    /// A connection is there, the `number`th.
    Connected {
        /// Counted from 1.
        number: u32,
        /// Who speaks on it.
        who: Box<Authenticated>,
    },
    /// The tokens were replaced; the old ones are spent.
    Refreshed(Box<Tokens>),
    /// A command was written to the socket.
    Sent {
        /// Just before that.
        at: Instant,
        /// Which.
        handle: Handle,
        /// What, with its `attempt`.
        op: Arc<Op>,
        /// 1 at first.
        attempt: u32,
    },
    /// A command was answered, and that was the last of it.
    Answered {
        /// Which.
        handle: Handle,
        /// What was asked.
        op: Arc<Op>,
        /// What came of it.
        outcome: Result<RawBody, WireError>,
    },
    /// A command was refused for now and will be sent again.
    PutOff {
        /// Which.
        handle: Handle,
        /// What was asked.
        op: Arc<Op>,
        /// Why.
        error: WireError,
    },
    /// A followed room is open.
    Opened {
        /// The position that was asked for.
        after: Option<Seq>,
        /// When it was asked for.
        asked: Instant,
        /// The answer.
        opened: Box<RoomOpened>,
    },
    /// A followed room cannot be opened; it is not followed any more.
    NotOpened {
        /// Which.
        room: RoomId,
        /// Why.
        error: WireError,
    },
    /// An event came over a stream.
    Event(Box<Event>),
    /// A message or a notice was on a page that a reset made necessary, as it is now.
    Paged {
        /// When the page was asked for.
        asked: Instant,
        /// The room's newest position, as the page says.
        head: Seq,
        /// It.
        message: Box<Message>,
    },
    /// Something was said that is not kept: how far members are, who is typing.
    Signal(Box<Signal>),
    /// A followed room was closed for slowness; it is being opened again.
    Lagged {
        /// Which.
        room: RoomId,
    },
    /// This user is no member of the room any more; it is not followed any more.
    Removed {
        /// Which.
        room: RoomId,
        /// The end.
        seq: Seq,
    },
    /// The connection ended; the next one is under way.
    Closed(Closed),
    /// A connection could not be made; the next try is under way.
    Failed(Arc<OpenError>),
}

/// Why a conversation is over.
#[derive(Debug, thiserror::Error)]
pub enum GaveUp {
    /// The server closed with a code that says not to come back.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The server does not accept who one is.
    #[error(transparent)]
    Login(#[from] HttpError),
    /// It was ended from this side.
    #[error("go on: the conversation was ended")]
    Ended,
}

/// Sums over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Connections that were made.
    pub connections: u32,
    /// Bytes of WebSocket payload that came in.
    pub bytes_in: u64,
    /// Bytes of WebSocket payload that went out.
    pub bytes_out: u64,
}

impl Chat {
    /// Begins a conversation with a server, or with a cluster of which any will do. With `login` it can log
    /// in again when the tokens are lost.
    pub fn new(
        servers: impl Into<Servers>,
        codec: Codec,
        tokens: Tokens,
        login: Option<Login>,
        random: fastrand::Rng,
    ) -> Self {
        let keys = Keys::new(tokens, login);
        let mut chat = Self {
            servers: servers.into(),
            codec,
            keys,
            phase: Phase::Off,
            backoff: Backoff::new(random),
            rooms: HashMap::new(),
            outbox: Outbox::default(),
            asked: HashMap::new(),
            news: VecDeque::new(),
            come_back_after: None,
            come_back_to: None,
            refreshing: None,
            auth_due: None,
            totals: Totals::default(),
        };
        chat.connect();
        chat
    }

    /// Has a command sent, and sent again until it is answered for good. Commands on one room go
    /// out in the order of this call.
    ///
    /// # Errors
    /// [`Full`] when too many wait already; take some [`Chat::next`] first.
    pub fn submit(&mut self, op: Op) -> Result<Handle, Full> {
        self.outbox.push(op)
    }

    /// Has a room heard from after `after`, for good; from its head on without a position.
    pub fn follow(&mut self, room: RoomId, after: Option<Seq>) {
        self.rooms.insert(room, Followed::new(after));
    }

    /// Goes on with these tokens, which somebody else got: on the live connection at once, and for
    /// the connections to come.
    pub fn use_tokens(&mut self, tokens: Tokens) {
        self.refreshing = None;
        self.renewed(tokens);
    }

    /// Returns the position in a followed room; `None` if it is not followed or not yet known.
    pub fn position(&self, room: RoomId) -> Option<Seq> {
        self.rooms.get(&room)?.position
    }

    /// Returns whether a room is followed.
    pub fn is_following(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    /// Returns whether everything that was submitted is answered and no page is owed.
    pub fn is_quiet(&self) -> bool {
        self.outbox.is_empty() && self.rooms.values().all(|room| room.owed.is_none())
    }

    /// Returns how many commands wait for their answer.
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Returns the sums, the live connection included.
    pub fn totals(&self) -> Totals {
        let (bytes_in, bytes_out) =
            if let Phase::Live(connection) = &self.phase { connection.bytes() } else { (0, 0) };
        Totals {
            bytes_in: self.totals.bytes_in + bytes_in,
            bytes_out: self.totals.bytes_out + bytes_out,
            ..self.totals
        }
    }

    /// Moves the conversation on and returns what happened next. It never returns while nothing
    /// happens.
    ///
    /// # Errors
    /// When it is over; so is every later call.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Result<News, GaveUp> {
        loop {
            if let Some(news) = self.news.pop_front() {
                return Ok(news);
            }
            match &mut self.phase {
                Phase::Off => return Err(GaveUp::Ended),
                Phase::Waiting(sleep) => {
                    tokio::select! {
                        () = sleep.as_mut() => self.connect(),
                        outcome = Refreshing::finish(self.refreshing.as_mut()) => self.refreshed(outcome)?,
                    }
                }
                Phase::Renewing => {
                    let outcome = Refreshing::finish(self.refreshing.as_mut()).await;
                    self.refreshed(outcome)?;
                }
                Phase::Connecting(connecting) => {
                    let made = connecting.finish().await;
                    self.connected(made)?;
                }
                Phase::Live(_) => self.live().await?,
            }
        }
    }

    /// Says goodbye on a live connection, and is over.
    pub async fn end(&mut self) {
        if let Phase::Live(connection) = &mut self.phase {
            // The goodbye is a courtesy: when it fails the connection is gone anyway.
            let _ = connection.close(1000).await;
        }
        self.phase = Phase::Off;
    }
}
