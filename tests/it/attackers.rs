//! Whoever means harm with bytes of its own: what it costs is its own connection, and others are served meanwhile.

use crate::folder::Folder;
use crate::http::{Raw, call};
use crate::rooms::{group, two};
use rookery_tests::node::TestNode;
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Handshakes that are never finished: as many as the issue asks for, where there are descriptors for both ends.
const HALF_OPEN: u64 = 10_000;

/// Descriptors that a test leaves to others.
const SPARE: u64 = 2000;

/// Messages that are timed with and without a flood.
const MESSAGES: u128 = 400;

/// Clients that log in again and again: more than the pool has room for.
const FLOODERS: usize = 128;

/// KiB that a connection may take that has said half of a request: the buffers of one, as the allocator rounds them.
const KIB_HALF_OPEN: u64 = 24;

const UPGRADE: &str = "GET /v1/ws HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Opens a socket with more headers, and what comes right behind them.
async fn socket(node: &TestNode, headers: &str, behind: &[u8]) -> Raw {
    let mut raw = Raw::connect(node.http()).await;
    raw.send([format!("{UPGRADE}{headers}\r\n").as_bytes(), behind].concat()).await;
    raw
}

/// Two people still talk.
async fn others_are_served(a: &mut Wire, b: &mut Wire, room: &Value) {
    for (id, text) in ["one", "two", "three"].into_iter().enumerate() {
        let id = uuid::Uuid::from_u128(
            u128::from(a.ok("ping", json!({})).await["time"].as_u64().unwrap()) * 8 + id as u128,
        );
        let send = json!({ "room": room, "client_id": id, "body": { "kind": "text", "text": text } });
        a.ok("message.send", send).await;
        while b.room_event().await["body"]["text"] != text {}
    }
}

async fn talking(node: &TestNode) -> (Wire, Wire, Value) {
    let (_, mut a, bob, mut b) = two(node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    (a, b, room)
}

#[tokio::test]
async fn a_handshake_that_is_none_opens_no_socket() {
    let node = TestNode::start().await;
    let swap = |from: &str, to: &str| format!("{}\r\n", UPGRADE.replace(from, to));
    for (request, status) in [
        (swap("GET", "POST"), 405),
        (swap("HTTP/1.1", "HTTP/1.0"), 426),
        (swap("version: 13", "version: 8"), 426),
        (swap("sec-websocket-version: 13\r\n", ""), 426),
        (swap("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 426),
        (swap("connection: upgrade", "connection: close"), 426),
        (swap("upgrade: websocket", "upgrade: h2c"), 426),
        (swap("/v1/ws", "/v1/ws?ticket=made-up"), 401),
    ] {
        let mut raw = Raw::connect(node.http()).await;
        raw.send(&request).await;
        let answer = raw.answer().await.unwrap();
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.header("sec-websocket-accept"), None);
    }
    assert!(node.node().connections().is_empty());
    // A body of a handshake is neither taken for frames nor for another request.
    let mut raw = socket(&node, "content-length: 5\r\n", b"hello").await;
    assert_eq!(raw.answer().await.unwrap().problem(), (413, "too_large".to_owned()));
    assert!(raw.rest().await.is_empty());
    // What asks for another protocol in passing is answered in this one.
    let h2c =
        call(node.http(), "GET", "/livez", &[("upgrade", "h2c"), ("connection", "upgrade")], &Value::Null)
            .await;
    assert_eq!(h2c.status, 200);
}

#[tokio::test]
async fn what_is_compressed_is_neither_agreed_to_nor_read() {
    let node = TestNode::start().await;
    let (mut a, mut b, room) = talking(&node).await;
    let mut raw =
        socket(&node, "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n", b"").await;
    let answer = raw.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("sec-websocket-extensions")), (101, None));
    // A frame whose first reserved bit says that it is compressed (RFC 7692, section 6) ends the socket.
    raw.send([0xc1, 0x85, 0, 0, 0, 0, 0xaa, 0x56, 0x4a, 0x4c, 0x04]).await;
    let rest = raw.rest().await;
    assert!(rest.windows(4).any(|four| four[0] == 0x88 && four[2..] == 1002_u16.to_be_bytes()), "{rest:?}");
    // Nor is a body: a bomb of a million zeros is a thousand bytes that are no JSON.
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mut raw = Raw::connect(node.http()).await;
    let head = "POST /v1/auth/login HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n\
        content-encoding: gzip\r\ncontent-length: 10\r\n\r\n";
    raw.send([head.as_bytes(), &bomb].concat()).await;
    assert_eq!(raw.answer().await.unwrap().problem(), (400, "bad_request".to_owned()));
    others_are_served(&mut a, &mut b, &room).await;
}

