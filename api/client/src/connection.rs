//! One WebSocket connection, as it is: no retries, no reconnect, everything in the order in which
//! it arrived.

mod error;
mod open;

pub use error::{CallError, Closed, OpenError};
pub use open::Credential;

use crate::notice::Notice;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rookery_protocol::{
    Authenticated, COMMAND_ID_MAX, Codec, Command, CommandId, Hello, Op, RawBody, ServerFrame, WireError,
};
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::future::poll_fn;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Frames that are kept while a call waits for its reply; the replay of a room and as much again.
const BACKLOG: usize = 2_048;

/// A connection. Dropping it breaks it off without a word.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<TcpStream>,
    codec: Codec,
    /// Set before the connection is handed out.
    hello: Option<Box<Hello>>,
    who: Option<Box<Authenticated>>,
    last_id: CommandId,
    backlog: VecDeque<Incoming>,
    closed: Option<Closed>,
    heard_at: Instant,
    /// Something was written and not yet flushed, perhaps because a flush was dropped.
    is_unflushed: bool,
    bytes_in: u64,
    bytes_out: u64,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// The reply to a command.
    Reply {
        /// Which.
        id: CommandId,
        /// What came of it.
        outcome: Result<RawBody, WireError>,
    },
    /// Something unasked.
    Notice(Notice),
    /// The end. It is all that arrives from now on.
    Closed(Closed),
}

impl Connection {
    /// Returns how the server introduced itself.
    ///
    /// # Panics
    /// Never: who is not greeted has no connection.
    pub fn hello(&self) -> &Hello {
        self.hello.as_deref().expect("a connection is greeted before it is handed out")
    }

    /// Returns who speaks, once that is known.
    pub fn who(&self) -> Option<&Authenticated> {
        self.who.as_deref()
    }

