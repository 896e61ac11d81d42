//! The one task that owns a socket. It has no channel and no timer: it is woken by the socket, by a
//! push into the outbox, or by a credit that comes back, and then does whatever can be done.

use super::farewell::Farewell;
use super::write::Writing;
use crate::addresses::party;
use crate::served::Served;
use bytes::Bytes;
use rookery_actors::{Node, SessionRef};
use rookery_engine::metrics::Step;
use rookery_engine::trace::Trace;
use rookery_engine::{Connection, Taken};
use rookery_protocol::limits::FRAME_BYTES;
use rookery_protocol::{CloseCode, Command, ErrorCode};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Bytes read from a socket at once. tungstenite keeps and clears a buffer of this size for every
/// connection: half a KiB holds a usual command whole, and 128 KiB, its default, costs 6.5 µs a wake.
const READ_BYTES: usize = 512;

/// Ends that are a peer's own fault: it said what is none, too much at once, or a token that never was good.
const FAULTS: [CloseCode; 6] = [
    CloseCode::ProtocolError,
    CloseCode::InvalidPayload,
    CloseCode::MessageTooBig,
    CloseCode::Malformed,
    CloseCode::AuthFailed,
    CloseCode::TooLarge,
];

/// Bytes that tungstenite may hold of its own frames: pongs and the close frame only.
const CONTROL_BYTES: usize = 4 * 1024;

/// Writes of a connection of which the first is measured: in a fan-out to a thousand the clock and two
/// histograms would cost as much as the encoding.
const WRITES_A_SAMPLE: u8 = 16;

/// How a socket ends: what the close frame said, or 1006 where none was exchanged.
pub(super) const ABNORMAL: u16 = 1006;

/// A socket and what it serves.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: WebSocketStream<TcpStream>,
    /// Tells the node at the end that the peer is gone.
    pub(super) served: Served,
    /// Frames taken from the outbox and not yet written.
    pub(super) writing: Writing,
    /// Commands decoded but without a credit yet; while there are any, nothing is read.
    pub(super) waiting: VecDeque<Decoded>,
    /// Writes begun, of which one in [`WRITES_A_SAMPLE`] is measured.
    writes: u8,
    /// Set once the connection is closing and everything before has been written.
    pub(super) farewell: Option<Farewell>,
    /// What tungstenite may have of the peer's.
    pub(super) inbound: Inbound,
    /// Set when tungstenite can read no further, because the peer broke the protocol.
    pub(super) is_broken: bool,
    /// Set when the peer has sent its close frame.
    pub(super) has_said_goodbye: bool,
    /// Gives messages back, for tests.
    pub(super) echoes: bool,
}

/// A command that waits for its credit.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) command: Command,
    /// Its trace, where it is traced.
    pub(super) trace: Option<Box<Trace>>,
    /// When its last byte was read, and when it had been decoded.
    pub(super) read: Duration,
    pub(super) done: Duration,
}

/// What tungstenite may have of the peer's. Asking it clears its buffer and registers its own wakers, asking the
/// socket reads a word, and most turns of a listener only write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inbound {
    /// Nothing, until the socket is readable.
    Empty,
    /// Perhaps a message.
    Unknown,
    /// Also an answer of its own that is not sent: a pong, or a close frame.
    Owes,
}

/// What a step of a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Go on: there may be more to do at once.
    Again,
    /// Nothing can be done until the task is woken.
    Wait,
    /// The socket has ended, with this code.
    Ended(u16),
}

impl Socket {
    /// `echoes`: the longest message, where messages are given back.
    pub(super) async fn new(
        tcp: TcpStream,
        read_ahead: Bytes,
        served: Served,
        echoes: Option<usize>,
    ) -> Self {
        let longest = echoes.unwrap_or(FRAME_BYTES);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(CONTROL_BYTES)
            .max_write_buffer_size(2 * CONTROL_BYTES)
            .max_message_size(Some(longest))
            .max_frame_size(Some(longest));
        // The usual empty read-ahead would pin hyper's whole buffer.
        let stream = if read_ahead.is_empty() {
            WebSocketStream::from_raw_socket(tcp, Role::Server, Some(config)).await
        } else {
            WebSocketStream::from_partially_read(tcp, read_ahead.to_vec(), Role::Server, Some(config)).await
        };
        Self {
            stream,
            served,
            writing: Writing::default(),
            waiting: VecDeque::new(),
            writes: 0,
            farewell: None,
            inbound: Inbound::Unknown,
            is_broken: false,
            has_said_goodbye: false,
            echoes: echoes.is_some(),
        }
    }

    /// Serves the socket of `peer` to its end.
    pub(super) async fn run(mut self, peer: SocketAddr) {
        let code = poll_fn(|context| self.turn(context)).await;
        tracing::debug!(connection = self.connection().id().0, %peer, code, "connection ended");
        if FAULTS.iter().any(|fault| fault.as_u16() == code) {
            self.say_fault(peer, code);
        }
        self.served.ended(code);
    }

