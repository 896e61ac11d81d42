//! A server that does what the test says, where a real one would not or not at that moment. It has
//! no task: the test plays its part while the conversation is moved on.

use futures_util::{SinkExt, StreamExt};
use rookery_client::{Chat, ServerUrl, Tokens};
use rookery_protocol::Codec;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// How long a test waits before it says that nothing came.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The seed of a conversation's chance.
pub(crate) const SEED: u64 = 1;

/// What the test plays.
pub(crate) struct Fake {
    listener: TcpListener,
}

/// A request for fresh tokens that waits for its answer.
pub(crate) struct Refresh {
    stream: TcpStream,
    /// What it was asked with.
    pub(crate) token: String,
}

/// The server's end of a socket.
pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
    /// What it was opened with.
    pub(crate) token: String,
}

/// The `number`th tokens: `a1` and `r1`, and so on.
pub(crate) fn tokens(number: u32, expires_in: u64) -> Tokens {
    serde_json::from_value(grant(number, expires_in)).unwrap()
}

fn grant(number: u32, expires_in: u64) -> Value {
    json!({
        "access_token": format!("a{number}"), "refresh_token": format!("r{number}"), "expires_in": expires_in,
        "session": uuid::Uuid::from_u128(1), "user": alice(),
    })
}

fn alice() -> Value {
    json!({ "id": uuid::Uuid::from_u128(2), "handle": "alice", "name": "Alice" })
}

impl Fake {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap() }
    }

    /// Begins a conversation with the first tokens, which are good for `expires_in` seconds.
    pub(crate) fn chat(&self, expires_in: u64) -> Chat {
        let url = ServerUrl::from(self.listener.local_addr().unwrap());
        Chat::new(url, Codec::Json, tokens(1, expires_in), None, fastrand::Rng::with_seed(SEED))
    }

    /// Begins a conversation and takes its first socket.
    pub(crate) async fn live(&self) -> (Chat, Peer) {
        let mut chat = self.chat(600);
        let (_, peer) = during(&mut chat, self.socket()).await;
        (chat, peer)
    }

    /// Takes the next caller, who must ask for `path`.
    async fn caller(&self, path: &str) -> TcpStream {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut start = [0; 64];
        let length = stream.peek(&mut start).await.unwrap();
        let line = String::from_utf8_lossy(&start[..length]).into_owned();
        assert_eq!(line.split(' ').nth(1), Some(path), "{line}");
        stream
    }

    /// Takes the next caller, who must ask for fresh tokens.
    pub(crate) async fn refresh(&self) -> Refresh {
        let mut stream = self.caller("/v1/auth/refresh").await;
        let mut request = Vec::new();
        loop {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the request is whole");
            let text = String::from_utf8_lossy(&request);
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            if let Ok(asked) = serde_json::from_str::<Value>(body) {
                let token = asked["refresh_token"].as_str().unwrap().to_owned();
                return Refresh { stream, token };
            }
        }
    }

    /// Takes the next caller, who must want a socket, and hangs up.
    pub(crate) async fn no_socket(&self) {
        self.caller("/v1/ws").await;
    }

    /// Takes the next caller, who must want a socket, greets it and believes its token.
    pub(crate) async fn socket(&self) -> Peer {
        let stream = self.caller("/v1/ws").await;
        let mut peer =
            Peer { socket: accept_hdr_async(stream, speak_json).await.unwrap(), token: String::new() };
        let limits = json!({
            "frame_bytes": 65536, "text_bytes": 16384, "batch": 32, "in_flight": 32, "open_rooms": 256,
            "page": 100, "replay": 1000,
        });
        let hello = json!({
            "server": "fake", "node": "fake", "time": 0, "ping_every_ms": 25000, "auth_within_ms": 5000,
            "limits": limits,
        });
        peer.say(json!({ "ev": "hello", "d": hello })).await;
        peer.token = peer.auth().await;
        peer
    }
}

impl Refresh {
    /// Answers with the `number`th tokens.
    pub(crate) async fn grant(self, number: u32) {
        self.answer(200, grant(number, 600)).await;
    }

    /// Answers with a status and a body, and ends the connection.
    pub(crate) async fn answer(mut self, status: u16, body: Value) {
        let body = body.to_string();
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        self.stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

impl Peer {
    pub(crate) async fn say(&mut self, said: Value) {
        self.socket.send(Message::text(said.to_string())).await.unwrap();
    }

    /// Takes the next command.
    pub(crate) async fn command(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Takes the next command, which must be `auth`, believes its token and returns it.
    pub(crate) async fn auth(&mut self) -> String {
        let auth = self.asked_auth().await;
        let who = json!({
            "user": alice(), "session": uuid::Uuid::from_u128(1), "inbox": uuid::Uuid::from_u128(3),
            "expires_at": 0,
        });
        self.say(json!({ "id": auth["id"], "ok": who })).await;
        auth["d"]["token"].as_str().unwrap().to_owned()
    }

    /// Takes the next command, which must be `auth`, refuses it and returns its token.
    pub(crate) async fn refuse_auth(&mut self, error: Value) -> String {
        let auth = self.asked_auth().await;
        self.say(json!({ "id": auth["id"], "err": error })).await;
        auth["d"]["token"].as_str().unwrap().to_owned()
    }

    async fn asked_auth(&mut self) -> Value {
        let command = self.command().await;
        assert_eq!(command["op"], "auth", "{command}");
        command
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
    }
}

/// Moves the conversation on while the server plays its part, and returns what happened to it.
pub(crate) async fn during<T>(
    chat: &mut Chat,
    part: impl Future<Output = T>,
) -> (Vec<rookery_client::News>, T) {
    let mut part = pin!(part);
    let mut news = Vec::new();
    let playing = async {
        loop {
            tokio::select! {
                done = &mut part => return done,
                next = chat.next() => news.push(next.expect("the conversation goes on")),
            }
        }
    };
    let done = tokio::time::timeout(PATIENCE, playing).await.expect("the server gets to the end of its part");
    (news, done)
}

#[expect(
    clippy::result_large_err,
    clippy::unnecessary_wraps,
    reason = "the callback's type is tungstenite's"
)]
fn speak_json(_: &Request, mut answer: Response) -> Result<Response, ErrorResponse> {
    answer.headers_mut().insert("sec-websocket-protocol", "rookery.v1.json".parse().unwrap());
    Ok(answer)
}
