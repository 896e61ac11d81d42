//! Who speaks on a socket, how long, and how it ends.

use crate::http::call;
use crate::rooms::{fresh, group};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_tests::node::TestNode;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn nothing_is_done_before_auth_and_the_connection_goes_on() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut wire = Wire::open(node.http()).await;
    assert_eq!(wire.refused("ping", json!({})).await, "unauthenticated");
    assert_eq!(wire.refused("room.list", json!({})).await, "unauthenticated");
    let who = wire.ok("auth", json!({ "token": alice.token() })).await;
    assert_eq!((&who["user"]["handle"], &who["session"]), (&json!("alice"), &json!(alice.session())));
    wire.settle().await;
}

#[tokio::test]
async fn commands_sent_right_behind_auth_are_done_after_it() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut wire = Wire::open(node.http()).await;
    let auth = wire.send("auth", json!({ "token": alice.token() })).await;
    let list = wire.send("room.list", json!({})).await;
    wire.reply(auth).await.unwrap();
    wire.reply(list).await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_not_the_peer_s_silence() {
    let faults = Faults { refused: 1.0, ..Faults::default() };
    let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, faults));
    store.calm();
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let alice = node.user("alice").await;
    let mut wire = Wire::open(node.http()).await;
    let auth = json!({ "token": alice.token() });
    store.rage();
    for _ in 0..4 {
        node.advance(Duration::from_secs(3));
        assert_eq!(wire.refused("auth", auth.clone()).await, "store_unavailable");
    }
    store.calm();
    wire.ok("auth", auth).await;
}

#[tokio::test]
async fn a_peer_that_does_not_authenticate_is_closed_and_so_is_one_with_a_bad_token() {
    let node = TestNode::start().await;
    let mut silent = Wire::open(node.http()).await;
    node.advance(Duration::from_secs(5));
    assert_eq!(silent.closed().await, 4502);
    let mut forger = Wire::open(node.http()).await;
    assert_eq!(forger.refused("auth", json!({ "token": "a.b.c" })).await, "unauthenticated");
    assert_eq!(forger.closed().await, 4501);
}

#[tokio::test]
async fn a_connection_ends_with_its_token_unless_it_gets_a_fresh_one() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut ends = Wire::log_in(node.http(), alice.token()).await;
    let mut goes_on = Wire::log_in(node.http(), alice.token()).await;
    node.advance(Duration::from_secs(9 * 60));
    goes_on.settle().await;
    ends.settle().await;
    let later = node.login("alice").await;
    assert_eq!(
        goes_on.refused("auth", json!({ "token": later.token() })).await,
        "forbidden",
        "another login"
    );
    node.advance(Duration::from_secs(60));
    assert_eq!(ends.closed().await, 4004);
    assert!(ends.unasked().iter().any(|event| event["ev"] == "bye" && event["d"]["code"] == 4004));
    // Beyond the leeway that other nodes' clocks are given.
    node.advance(Duration::from_secs(6));
    let mut expired = Wire::open(node.http()).await;
    assert_eq!(expired.refused("auth", json!({ "token": alice.token() })).await, "token_expired");
    expired.ok("auth", json!({ "token": later.token() })).await;
}

#[tokio::test]
async fn a_ticket_opens_one_connection() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let bearer = format!("Bearer {}", alice.token());
    let ticket =
        call(node.http(), "POST", "/v1/auth/ticket", &[("authorization", &bearer)], &json!({})).await.json();
    let path = format!("/v1/ws?ticket={}", ticket["ticket"].as_str().unwrap());
    let mut wire = Wire::dial(node.http(), &path).await;
    assert_eq!(wire.event().await["ev"], "hello");
    let ready = wire.event().await;
    assert_eq!((&ready["ev"], &ready["d"]["user"]["handle"]), (&json!("ready"), &json!("alice")));
    wire.settle().await;
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    assert_eq!(call(node.http(), "GET", &path, &handshake, &Value::Null).await.status, 401, "it is spent");
}

#[tokio::test]
async fn logging_out_closes_the_login_s_sockets_and_no_others() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let other = node.login("alice").await;
    let mut first = Wire::log_in(node.http(), alice.token()).await;
    let mut second = Wire::log_in(node.http(), other.token()).await;
    let bearer = format!("Bearer {}", alice.token());
    assert_eq!(
        call(node.http(), "POST", "/v1/auth/logout", &[("authorization", &bearer)], &json!({})).await.status,
        204
    );
    assert_eq!(first.closed().await, 4503);
    second.settle().await;
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_closed_when_it_is_gone() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut there = Wire::log_in(node.http(), alice.token()).await;
    let gone = Wire::log_in(node.http(), alice.token()).await;
    node.advance(Duration::from_secs(25));
    // tungstenite answers the ping while it reads.
    there.settle().await;
    node.advance(Duration::from_secs(10));
    there.settle().await;
    while node.node().connections().len() > 1 {
        node.advance(Duration::from_secs(1));
        there.raw(Message::Ping(Vec::new().into())).await;
        tokio::task::yield_now().await;
    }
    drop(gone);
}

#[tokio::test]
async fn a_drain_sends_everybody_away_with_a_time_to_come_back() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut wires = Vec::new();
    for _ in 0..3 {
        wires.push(Wire::log_in(node.http(), alice.token()).await);
    }
    let room = group(&mut wires[0], "Tea", &[]).await;
    let say = json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": "last" } });
    wires[0].ok("message.send", say).await;
    let goodbyes = async {
        let mut slots = Vec::new();
        for wire in &mut wires {
            let bye = wire.event().await;
            assert_eq!((&bye["ev"], &bye["d"]["code"]), (&json!("bye"), &json!(4000)));
            slots.push(bye["d"]["retry_after_ms"].as_u64().unwrap());
            assert!(matches!(wire.heard().await, Heard::Closed(4000)));
        }
        slots
    };
    let ((), mut slots) = tokio::join!(node.stop(), goodbyes);
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), 3, "not all at once");
}
