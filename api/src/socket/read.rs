//! Steps 1 and 2 of a message: bytes in, limits, decode, and a credit before it goes on.

use super::task::{ABNORMAL, Socket, Turn};
use futures_util::Stream;
use rookery_actors::SessionMessage;
use rookery_engine::trace::Arrival;
use rookery_protocol::{CloseCode, Codec, ErrorCode, Frame, Reply, ServerEvent, WireError, websocket_frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio_tungstenite::tungstenite::{Error, Message};

impl Socket {
    /// Sends decoded commands to the session as far as there are credits. Returns whether all went;
    /// if not, the task is woken when a credit comes back.
    pub(super) fn dispatch(&mut self, context: &Context<'_>) -> bool {
        while !self.waiting.is_empty() {
            let Some(credit) = self.connection.credits().poll_take(context) else { return false };
            if let Some((command, trace)) = self.waiting.pop_front() {
                let credit = credit.with(trace);
                // A session that has died has closed the connection.
                drop(self.session.send_message(SessionMessage::Command(command, credit)));
            }
        }
        true
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        let arrival = self.node.tracer().arrive();
        let message = ready!(Pin::new(&mut self.stream).poll_next(context));
        self.connection.heard(self.node.clock().elapsed());
        Poll::Ready(match message {
            Some(Ok(Message::Text(text))) => self.frame(Codec::Json, text.as_bytes(), arrival),
            Some(Ok(Message::Binary(bytes))) => self.frame(Codec::MessagePack, &bytes, arrival),
            // tungstenite answers it when it is read on, and then ends the stream.
            Some(Ok(Message::Close(_))) => {
                self.has_said_goodbye = true;
                Turn::Again
            }
            // tungstenite answers pings.
            Some(Ok(_)) => Turn::Again,
            Some(Err(error)) => self.broken(&error),
            None => Turn::Ended(1000),
        })
    }

    fn frame(&mut self, kind: Codec, bytes: &[u8], mut arrival: Option<Arrival>) -> Turn {
        self.node.metrics().frames_in.increment(1);
        self.node.metrics().bytes_in.increment(bytes.len() as u64);
        let codec = self.connection.codec();
        if kind != codec {
            let why = WireError::new(
                ErrorCode::Unsupported,
                format!("this connection speaks {}", codec.subprotocol()),
            );
            return self.refuse(CloseCode::Unsupported, why);
        }
        if let Some(arrival) = &mut arrival {
            arrival.decode();
        }
        match codec.decode_commands(bytes) {
            Ok(incoming) => {
                for command in incoming.commands {
                    match command {
                        Ok(command) => {
                            let (op, connection) = (command.op.name(), self.connection.id());
                            let trace = arrival.as_ref().and_then(|arrival| arrival.command(op, connection));
                            self.waiting.push_back((command, trace));
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

    /// Answers a command that could not be understood; the connection goes on.
    fn reject(&self, rejected: rookery_protocol::Rejected) {
        self.node.metrics().errors.of(rejected.error.code.as_str()).increment(1);
        match rejected.id {
            Some(id) => {
                let codec = self.connection.codec();
                let reply = Reply::err(id, rejected.error);
                let payload = codec.encode(&reply).expect("what the server says can be encoded");
                self.connection.push_encoded(websocket_frame(codec, &payload));
            }
            None => drop(self.connection.push_reply(&Frame::server(ServerEvent::Error(rejected.error)))),
        }
    }

    /// Says what was wrong, and closes: after it, nothing this peer says can be trusted.
    fn refuse(&mut self, code: CloseCode, why: WireError) -> Turn {
        self.node.metrics().errors.of(why.code.as_str()).increment(1);
        let error = Frame::server(ServerEvent::Error(why));
        self.connection.close(code, Some(&error), self.node.clock().elapsed());
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
                self.connection.close(CloseCode::InvalidPayload, None, self.node.clock().elapsed());
                Turn::Again
            }
            Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )
            | Error::Io(_) => Turn::Ended(ABNORMAL),
            Error::Protocol(_) => {
                self.connection.close(CloseCode::ProtocolError, None, self.node.clock().elapsed());
                Turn::Again
            }
            _ => Turn::Ended(1000),
        }
    }
}
