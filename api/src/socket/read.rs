//! Steps 1 and 2 of a message: bytes in, limits, decode, and a credit before it goes on.

use super::task::{ABNORMAL, Decoded, Inbound, Socket, Turn};
use futures_util::{Sink, Stream};
use rookery_actors::{Arrival, SessionMessage};
use rookery_engine::Credit;
use rookery_engine::metrics::Step;
use rookery_engine::trace::Reading;
use rookery_protocol::{CloseCode, Codec, ErrorCode, Frame, Reply, ServerEvent, WireError, websocket_frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};

impl Socket {
    /// Sends decoded commands to the session as far as there are credits. Returns whether all went;
    /// if not, the task is woken when a credit comes back.
    pub(super) fn dispatch(&mut self, context: &Context<'_>) -> bool {
        if self.waiting.is_empty() {
            return true;
        }
        let sent = self.node().clock().elapsed();
        while !self.waiting.is_empty() {
            let Some(credit) = self.connection().credits().poll_take(context) else { return false };
            if let Some(decoded) = self.waiting.pop_front() {
                self.tell(decoded, credit, sent);
            }
        }
        // An idle connection keeps no heap.
        self.waiting.shrink_to(0);
        true
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        if self.inbound == Inbound::Empty {
            // An error shows when it is read.
            drop(ready!(self.stream.get_ref().poll_read_ready(context)));
            self.inbound = Inbound::Unknown;
        }
        let reading = self.node().tracer().read();
        let Poll::Ready(message) = Pin::new(&mut self.stream).poll_next(context) else {
            let owes =
                self.inbound == Inbound::Owes && Pin::new(&mut self.stream).poll_flush(context).is_pending();
            self.inbound = if owes { Inbound::Owes } else { Inbound::Empty };
            return Poll::Pending;
        };
        let now = self.node().clock().elapsed();
        if let Some(trip) = self.connection().heard(now) {
            self.node().metrics().edge.ping_seconds.record(trip.as_secs_f64());
        }
        Poll::Ready(match message {
            Some(Ok(Message::Text(text))) => self.frame(Codec::Json, text.as_bytes(), now, reading),
            Some(Ok(Message::Binary(bytes))) => self.frame(Codec::MessagePack, &bytes, now, reading),
            // tungstenite answers it when it is read on, and then ends the stream.
            Some(Ok(Message::Close(_))) => {
                self.has_said_goodbye = true;
                self.inbound = Inbound::Owes;
                Turn::Again
            }
            // tungstenite answers pings.
            Some(Ok(_)) => {
                self.inbound = Inbound::Owes;
                Turn::Again
            }
            Some(Err(error)) => self.broken(&error),
            None => Turn::Ended(1000),
        })
    }

    fn frame(&mut self, kind: Codec, bytes: &[u8], read: Duration, mut reading: Option<Reading>) -> Turn {
        self.node().metrics().edge.frames_in.increment(1);
        self.node().metrics().edge.bytes_in.increment(bytes.len() as u64);
        let codec = self.connection().codec();
        if kind != codec {
            let why = WireError::new(
                ErrorCode::Unsupported,
                format!("this connection speaks {}", codec.subprotocol()),
            );
            return self.refuse(CloseCode::Unsupported, why);
        }
        if let Some(reading) = &mut reading {
            reading.decode();
        }
        let incoming = codec.decode_commands(bytes);
        let decoded = self.node().clock().elapsed();
        let took = decoded.saturating_sub(read).as_secs_f64();
        self.node().metrics().commands.step(Step::Decode).record(took);
        match incoming {
            Ok(incoming) => {
                for command in incoming.commands {
                    match command {
                        Ok(command) => {
                            let (op, connection) = (command.op.name(), self.connection().id());
                            let trace = reading.as_ref().and_then(|reading| reading.command(op, connection));
                            self.hand_on(Decoded { command, trace, read, done: decoded });
                        }
                        Err(rejected) => self.reject(rejected),
                    }
                }
                Turn::Again
            }
            Err(error) => {
                self.refuse(CloseCode::Malformed, WireError::new(ErrorCode::BadRequest, error.to_string()))
            }
        }
    }

    /// Sends a command to the session, or keeps it where others wait or no credit is free.
    fn hand_on(&mut self, decoded: Decoded) {
        let credit = if self.waiting.is_empty() { self.connection().credits().take() } else { None };
        match credit {
            Some(credit) => {
                let sent = self.node().clock().elapsed();
                self.tell(decoded, credit, sent);
            }
            None => self.waiting.push_back(decoded),
        }
    }

    fn tell(&self, decoded: Decoded, credit: Credit, sent: Duration) {
        let Decoded { command, trace, read, done } = decoded;
        let receive = self.node().metrics().commands.step(Step::Receive);
        receive.record(sent.saturating_sub(done).as_secs_f64());
        self.session().tell(SessionMessage::Command(command, credit.with(trace), Arrival { read, sent }));
    }

    /// Answers a command that could not be understood; the connection goes on.
    fn reject(&self, rejected: rookery_protocol::Rejected) {
        self.node().metrics().commands.error(rejected.error.code);
        match rejected.id {
            Some(id) => {
                let codec = self.connection().codec();
                let reply = Reply::err(id, rejected.error);
                let payload = codec.encode(&reply).expect("what the server says can be encoded");
                self.connection().push_encoded(websocket_frame(codec, &payload));
            }
            None => drop(self.connection().push_reply(&Frame::server(ServerEvent::Error(rejected.error)))),
        }
    }

    /// Says what was wrong, and closes: after it, nothing this peer says can be trusted.
    fn refuse(&mut self, code: CloseCode, why: WireError) -> Turn {
        self.node().metrics().commands.error(why.code);
        let error = Frame::server(ServerEvent::Error(why));
        self.connection().close(code, Some(&error), self.node().clock().elapsed());
        Turn::Again
    }

    /// tungstenite reads no further.
    fn broken(&mut self, error: &Error) -> Turn {
        self.is_broken = true;
        match error {
            Error::Capacity(_) => self.refuse(
                CloseCode::TooLarge,
                WireError::new(
                    ErrorCode::TooLarge,
                    format!("a frame has at most {} bytes", rookery_protocol::limits::FRAME_BYTES),
                ),
            ),
            Error::Utf8(_) => {
                self.connection().close(CloseCode::InvalidPayload, None, self.node().clock().elapsed());
                Turn::Again
            }
            Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )
            | Error::Io(_) => Turn::Ended(ABNORMAL),
            Error::Protocol(_) => {
                self.connection().close(CloseCode::ProtocolError, None, self.node().clock().elapsed());
                Turn::Again
            }
            _ => Turn::Ended(1000),
        }
    }
}
