//! How much a login, a user, a room and an address may do in a second, and what whoever does more is told.

use crate::http::{Raw, call, with};
use crate::people::STRICT;
use crate::rooms::two;
use rookery_engine::MemoryStore;
use rookery_engine::bus::{MemoryBuses, NodeId};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// More than any test here is let do.
const MANY: usize = 1000;

async fn strict(settings: &[(&'static str, &'static str)]) -> TestNode {
    with(&[&STRICT[..], settings].concat()).await
}

fn message(room: &Value) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &next().to_be_bytes()), "body": { "kind": "text", "text": "x" } })
}

/// Returns another number each time.
fn next() -> u64 {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// Sends messages until one is refused. Returns how many were taken, and the refusal.
async fn flood(wire: &mut Wire, room: &Value) -> (usize, Value) {
    for sent in 0..MANY {
        if let Err(error) = wire.call("message.send", message(room)).await {
            return (sent, error);
        }
    }
    panic!("it is never refused");
}

/// Lists the rooms until that is refused. Returns how often it was not.
async fn lists(wire: &mut Wire) -> usize {
    for listed in 0..MANY {
        if let Err(error) = wire.call("room.list", json!({})).await {
            assert_eq!(error["code"], "rate_limited");
            return listed;
        }
    }
    panic!("it is never refused");
}

async fn room_of_two(a: &mut Wire, bob: &TestUser) -> Value {
    a.ok("room.direct", json!({ "user": bob.id() })).await["id"].clone()
}

async fn get(node: &TestNode, user: &TestUser, path: &str) -> crate::http::RawAnswer {
    let token = format!("Bearer {}", user.token());
    call(node.http(), "GET", path, &[("authorization", &token)], &Value::Null).await
}

#[tokio::test]
async fn a_login_that_does_too_much_is_told_when_to_go_on_and_holds_up_nobody_else() {
    let node = strict(&[]).await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = room_of_two(&mut a, &bob).await;
    node.advance(Duration::from_secs(60));
    let (sent, refused) = flood(&mut a, &room).await;
    assert_eq!(sent, 20, "four seconds of five messages");
    assert_eq!((&refused["code"], &refused["retryable"]), (&json!("rate_limited"), &json!(true)));
    assert_eq!(refused["retry_after_ms"], 200, "a fifth of a second for each");
    b.ok("message.send", message(&room)).await;
    // What costs less passes earlier, and what costs nothing always.
    a.ok("ping", json!({})).await;
    node.advance(Duration::from_millis(20));
    a.ok("read.mark", json!({ "room": room, "seq": 1 })).await;
    // The same login over HTTP has the same bucket.
    let over_http = get(&node, &alice, "/v1/rooms").await;
    assert_eq!(over_http.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(over_http.header("ratelimit-policy"), Some("\"session\";q=200;w=4"));
    assert_eq!(over_http.header("ratelimit"), Some("\"session\";r=0;t=1"));
    assert_eq!(over_http.header("retry-after"), Some("1"));
    node.advance(Duration::from_millis(200));
    a.ok("message.send", message(&room)).await;
}

#[tokio::test]
async fn the_logins_of_a_user_have_a_bound_together() {
    let node = strict(&[]).await;
    let (_, mut a, bob, _) = two(&node).await;
    let room = room_of_two(&mut a, &bob).await;
    let mut wires = vec![a];
    for _ in 0..2 {
        let login = node.login("alice").await;
        wires.push(Wire::log_in(node.http(), login.token()).await);
    }
    node.advance(Duration::from_secs(60));
    let mut sent = Vec::new();
    for wire in &mut wires {
        sent.push(flood(wire, &room).await.0);
    }
    assert_eq!(sent, [20, 20, 0]);
}

#[tokio::test]
async fn the_logins_of_a_user_have_a_bound_together_over_all_nodes() {
    let (buses, store) = (MemoryBuses::new(), MemoryStore::new());
    let node = async |number| {
        let cluster = TestNodeOptions::of_cluster(Arc::new(store.again()), &buses, number);
        TestNode::with(TestNodeOptions { settings: STRICT.to_vec(), ..cluster }).await
    };
    let (here, there) = (node(1).await, node(2).await);
    here.user("alice").await;
    let mut wires = Vec::new();
    for node in [&here, &here, &there, &there] {
        let login = node.login("alice").await;
        wires.push(Wire::log_in(node.http(), login.token()).await);
    }
    let mut listed = Vec::new();
    for wire in &mut wires {
        listed.push(lists(wire).await);
    }
    assert_eq!(listed[..2], [40, 40], "{listed:?}");
    // What it does there passes until the bus has answered,
    assert!(listed[2] + listed[3] < 20, "{listed:?}");
    // and as on one node where it does not.
    buses.away(NodeId(Uuid::from_u128(2)));
    assert!(lists(&mut wires[3]).await > 20);
}

#[tokio::test]
async fn a_room_takes_so_many_messages_a_second_whoever_writes() {
    let node = strict(&[("ROOKERY_LIMITS__ROOM_MESSAGES_PER_SECOND", "1")]).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = room_of_two(&mut a, &bob).await;
    let (sent, refused) = flood(&mut a, &room).await;
    assert_eq!((sent, &refused["retry_after_ms"]), (4, &json!(1000)));
    assert_eq!(b.refused("message.send", message(&room)).await, "rate_limited");
    // It is the messages of one room that are counted.
    let other =
        b.ok("room.create", json!({ "client_id": uuid::Uuid::nil(), "kind": "group", "title": "b" })).await;
    b.ok("message.send", message(&other["id"])).await;
    node.advance(Duration::from_secs(1));
    b.ok("message.send", message(&room)).await;
}

#[tokio::test]
async fn an_address_is_refused_before_anything_is_done_for_it() {
    let settings = [
        ("ROOKERY_LIMITS__ADDRESS_REQUESTS_PER_SECOND", "1"),
        ("ROOKERY_SERVER__TRUSTED_PROXIES", "127.0.0.2"),
    ];
    let node = strict(&settings).await;
    let me = |headers: &'static [(&str, &str)]| call(node.http(), "GET", "/v1/me", headers, &Value::Null);
    for _ in 0..10 {
        assert_eq!(me(&[]).await.status, 401);
    }
    let refused = me(&[]).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"address\";q=10;w=10"));
    // Nobody who is not trusted says where somebody else is.
    assert_eq!(me(&[("x-forwarded-for", "192.0.2.1")]).await.status, 429);
    // Whoever watches over it still can.
    assert_eq!(call(node.http(), "GET", "/livez", &[], &Value::Null).await.status, 200);
    assert_eq!(call(node.admin(), "GET", "/metrics", &[], &Value::Null).await.status, 200);
    node.advance(Duration::from_secs(1));
    assert_eq!(me(&[]).await.status, 401);
}

