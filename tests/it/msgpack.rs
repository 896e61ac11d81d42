//! A MessagePack client for the tests that compare the codecs.

use futures_util::{SinkExt, StreamExt};
use rookery_protocol::{Codec, ServerFrame};
use serde::Serialize;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// One WebSocket that speaks `rookery.v1.msgpack`.
#[derive(Debug)]
pub(crate) struct Binary(WebSocketStream<TcpStream>);

#[derive(Serialize)]
struct Envelope<'a, D> {
    id: u32,
    op: &'a str,
    d: D,
}

#[derive(Serialize)]
struct Auth<'a> {
    token: &'a str,
}

#[derive(Serialize)]
struct Open {
    room: uuid::Uuid,
    after: u64,
}

impl Binary {
    /// Opens a socket and authenticates.
    pub(crate) async fn log_in(server: SocketAddr, token: &str) -> Self {
        let tcp = TcpStream::connect(server).await.unwrap();
        let mut request = format!("ws://{server}/v1/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "rookery.v1.msgpack".parse().unwrap());
        let (socket, answer) = client_async(request, tcp).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], "rookery.v1.msgpack");
        let mut binary = Self(socket);
        assert!(matches!(binary.heard().await, ServerFrame::Event { ev, .. } if ev == "hello"));
        binary.send("auth", Auth { token }).await;
        assert!(matches!(binary.heard().await, ServerFrame::Ok { .. }));
        binary
    }

    /// Opens a room and takes the reply.
    pub(crate) async fn open(&mut self, room: &Value, after: u64) {
        let room = room.as_str().unwrap().parse().unwrap();
        self.send("room.open", Open { room, after }).await;
        assert!(matches!(self.heard().await, ServerFrame::Ok { .. }));
    }

    async fn send(&mut self, op: &str, d: impl Serialize) {
        let frame = rmp_serde::to_vec_named(&Envelope { id: 1, op, d }).unwrap();
        self.0.send(Message::binary(frame)).await.unwrap();
    }

    /// Waits for the next frame.
    pub(crate) async fn heard(&mut self) -> ServerFrame {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Binary(bytes) => return Codec::MessagePack.decode_server(&bytes).unwrap(),
                Message::Text(text) => panic!("text on a binary connection: {text}"),
                _ => {}
            }
        }
    }
}
