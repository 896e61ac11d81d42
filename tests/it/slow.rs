//! A reader that does not keep up costs itself only: it is told, and comes back without a gap.

use crate::rooms::{fresh, group};
use rookery_tests::node::TestNode;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::time::Duration;

/// More big messages than the kernel's buffers and the outbox together take while nobody reads.
const MESSAGES: u64 = 700;

fn big(room: &Value) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": "x".repeat(16_000) } })
}

#[tokio::test]
async fn a_slow_reader_is_told_that_it_lags_and_resumes_without_a_gap() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut slow = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    slow.ok("room.open", json!({ "room": room, "after": 3 })).await;
    for _ in 0..MESSAGES {
        a.ok("message.send", big(&room)).await;
    }
    let mut last = 3;
    let mut lags = 0;
    while last < 3 + MESSAGES {
        let event = slow.event().await;
        if event["ev"] == "room.lagged" {
            lags += 1;
            slow.ok("room.open", json!({ "room": room, "after": last })).await;
        } else {
            last += 1;
            assert_eq!((&event["ev"], &event["d"]["seq"]), (&json!("room.event"), &json!(last)));
        }
    }
    assert!(lags > 0, "the reader was never behind: the test shows nothing");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_at_all_is_closed_with_a_code_to_come_back() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut stopped = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    stopped.ok("room.open", json!({ "room": room })).await;
    for _ in 0..MESSAGES {
        a.ok("message.send", big(&room)).await;
    }
    node.advance(Duration::from_secs(11));
    a.settle().await;
    // What had been queued comes, then the farewell.
    let mut last = Value::Null;
    loop {
        match stopped.heard().await {
            Heard::Said(said) => last = said,
            Heard::Closed(code) => {
                assert_eq!((code, &last["ev"], &last["d"]["code"]), (4001, &json!("bye"), &json!(4001)));
                break;
            }
        }
    }
}