#[tokio::test]
async fn an_address_behind_a_trusted_proxy_has_limits_of_its_own() {
    let settings = [
        ("ROOKERY_LIMITS__ADDRESS_REQUESTS_PER_SECOND", "1"),
        ("ROOKERY_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let node = strict(&settings).await;
    for (client, wanted) in
        [("192.0.2.1", [401, 429]), ("192.0.2.2", [401, 429]), ("2001:db8::1", [401, 429])]
    {
        let mut seen = Vec::new();
        for _ in 0..11 {
            seen.push(
                call(node.http(), "GET", "/v1/me", &[("x-forwarded-for", client)], &Value::Null).await.status,
            );
        }
        seen.dedup();
        assert_eq!(seen, wanted, "{client}");
    }
    let neighbour = [("x-forwarded-for", "2001:db8::2")];
    assert_eq!(
        call(node.http(), "GET", "/v1/me", &neighbour, &Value::Null).await.status,
        429,
        "the same /64"
    );
}

#[tokio::test]
async fn an_address_opens_so_many_sockets_a_minute() {
    let node = strict(&[("ROOKERY_LIMITS__ADDRESS_CONNECTS_PER_MINUTE", "2")]).await;
    let (mut opened, mut statuses) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let mut raw = Raw::connect(node.http()).await;
        raw.send(
            "GET /v1/ws HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
        statuses.push(raw.answer().await.unwrap().status);
        opened.push(raw);
    }
    assert_eq!(statuses, [101, 101, 429]);
}
