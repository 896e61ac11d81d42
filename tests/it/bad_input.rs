//! Bad input over the socket: a clear answer, nothing changed, and nobody else disturbed.

use crate::rooms::{fresh, group};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// A node, a user with a room of two events, and a bystander that must not notice.
struct Scene {
    node: TestNode,
    alice: TestUser,
    bystander: Wire,
    room: Value,
}

impl Scene {
    async fn set() -> Self {
        let node = TestNode::start().await;
        let alice = node.user("alice").await;
        let mut bystander = Wire::log_in(node.http(), alice.token()).await;
        let room = group(&mut bystander, "Tea", &[]).await;
        Self { node, alice, bystander, room }
    }

    async fn wire(&self) -> Wire {
        Wire::log_in(self.node.http(), self.alice.token()).await
    }

    async fn nothing_changed(mut self) {
        let room = self.bystander.ok("room.get", json!({ "room": self.room })).await;
        assert_eq!(room["head"]["seq"], 2);
        assert_eq!(self.bystander.unasked(), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn what_cannot_be_a_command_is_answered_and_the_connection_goes_on() {
    let scene = Scene::set().await;
    let mut wire = scene.wire().await;
    assert_eq!(wire.refused("no.such.op", json!({})).await, "unknown_op");
    assert_eq!(wire.refused("room.get", json!({})).await, "invalid");
    assert_eq!(wire.refused("room.get", json!({ "room": [1] })).await, "invalid");
    assert_eq!(wire.refused("room.get", json!("room")).await, "invalid");
    // Without an id that a reply could carry, the answer is an event.
    for frame in [
        json!({}),
        json!({ "id": 0, "op": "ping" }),
        json!({ "id": "7", "op": "ping" }),
        json!({ "id": 2_147_483_648_u64, "op": "ping" }),
    ] {
        wire.raw(Message::text(frame.to_string())).await;
        let error = wire.event().await;
        assert_eq!((&error["ev"], &error["d"]["code"]), (&json!("error"), &json!("bad_request")), "{frame}");
    }
    wire.settle().await;
    scene.nothing_changed().await;
}

#[tokio::test]
async fn a_batch_of_too_many_is_refused_whole() {
    let scene = Scene::set().await;
    let mut wire = scene.wire().await;
    let send = |id: u64| {
        let d = json!({ "room": scene.room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": "x" } });
        json!({ "id": id, "op": "message.send", "d": d })
    };
    wire.raw(Message::text(Value::from((1..=40).map(send).collect::<Vec<_>>()).to_string())).await;
    let error = wire.event().await;
    assert_eq!((&error["ev"], &error["d"]["code"]), (&json!("error"), &json!("too_large")));
    wire.raw(Message::text("[]")).await;
    assert_eq!(wire.event().await["d"]["code"], "bad_request");
    wire.settle().await;
    scene.nothing_changed().await;
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_is_answered_and_the_connection_closed() {
    let scene = Scene::set().await;
    let deep = format!("{{\"id\":1,\"op\":\"ping\",\"x\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    for (frame, code, close) in [
        (Message::text("{"), "bad_request", 4500),
        (Message::text("\"hello\""), "bad_request", 4500),
        (Message::text("{\"id\":1,\"op\":\"ping\"} {\"id\":2,\"op\":\"ping\"}"), "bad_request", 4500),
        (Message::text(deep), "bad_request", 4500),
        (Message::binary(vec![0x81, 0xa2, b'i', b'd', 1]), "unsupported", 4505),
        (Message::text("x".repeat(64 * 1024 + 1)), "too_large", 4506),
    ] {
        let mut wire = scene.wire().await;
        wire.raw(frame.clone()).await;
        let error = wire.event().await;
        assert_eq!((&error["ev"], &error["d"]["code"]), (&json!("error"), &json!(code)));
        assert_eq!(wire.closed().await, close);
    }
    scene.nothing_changed().await;
}

/// Opens a socket by hand, so that the bytes after it can be anything.
async fn bytes_of_a_socket(scene: &Scene) -> TcpStream {
    let server = scene.node.http();
    let mut tcp = TcpStream::connect(server).await.unwrap();
    let handshake = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    tcp.write_all(handshake.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    tcp
}

/// Reads to the end, and returns the code of the close frame that must come last.
async fn close_code(tcp: &mut TcpStream) -> u16 {
    let mut rest = Vec::new();
    tcp.read_to_end(&mut rest).await.unwrap();
    let mut at = 0;
    loop {
        let (opcode, length) = (rest[at] & 0x0f, usize::from(rest[at + 1]));
        let (from, length) = match length {
            126 => (at + 4, usize::from(u16::from_be_bytes([rest[at + 2], rest[at + 3]]))),
            length => (at + 2, length),
        };
        if opcode == 8 {
            return u16::from_be_bytes([rest[from], rest[from + 1]]);
        }
        at = from + length;
    }
}

#[tokio::test]
async fn a_peer_that_breaks_the_websocket_protocol_is_closed_with_its_code() {
    let scene = Scene::set().await;
    let mask = [0, 0, 0, 0];
    let frame = |first: u8, payload: &[u8]| {
        [&[first, 0x80 | u8::try_from(payload.len()).unwrap()][..], &mask, payload].concat()
    };
    for (bytes, code) in [
        (frame(0x81, &[0xff, 0xfe]), 1007),
        (frame(0xc1, b"{}"), 1002),
        (frame(0x83, b"{}"), 1002),
        (vec![0x81, 2, b'{', b'}'], 1002),
        ([&[0x81, 0xff][..], &u64::MAX.to_be_bytes(), &mask].concat(), 4506),
    ] {
        let mut tcp = bytes_of_a_socket(&scene).await;
        tcp.write_all(&bytes).await.unwrap();
        assert_eq!(close_code(&mut tcp).await, code, "{bytes:02x?}");
    }
    scene.nothing_changed().await;
}

#[tokio::test]
async fn half_a_frame_holds_nothing_but_its_own_connection_and_that_not_for_long() {
    let scene = Scene::set().await;
    let mut tcp = bytes_of_a_socket(&scene).await;
    tcp.write_all(&[0x81, 0x90, 0, 0, 0, 0, b'{']).await.unwrap();
    let mut other = scene.wire().await;
    other.settle().await;
    while scene.node.node().connections().len() > 2 {
        tokio::task::yield_now().await;
        scene.node.advance(Duration::from_secs(1));
        other.raw(Message::Pong(Vec::new().into())).await;
    }
    assert_eq!(close_code(&mut tcp).await, 4502);
}

#[tokio::test]
async fn a_frame_of_one_byte_at_a_time_is_a_frame_like_any_other() {
    let scene = Scene::set().await;
    let mut tcp = bytes_of_a_socket(&scene).await;
    let auth = json!({ "id": 1, "op": "auth", "d": { "token": scene.alice.token() } }).to_string();
    let length = u16::try_from(auth.len()).unwrap().to_be_bytes();
    let frame = [&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0][..], auth.as_bytes()].concat();
    for byte in frame {
        tcp.write_all(&[byte]).await.unwrap();
    }
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("\"inbox\"") {
        heard.push(tcp.read_u8().await.expect("it is authenticated"));
    }
}

#[tokio::test]
async fn another_subprotocol_or_another_site_opens_no_socket() {
    let scene = Scene::set().await;
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let with = |header: (&'static str, &'static str)| [&handshake[..], &[header]].concat();
    let ask = |headers: Vec<(&'static str, &'static str)>| {
        let server = scene.node.http();
        async move { crate::http::call(server, "GET", "/v1/ws", &headers, &Value::Null).await }
    };
    assert_eq!(
        ask(with(("sec-websocket-protocol", "mqtt"))).await.problem(),
        (400, "bad_request".to_owned())
    );
    assert_eq!(ask(with(("origin", "https://evil.example"))).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(ask(vec![]).await.status, 426);
    scene.nothing_changed().await;
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_in_bounds() {
    let scene = Scene::set().await;
    let mut wire = scene.wire().await;
    for _ in 0..1000 {
        wire.raw(Message::Ping(vec![0; 125].into())).await;
    }
    wire.settle().await;
    scene.nothing_changed().await;
}
