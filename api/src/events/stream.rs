//! The body of a stream: what is in the connection's outbox, as text, whenever hyper has room for it.
//!
//! hyper asks for more only when the peer has taken enough of what was before; that is how a slow
//! reader shows here, as a full socket does with a WebSocket. What was given counts as written once
//! hyper asks again.

use super::positions::Positions;
use super::tell::Telling;
use crate::served::Served;
use bytes::Bytes;
use rookery_engine::Taken;
use rookery_protocol::{CloseCode, Codec, Frame, ServerEvent};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes given to hyper at once, the last event's end beyond it.
///
/// As much as hyper holds for a connection by default of `server.header_bytes`.
const CHUNK_BYTES: usize = 16 * 1024;

/// Milliseconds after which a browser comes back, unless the server says otherwise when it ends the
/// stream.
const RETRY_MS: u32 = 2000;

/// The code of a stream that its reader has left.
const LEFT: u16 = 1000;

/// A stream of events.
pub(super) struct EventStream {
    served: Served,
    telling: Telling,
    /// Taken from the outbox and not told yet.
    frames: VecDeque<Bytes>,
    /// Frames and bytes of the outbox in what hyper was given last.
    given: (usize, usize),
    /// How it ended, once it has.
    ended: Option<u16>,
}

impl EventStream {
    /// Tells `positions` on, once the session says who listens.
    pub(super) fn begin(served: Served, positions: Positions) -> Self {
        let telling = Telling::new(positions, RETRY_MS);
        Self { served, telling, frames: VecDeque::new(), given: (0, 0), ended: None }
    }

    /// Counts what hyper was given before as written: it asks for more.
    fn take_note(&mut self) {
        let (frames, bytes) = std::mem::take(&mut self.given);
        if frames == 0 {
            return;
        }
        let (node, connection) = (self.served.node(), self.served.connection());
        let now = node.clock().elapsed();
        node.metrics().edge.frames_out.increment(frames as u64);
        node.metrics().edge.bytes_out.increment(bytes as u64);
        connection.outbox().wrote(frames, bytes, now);
        // It reads: that is all that such a peer can say.
        connection.heard(now);
    }

    /// Tells what was taken, as far as one chunk goes.
    fn chunk(&mut self) -> Bytes {
        let tracer = self.served.node().tracer();
        let is_traced = tracer.awaits_writes();
        while self.telling.len() < CHUNK_BYTES
            && let Some(frame) = self.frames.pop_front()
        {
            self.given.0 += 1;
            self.given.1 += frame.len();
            if is_traced {
                tracer.wrote(self.served.connection().id(), &frame);
            }
            self.telling.tell(&frame, &self.served);
        }
        self.telling.take()
    }

    /// Says how it ended where nobody has, and what it ended with.
    fn farewell(&mut self, code: CloseCode) -> Bytes {
        self.ended = Some(code.as_u16());
        if !self.telling.has_said_bye() {
            let bye = Frame::server(ServerEvent::bye(code, None));
            self.telling.tell(&bye.bytes(Codec::Json), &self.served);
        }
        self.telling.take()
    }
}

impl hyper::body::Body for EventStream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        this.take_note();
        let text = loop {
            if this.ended.is_some() || this.served.connection().is_aborted() {
                return Poll::Ready(None);
            }
            let mut end = None;
            if this.frames.is_empty() {
                let now = this.served.node().clock().elapsed();
                match this.served.connection().outbox().poll_take(context, &mut this.frames, now) {
                    Taken::Frames => {}
                    Taken::Nothing => return Poll::Pending,
                    Taken::Close(code) => end = Some(code),
                }
            }
            let text = match end {
                Some(code) => this.farewell(code),
                None => this.chunk(),
            };
            if !text.is_empty() {
                break text;
            }
            // Nothing of it was for this reader.
            this.take_note();
        };
        Poll::Ready(Some(Ok(hyper::body::Frame::data(text))))
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.served.ended(self.ended.unwrap_or(LEFT));
    }
}