    /// Says in the log that a peer was sent away for what it sent.
    fn say_fault(&self, peer: SocketAddr, code: u16) {
        let (connection, user) =
            (self.connection().id().0, self.connection().identity().map(|(user, _)| user));
        let party = user.map_or(u128::from(party(peer.ip())), |user| user.0.as_u128());
        if let Some(unsaid) = self.node().refused(party, ErrorCode::BadRequest) {
            let user = user.map(tracing::field::display);
            tracing::info!(connection, user, code, unsaid, "closed for what it sent");
        }
    }

    pub(super) const fn node(&self) -> &Arc<Node> {
        self.served.node()
    }

    pub(super) const fn connection(&self) -> &Arc<Connection> {
        self.served.connection()
    }

    pub(super) const fn session(&self) -> &SessionRef {
        self.served.session()
    }

    fn turn(&mut self, context: &mut Context<'_>) -> Poll<u16> {
        // First, since a wake before this turn has used the registration up, and with a full socket
        // nothing else would take the sweeper's abort here.
        self.connection().outbox().wake_with(context);
        loop {
            if self.connection().is_aborted() {
                return Poll::Ready(self.connection().outbox().closing().map_or(ABNORMAL, CloseCode::as_u16));
            }
            if self.farewell.is_some() {
                return self.poll_farewell(context);
            }
            match self.write(context) {
                Turn::Ended(code) => return Poll::Ready(code),
                Turn::Again => continue,
                Turn::Wait => {}
            }
            match self.receive(context) {
                Turn::Ended(code) => return Poll::Ready(code),
                Turn::Again => {}
                Turn::Wait => return Poll::Pending,
            }
        }
    }

    /// Writes all that waits. `Again` means that the connection is to be closed now.
    fn write(&mut self, context: &mut Context<'_>) -> Turn {
        if self.has_said_goodbye {
            // Reading on has tungstenite answer its close frame, and after that nothing may be written.
            return Turn::Wait;
        }
        match self.poll_write(context) {
            Poll::Ready(Ok(None)) | Poll::Pending => Turn::Wait,
            Poll::Ready(Ok(Some(code))) => {
                self.farewell = Some(Farewell::new(code));
                Turn::Again
            }
            Poll::Ready(Err(_)) => Turn::Ended(ABNORMAL),
        }
    }

    /// Reads where that is allowed.
    fn receive(&mut self, context: &mut Context<'_>) -> Turn {
        if !self.has_said_goodbye && !self.may_read(context) {
            return Turn::Wait;
        }
        match self.poll_read(context) {
            Poll::Ready(turn) => turn,
            Poll::Pending => Turn::Wait,
        }
    }

    /// Hands on what has been decoded. Returns whether more is to be read; if not, the task is woken
    /// when that may have changed.
    fn may_read(&mut self, context: &Context<'_>) -> bool {
        // In the middle of a frame nothing else may be written, and reading may answer a ping. Once the
        // socket is to be closed nothing more is taken from this peer, however slowly it reads.
        if self.writing.is_amid_a_frame() || self.is_broken {
            return false;
        }
        self.connection().outbox().asks_for_more() && self.dispatch(context)
    }

    /// Writes until nothing waits, or the socket takes no more. Returns the code to close with, if it is time.
    /// The turn has had itself registered with the outbox.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<Option<CloseCode>>> {
        let now = self.node().clock().elapsed();
        let mut taken = Taken::Frames;
        if self.writing.is_empty() {
            taken = self.served.connection().outbox().take(self.writing.frames(), now);
        }
        loop {
            match taken {
                Taken::Nothing => return Poll::Ready(Ok(None)),
                Taken::Close(code) => return Poll::Ready(Ok(Some(code))),
                Taken::Frames => {}
            }
            let begun = self.sample().then(|| self.node().clock().elapsed());
            let (tracer, connection) = (self.served.node().tracer(), self.served.connection().id());
            let is_traced = tracer.awaits_writes();
            let written = ready!(self.writing.poll(context, &mut self.stream, |frame| {
                if is_traced {
                    tracer.wrote(connection, frame);
                }
            }))?;
            let metrics = self.served.node().metrics();
            if let Some(begun) = begun {
                let took = self.served.node().clock().elapsed().saturating_sub(begun);
                metrics.commands.step(Step::Write).record(took.as_secs_f64());
            }
            metrics.edge.frames_out.increment(written.frames as u64);
            metrics.edge.bytes_out.increment(written.bytes as u64);
            let written = (written.frames, written.bytes);
            taken = self.served.connection().outbox().wrote_and_take(written, self.writing.frames(), now);
        }
    }

    /// Says whether the write that begins is measured, and if so, what is to be written.
    #[expect(clippy::cast_precision_loss, reason = "an outbox is bounded")]
    fn sample(&mut self) -> bool {
        let is_sample = self.writes.is_multiple_of(WRITES_A_SAMPLE);
        self.writes = self.writes.wrapping_add(1);
        if is_sample {
            let frames = self.writing.frames().len();
            let edge = &self.node().metrics().edge;
            edge.outbox_frames.record(frames as f64);
            edge.outbox_bytes.record(self.connection().outbox().bytes() as f64);
        }
        is_sample
    }
}