    /// Returns the codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns when anything, a ping included, was last heard.
    pub fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// Returns the bytes of WebSocket payload that came in and went out.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes_in, self.bytes_out)
    }

    /// Sends a command and returns the id that its reply will have.
    ///
    /// # Errors
    /// When the connection has ended.
    ///
    /// # Cancel safety
    /// The command was either not sent, and then the id is not used, or will be with the next use.
    pub async fn send(&mut self, op: &Op) -> Result<CommandId, Closed> {
        self.ready().await?;
        let id = self.put(op)?;
        self.flush().await?;
        Ok(id)
    }

    /// Waits until a command can be written.
    pub(crate) async fn ready(&mut self) -> Result<(), Closed> {
        let ready = poll_fn(|cx| self.socket.poll_ready_unpin(cx)).await;
        ready.map_err(|error| self.end(Closed::of(&error)))
    }

    /// Writes a command into the buffer; [`Connection::ready`] comes before, a flush after it.
    pub(crate) fn put(&mut self, op: &Op) -> Result<CommandId, Closed> {
        let id = if self.last_id == COMMAND_ID_MAX { 1 } else { self.last_id + 1 };
        let command = Command { id, op: op.clone() };
        let frame = self.codec.encode(&command).expect("own types can be encoded");
        let message = if self.codec.is_text() {
            Message::text(String::from_utf8(frame).expect("JSON is UTF-8"))
        } else {
            Message::binary(frame)
        };
        self.put_message(message)?;
        self.last_id = id;
        Ok(id)
    }

    /// Has everything that was written sent.
    pub(crate) async fn flush(&mut self) -> Result<(), Closed> {
        if self.is_unflushed {
            let flushed = self.socket.flush().await;
            flushed.map_err(|error| self.end(Closed::of(&error)))?;
            self.is_unflushed = false;
        }
        Ok(())
    }

    /// Sends a text frame of any content.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Closed> {
        self.send_message(Message::text(text.into())).await
    }

    /// Sends a binary frame of any content.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), Closed> {
        self.send_message(Message::binary(bytes.into())).await
    }

    /// Says goodbye; the peer's goodbye then arrives as [`Incoming::Closed`].
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn close(&mut self, code: u16) -> Result<(), Closed> {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.send_message(Message::Close(Some(frame))).await
    }

    /// Gives up the WebSocket for the bytes below it, for tests of half frames.
    pub fn into_stream(self) -> TcpStream {
        self.socket.into_inner()
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Closed> {
        self.ready().await?;
        self.put_message(message)?;
        self.flush().await
    }

    fn put_message(&mut self, message: Message) -> Result<(), Closed> {
        self.bytes_out += message.len() as u64;
        self.is_unflushed = true;
        self.socket.start_send_unpin(message).map_err(|error| self.end(Closed::of(&error)))
    }

    /// Returns what arrives next, in the order of arrival.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Incoming {
        match self.backlog.pop_front() {
            Some(incoming) => incoming,
            None => self.receive().await,
        }
    }

    /// Waits for the reply to the command `id`. What else arrives is kept for [`Connection::next`].
    ///
    /// # Errors
    /// See [`CallError`].
    ///
    /// # Cancel safety
    /// The reply is then kept for `next` as well.
    pub async fn wait(&mut self, id: CommandId) -> Result<RawBody, CallError> {
        let is_it = |incoming: &Incoming| matches!(incoming, Incoming::Reply { id: of, .. } if *of == id);
        if let Some(index) = self.backlog.iter().position(is_it)
            && let Some(Incoming::Reply { outcome, .. }) = self.backlog.remove(index)
        {
            return Ok(outcome?);
        }
        loop {
            match self.receive().await {
                Incoming::Reply { id: of, outcome } if of == id => return Ok(outcome?),
                Incoming::Closed(closed) => return Err(closed.into()),
                _ if self.backlog.len() >= BACKLOG => return Err(CallError::Backlog),
                other => self.backlog.push_back(other),
            }
        }
    }

    /// Sends a command, waits for its reply and reads it as `T`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<T: DeserializeOwned>(&mut self, op: &Op) -> Result<T, CallError> {
        let id = self.send(op).await?;
        Ok(self.wait(id).await?.read()?)
    }

    async fn receive(&mut self) -> Incoming {
        loop {
            if let Some(closed) = &self.closed {
                return Incoming::Closed(closed.clone());
            }
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Incoming::Closed(self.end(Closed::of(&error))),
                None => return Incoming::Closed(self.end(Closed::broken("the peer is gone"))),
            };
            self.heard_at = Instant::now();
            self.bytes_in += message.len() as u64;
            if let Some(incoming) = self.read(&message) {
                return incoming;
            }
        }
    }

    fn read(&mut self, message: &Message) -> Option<Incoming> {
        let bytes: &[u8] = match message {
            Message::Text(text) if self.codec.is_text() => text.as_bytes(),
            Message::Binary(bytes) if !self.codec.is_text() => bytes,
            // Pings are answered by the socket itself, at the next read or write.
            Message::Ping(_) | Message::Pong(_) => return None,
            Message::Close(frame) => {
                let closed = Closed::by_peer(frame.as_ref().map(|frame| frame.code.into()));
                return Some(Incoming::Closed(self.end(closed)));
            }
            _ => return Some(Incoming::Closed(self.end(Closed::broken("a frame of the other codec")))),
        };
        let incoming = self.codec.decode_server(bytes).and_then(|frame| {
            Ok(match frame {
                ServerFrame::Ok { id, body } => Incoming::Reply { id, outcome: Ok(body) },
                ServerFrame::Err { id, error } => Incoming::Reply { id, outcome: Err(error) },
                ServerFrame::Event { ev, body } => Incoming::Notice(Notice::read(ev, body)?),
            })
        });
        Some(incoming.unwrap_or_else(|error| Incoming::Closed(self.end(Closed::broken(error.to_string())))))
    }

    fn end(&mut self, closed: Closed) -> Closed {
        self.closed.get_or_insert(closed).clone()
    }
}
