//! Every way in which a stream ends, and that its reader can come back.

use super::{MESSAGES, id, key, open, post, refused};
use crate::http::rooms::{ask, tea};
use crate::http::{call, with};
use crate::rooms::group;
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

/// Waits until nobody is connected.
async fn nobody_is_left(node: &TestNode) {
    while !node.node().connections().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reader_that_takes_nothing_at_all_is_sent_away_with_a_word() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut stopped = open(&node, &alice, id(&room), "").await;
    stopped.begin(1).await;
    let big = "x".repeat(16_000);
    for _ in 0..MESSAGES {
        let body = json!({ "kind": "text", "text": big });
        a.ok("message.send", json!({ "room": room, "client_id": key(), "body": body })).await;
    }
    node.advance(Duration::from_secs(11));
    let mut last = None;
    while let Some(told) = stopped.next().await {
        last = Some(told);
    }
    let last = last.expect("something was told");
    assert_eq!((last.event.as_str(), &last.data["code"]), ("bye", &json!(4001)));
}

#[tokio::test]
async fn a_room_that_fails_again_and_again_ends_the_stream_and_its_reader_comes_back() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut stream = open(&node, &alice, id(&room), "").await;
    stream.begin(1).await;
    let draft = || json!({ "room": room, "client_id": key(), "body": { "kind": "text", "text": "poison" } });
    clock.break_next();
    assert_eq!(a.refused("message.send", draft()).await, "busy");
    stream.expect("room.lagged").await;
    stream.expect("room.opened").await;
    clock.break_next();
    assert_eq!(a.refused("message.send", draft()).await, "busy");
    assert_eq!(stream.expect("bye").await["code"], 4003);
    assert_eq!(stream.next().await, None);
    a.ok("message.send", draft()).await;
    let mut next = open(&node, &alice, id(&room), &stream.last_id).await;
    next.begin(1).await;
    assert_eq!(next.expect("room.event").await["seq"], 3);
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_goes_on_with_the_next_one() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let mut stream = open(&node, &alice, &room, "").await;
    stream.begin(1).await;
    node.advance(Duration::from_secs(10 * 60));
    assert_eq!(stream.expect("bye").await["code"], 4004);
    assert_eq!(stream.next().await, None);
    post(&node, &node.login("alice").await, &room, "meanwhile").await;
    node.advance(Duration::from_secs(6));
    let token = format!("Bearer {}", alice.token());
    let query = format!("rooms={room}");
    assert_eq!(refused(&node, &query, &[("authorization", &token)]).await.1, "token_expired");
    let mut next = open(&node, &node.login("alice").await, &room, &stream.last_id).await;
    next.begin(1).await;
    assert_eq!(next.expect("room.event").await["body"]["text"], "meanwhile");
}

#[tokio::test]
async fn a_logout_ends_the_streams_of_its_login_only() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let other = node.login("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let (mut ends, mut goes_on) =
        (open(&node, &alice, &room, "").await, open(&node, &other, &room, "").await);
    ends.begin(1).await;
    goes_on.begin(1).await;
    assert_eq!(ask(&node, &alice, "POST", "/v1/auth/logout", Value::Null).await.status, 204);
    assert_eq!(ends.expect("bye").await["code"], 4503);
    assert_eq!(ends.next().await, None);
    post(&node, &other, &room, "still here").await;
    goes_on.expect("room.event").await;
    let token = format!("Bearer {}", alice.token());
    let query = format!("rooms={room}");
    assert_eq!(refused(&node, &query, &[("authorization", &token)]).await.0, 401);
}

#[tokio::test]
async fn a_drain_tells_each_stream_when_to_come_back() {
    // Half of which is for requests to end by themselves: longer than this test is patient.
    let node = with(&[("ROOKERY_SERVER__DRAIN_GRACE_SECONDS", "300")]).await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let (mut one, mut other) = (open(&node, &alice, &room, "").await, open(&node, &alice, &room, "").await);
    one.begin(1).await;
    other.begin(1).await;
    let meanwhile = async {
        for stream in [&mut one, &mut other] {
            let bye = stream.expect("bye").await;
            assert_eq!(bye["code"], 4000);
            assert_eq!(stream.retry.map(u64::from), bye["retry_after_ms"].as_u64());
            assert_eq!(stream.next().await, None);
        }
    };
    tokio::join!(node.stop(), meanwhile);
    assert_ne!(one.retry, other.retry);
}

#[tokio::test]
async fn a_reader_that_leaves_leaves_nothing_behind() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    for _ in 0..3 {
        let mut stream = open(&node, &alice, &room, "").await;
        stream.begin(1).await;
        assert_eq!(node.node().connections().len(), 1);
        drop(stream);
        nobody_is_left(&node).await;
    }
    let metrics = call(node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
    assert!(metrics.contains("rookery_connections{codec=\"sse\"} 0"), "{metrics}");
}
