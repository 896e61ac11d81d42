//! A client that knows nothing of our types: JSON as the contract writes it, in and out. Whatever it
//! hears is held against the contract.
//!
//! It keeps what it hears in the order in which it came, so that a test can say what must have come
//! first. Waiting for anything is bounded; the bound is for tests that fail, not for those that pass.

#[cfg(feature = "contract")]
use crate::contract::expect_frame;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long a test waits before it says that nothing came.
const PATIENCE: Duration = Duration::from_secs(30);

/// One WebSocket that speaks `rookery.v1.json`.
#[derive(Debug)]
pub struct Wire {
    socket: WebSocketStream<TcpStream>,
    next_id: u64,
    /// What was asked, for holding the replies against the contract.
    asked: HashMap<u64, String>,
    /// Events that came while a reply was waited for.
    events: VecDeque<Value>,
    /// Replies that came while an event was waited for.
    replies: VecDeque<Value>,
    /// Whether it hears what comes from rooms that it has not asked for.
    hears_background: bool,
}

/// What came next.
#[derive(Debug)]
pub enum Heard {
    /// A reply or an event.
    Said(Value),
    /// The close frame's code; 1006 where the socket just ended.
    Closed(u16),
}

impl Wire {
    /// Opens a socket and takes its `hello`.
    ///
    /// # Panics
    /// When there is none.
    pub async fn open(server: SocketAddr) -> Self {
        let mut wire = Self::dial(server, "/v1/ws").await;
        assert_eq!(wire.event().await["ev"], "hello", "the server speaks first");
        wire
    }

    /// Opens a socket at `path` and takes nothing from it.
    ///
    /// # Panics
    /// When the server does not upgrade.
    pub async fn dial(server: SocketAddr, path: &str) -> Self {
        let tcp = TcpStream::connect(server).await.expect("the server takes connections");
        Self::upgrade(tcp, server, path).await
    }