#[tokio::test]
async fn a_giant_frame_is_refused_by_its_head_and_an_endless_message_at_its_bound() {
    let node = TestNode::start().await;
    let (mut a, mut b, room) = talking(&node).await;
    let too_large =
        |rest: &[u8]| rest.windows(4).any(|four| four[0] == 0x88 && four[2..] == 4506_u16.to_be_bytes());
    // Claimed, not sent.
    for length in [65_537_u64, 1 << 31, (1 << 63) - 1] {
        let mut raw = socket(&node, "", b"").await;
        assert_eq!(raw.answer().await.unwrap().status, 101);
        raw.send([&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat()).await;
        assert!(too_large(&raw.rest().await), "{length}");
    }
    // Never ended: fragments of a kilobyte, and no last one.
    let mut raw = socket(&node, "", b"").await;
    assert_eq!(raw.answer().await.unwrap().status, 101);
    let fragment = |opcode: u8| [&[opcode, 0xfe, 4, 0, 0, 0, 0, 0][..], &[b' '; 1024]].concat();
    raw.send(fragment(1)).await;
    for _ in 0..64 {
        raw.send(fragment(0)).await;
    }
    assert!(too_large(&raw.rest().await));
    // Of nothing: empty fragments cost time only, and that is shared.
    let mut raw = socket(&node, "", b"").await;
    assert_eq!(raw.answer().await.unwrap().status, 101);
    raw.send([0x01, 0x80, 0, 0, 0, 0]).await;
    raw.send([0x00, 0x80, 0, 0, 0, 0].repeat(10_000)).await;
    others_are_served(&mut a, &mut b, &room).await;
}

#[tokio::test]
async fn whoever_floods_with_pings_and_reads_no_answer_is_not_read_further() {
    let node = TestNode::start().await;
    let (mut a, mut b, room) = talking(&node).await;
    let mut raw = socket(&node, "", b"").await;
    assert_eq!(raw.answer().await.unwrap().status, 101);
    let pings = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'x'; 125]].concat().repeat(1000);
    // Far more than the buffers of both systems hold; at some point nothing goes any more.
    let flood = async {
        for _ in 0..1000 {
            if !raw.send(&pings).await {
                return;
            }
        }
    };
    let is_stuck = tokio::time::timeout(Duration::from_secs(2), flood).await.is_err();
    assert!(is_stuck, "131 MB of pings were taken from somebody who reads no pong");
    others_are_served(&mut a, &mut b, &room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_of_one_address_are_counted_and_said_once() {
    let folder = Folder::new("too-many");
    let few = ("ROOKERY_LIMITS__ADDRESS_REQUESTS_PER_SECOND", "1");
    let server = Server::start(&folder.0, &[&crate::people::STRICT[..], &[few]].concat());
    let mut refused = 0;
    for _ in 0..100 {
        refused += u32::from(call(server.http, "GET", "/v1/me", &[], &Value::Null).await.status == 429);
    }
    let counted = format!("rookery_limits_hit_total{{limit=\"address\"}} {refused}\n");
    assert!(refused > 0 && server.probe("/metrics").1.contains(&counted), "{refused}");
    let said = || server.log().iter().filter(|line| line.contains("an address asks too often")).count();
    crate::operation::until("it is said", || said() > 0).await;
    assert_eq!(said(), 1);
    assert_eq!(server.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_handshakes_that_are_never_finished_are_bounded_and_let_go() {
    let folder = Folder::new("half-open");
    let server = Server::start(&folder.0, &[("ROOKERY_SERVER__HEADER_TIMEOUT_SECONDS", "20")]);
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = HALF_OPEN.min(limit.saturating_sub(SPARE));
    let mut wire = Wire::log_in(server.http, &server.user("alice")).await;
    let room = group(&mut wire, "Tea", &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", server.pid().as_raw_nonzero())).unwrap().count();
    let (few, before) = (descriptors(), server.resident_kib());

    let begun = Instant::now();
    let mut half_open: Vec<TcpStream> = Vec::new();
    for number in 0..count {
        if number % 500 == 0 {
            // Whoever is there is served meanwhile.
            wire.ok("ping", json!({})).await;
        }
        let mut tcp = TcpStream::connect(server.http).unwrap();
        tcp.write_all(&UPGRADE.as_bytes()[..60]).unwrap();
        half_open.push(tcp);
    }
    // And so is whoever comes.
    let mut newcomer = Wire::log_in(server.http, &server.login("alice")).await;
    newcomer.ok("room.get", json!({ "room": room })).await;
    let grown = server.resident_kib().saturating_sub(before);
    println!("{count} half-open handshakes in {:?}: {grown} KiB", begun.elapsed());
    assert!(grown < count * KIB_HALF_OPEN, "{count} half-open handshakes take {grown} KiB");

    // Each is let go when its time is over, whether or not its peer goes too.
    for tcp in &mut half_open {
        tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).unwrap_or(0);
    }
    crate::operation::until("the descriptors are back", || descriptors() < few + 16).await;
    assert!(server.log().iter().filter(|line| line.contains("WARN")).count() <= 2, "{:?}", server.log());
    assert_eq!(server.terminate(), 0);
}

/// Answers of a flood of logins, by status.
async fn flood_of_logins(server: std::net::SocketAddr, until: Arc<AtomicBool>) -> BTreeMap<u16, usize> {
    let mut answers = BTreeMap::new();
    let mut raw = Raw::connect(server).await;
    while !until.load(Ordering::Relaxed) {
        let login = json!({ "email": "nobody@example.org", "password": "guess guess" });
        raw.request("POST", "/v1/auth/login", &[], &login).await;
        match raw.answer().await {
            Some(answer) => *answers.entry(answer.status).or_default() += 1,
            None => raw = Raw::connect(server).await,
        }
    }
    answers
}

/// Sends messages one after another and returns how long each took until it was acknowledged, the longest last.
async fn pace(wire: &mut Wire, room: &Value, number: u128) -> Vec<Duration> {
    let mut took = Vec::new();
    for index in 0..MESSAGES {
        let id = uuid::Uuid::from_u128(number * 1_000_000 + index);
        let begun = Instant::now();
        let send = json!({ "room": room, "client_id": id, "body": { "kind": "text", "text": "x" } });
        wire.ok("message.send", send).await;
        took.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    took.sort_unstable();
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logins_waits_for_itself_and_not_before_messages() {
    let folder = Folder::new("login-flood");
    let hash = [("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "19456"), ("ROOKERY_AUTH__ARGON2_PASSES", "2")];
    let server = Server::start(&folder.0, &hash);
    let mut wire = Wire::log_in(server.http, &server.user("alice")).await;
    let room = group(&mut wire, "Tea", &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    let mut wire = wire.with_background();
    let calm = pace(&mut wire, &room, 1).await;

    let over = Arc::new(AtomicBool::new(false));
    // More at a time than the pool has room for, each again as soon as it is answered.
    let mut flood = JoinSet::new();
    for _ in 0..FLOODERS {
        flood.spawn(flood_of_logins(server.http, over.clone()));
    }
    crate::operation::until("passwords find no place", || {
        let refused = server.probe("/metrics").1;
        refused.lines().any(|line| {
            line.strip_prefix("rookery_limits_hit_total{limit=\"passwords\"} ")
                .is_some_and(|count| count != "0")
        })
    })
    .await;
    let begun = Instant::now();
    let flooded = pace(&mut wire, &room, 2).await;
    let lasted = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for (status, count) in flood.join_all().await.into_iter().flatten() {
        *answers.entry(status).or_default() += count;
    }
    let p99 = |took: &[Duration]| took[took.len() * 99 / 100 - 1];
    println!(
        "messages: p50 {:?}, p99 {:?} before; p50 {:?}, p99 {:?} during {answers:?} logins in {lasted:?}",
        calm[calm.len() / 2],
        p99(&calm),
        flooded[flooded.len() / 2],
        p99(&flooded),
    );
    assert!(answers.keys().all(|status| [401, 503].contains(status)), "{answers:?}");
    assert!(answers[&503] > answers.get(&401).copied().unwrap_or(0), "most find no place: {answers:?}");
    // Whoever has a password that is right finds a place as soon as there is one.
    server.login("alice");
    assert_eq!(server.terminate(), 0);
}