    async fn upgrade(tcp: TcpStream, server: SocketAddr, path: &str) -> Self {
        let mut request =
            format!("ws://{server}{path}").into_client_request().expect("it is a WebSocket address");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "rookery.v1.json".parse().expect("it is a header value"));
        let (socket, _) = client_async(request, tcp).await.expect("the server upgrades");
        Self {
            socket,
            next_id: 1,
            asked: HashMap::new(),
            events: VecDeque::new(),
            replies: VecDeque::new(),
            hears_background: false,
        }
    }

    /// Opens a socket, takes its `hello` and authenticates.
    ///
    /// # Panics
    /// When the token is refused.
    pub async fn log_in(server: SocketAddr, token: &str) -> Self {
        Self::open(server).await.authenticated(token).await
    }

    /// Does the same from this address of the machine.
    ///
    /// # Panics
    /// When the machine does not have the address, or the token is refused.
    pub async fn log_in_from(from: IpAddr, server: SocketAddr, token: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket.bind(SocketAddr::new(from, 0)).expect("it is an address of this machine");
        let tcp = socket.connect(server).await.expect("the server takes connections");
        let mut wire = Self::upgrade(tcp, server, "/v1/ws").await;
        assert_eq!(wire.event().await["ev"], "hello", "the server speaks first");
        wire.authenticated(token).await
    }

    async fn authenticated(mut self, token: &str) -> Self {
        self.ok("auth", json!({ "token": token })).await;
        self
    }

    /// Has it hear `room.head` and the notices in its inbox too, which most tests have no use for.
    #[must_use]
    pub const fn with_background(mut self) -> Self {
        self.hears_background = true;
        self
    }

    /// Sends a command and returns its id.
    ///
    /// # Panics
    /// When the socket has ended.
    pub async fn send(&mut self, op: &str, d: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.asked.insert(id, op.to_owned());
        self.raw(Message::text(json!({ "id": id, "op": op, "d": d }).to_string())).await;
        id
    }

    /// Sends a WebSocket message as it is.
    ///
    /// # Panics
    /// When the socket has ended.
    pub async fn raw(&mut self, message: Message) {
        self.socket.send(message).await.expect("the socket is open");
    }

    /// Sends a command and returns its reply.
    ///
    /// # Errors
    /// The content of `err`.
    ///
    /// # Panics
    /// When none comes.
    pub async fn call(&mut self, op: &str, d: Value) -> Result<Value, Value> {
        let id = self.send(op, d).await;
        self.reply(id).await
    }

    /// Sends a command that must be done, and returns what came of it.
    ///
    /// # Panics
    /// When it was not done.
    pub async fn ok(&mut self, op: &str, d: Value) -> Value {
        match self.call(op, d).await {
            Ok(ok) => ok,
            Err(error) => panic!("`{op}` was refused: {error}"),
        }
    }

    /// Sends a command that must be refused, and returns the code.
    ///
    /// # Panics
    /// When it was done.
    pub async fn refused(&mut self, op: &str, d: Value) -> String {
        match self.call(op, d).await {
            Ok(ok) => panic!("`{op}` was done: {ok}"),
            Err(error) => error["code"].as_str().expect("an error has a code").to_owned(),
        }
    }

    /// Waits for the reply to `id`.
    ///
    /// # Errors
    /// The content of `err`.
    ///
    /// # Panics
    /// When the socket ends first.
    pub async fn reply(&mut self, id: u64) -> Result<Value, Value> {
        if let Some(index) = self.replies.iter().position(|reply| reply["id"] == id) {
            return split(self.replies.remove(index).expect("it was found there"));
        }
        loop {
            match self.heard().await {
                Heard::Said(said) if said["id"] == id => return split(said),
                Heard::Said(said) if said.get("ev").is_some() => self.events.push_back(said),
                Heard::Said(said) => self.replies.push_back(said),
                Heard::Closed(code) => panic!("closed with {code} before the reply to {id}"),
            }
        }
    }

    /// Waits for the next event.
    ///
    /// # Panics
    /// When the socket ends first.
    pub async fn event(&mut self) -> Value {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        loop {
            match self.heard().await {
                Heard::Said(said) if said.get("ev").is_some() => return said,
                Heard::Said(said) => self.replies.push_back(said),
                Heard::Closed(code) => panic!("closed with {code} where an event was to come"),
            }
        }
    }

    /// Waits for the next `room.event` and returns its content; no other event may come before it.
    ///
    /// # Panics
    /// When another event comes.
    pub async fn room_event(&mut self) -> Value {
        let mut event = self.event().await;
        assert_eq!(event["ev"], "room.event", "{event}");
        event["d"].take()
    }

    /// Waits for the close frame, past everything else, and returns its code.
    ///
    /// # Panics
    /// When the socket stays open.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.heard().await {
                Heard::Said(said) if said.get("ev").is_some() => self.events.push_back(said),
                Heard::Said(said) => self.replies.push_back(said),
                Heard::Closed(code) => return code,
            }
        }
    }

    /// Returns the events that came but were not asked for yet.
    pub fn unasked(&mut self) -> Vec<Value> {
        self.events.drain(..).collect()
    }

    /// Asks the server something harmless and waits for the answer: everything it had to say to
    /// this connection before has been heard by then.
    ///
    /// # Panics
    /// When the socket has ended.
    pub async fn settle(&mut self) {
        self.ok("ping", json!({})).await;
    }

    /// Hears what is there, and takes the commands of `ids` that have been refused out of it. Returns
    /// how many.
    ///
    /// # Panics
    /// When the socket has ended.
    pub async fn early_refusals(&mut self, ids: &mut Vec<u64>) -> usize {
        while let Ok(heard) = tokio::time::timeout(Duration::from_millis(1), self.heard()).await {
            match heard {
                Heard::Said(said) => self.replies.push_back(said),
                Heard::Closed(code) => panic!("closed with {code}"),
            }
        }
        let before = ids.len();
        ids.retain(|id| !self.replies.iter().any(|reply| reply["id"] == *id && reply.get("err").is_some()));
        before - ids.len()
    }

    /// Ends the TCP connection without a word.
    pub fn hang_up(self) {
        drop(self);
    }

    /// Waits for whatever comes next.
    ///
    /// # Panics
    /// When nothing does.
    pub async fn heard(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something comes");
            match next {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).expect("the server speaks JSON");
                    #[cfg(feature = "contract")]
                    {
                        let asked = said["id"].as_u64().and_then(|id| self.asked.get(&id));
                        expect_frame(&said, asked.map(String::as_str));
                    }
                    if self.hears_background || !is_background(&said) {
                        return Heard::Said(said);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(1006),
            }
        }
    }
}

/// Whether a client that has only the rooms in mind that it has opened can do without it.
fn is_background(said: &Value) -> bool {
    let kind = said["d"]["body"]["kind"].as_str().unwrap_or_default();
    said["ev"] == "room.head" || (said["ev"] == "room.event" && kind.starts_with("x.notice."))
}

fn split(mut reply: Value) -> Result<Value, Value> {
    if reply.get("ok").is_some() { Ok(reply["ok"].take()) } else { Err(reply["err"].take()) }
}
