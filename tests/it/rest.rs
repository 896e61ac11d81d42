//! Sessions at rest: their actors do not run, and nobody on the wire can tell.

use crate::rooms::{fresh, group, two};
use rookery_engine::limits::SESSION_REST_SWEEPS;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
use std::sync::Arc;

fn draft(room: &Value) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": "hello" } })
}

/// Sweeps until nothing was sent to any session for long enough, and waits until none runs.
async fn rest(node: &TestNode) {
    while node.node().active_sessions() > 0 {
        node.node().sweep(false);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_at_rest_hears_its_room_and_gets_up_for_the_next_command() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    rest(&node).await;

    a.ok("room.open", json!({ "room": room })).await;
    let sent = a.ok("message.send", draft(&room)).await;
    assert_eq!(b.room_event().await["seq"], sent["seq"]);
    assert_eq!(node.node().active_sessions(), 1, "who only hears does not get up");
    assert_eq!(b.ok("room.history", json!({ "room": room })).await["head"]["seq"], sent["seq"]);
    assert_eq!(node.node().active_sessions(), 2);
}

#[tokio::test]
async fn a_session_at_rest_is_still_there_and_still_watches() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    a.ok("presence.watch", json!({ "users": [bob.id()] })).await;
    rest(&node).await;
    let watched = b.ok("presence.watch", json!({ "users": [alice.id()] })).await;
    assert_eq!(watched["users"][0]["state"], "online");
    b.ok("presence.set", json!({ "state": "away" })).await;
    node.node().sweep(false);
    let told = a.event().await;
    assert_eq!((&told["ev"], &told["d"]["users"][0]["state"]), (&json!("presence"), &json!("away")));
}

#[tokio::test]
async fn commands_keep_their_order_however_often_the_session_lies_down_between_them() {
    let node = TestNode::start().await;
    let (_, mut a, bob, _b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(a.send("message.send", draft(&room)).await);
        if number % 3 == 0 {
            for _ in 0..=SESSION_REST_SWEEPS {
                node.node().sweep(false);
                tokio::task::yield_now().await;
            }
        }
        if number % 20 == 0 {
            // Somewhere in the middle of what is under way it may rest.
            a.reply(ids[ids.len() - 1]).await.unwrap();
            rest(&node).await;
            ids.pop();
        }
    }
    let mut last = 0;
    for id in ids {
        let seq = a.reply(id).await.unwrap()["seq"].as_u64().unwrap();
        assert!(seq > last, "{seq} after {last}");
        last = seq;
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_while_its_session_rests_leaves_nothing_behind() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    rest(&node).await;
    b.hang_up();
    while node.node().connections().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.node().users().len(), 1);
    a.ok("message.send", draft(&room)).await;
    assert_eq!(node.node().active_sessions(), 1);
}

#[tokio::test]
async fn a_session_that_waits_for_the_store_does_not_lie_down() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as _).await;
    let (_, mut a, bob, _b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    store.hold();
    let held = a.send("message.send", draft(&room)).await;
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 * SESSION_REST_SWEEPS {
        node.node().sweep(false);
        tokio::task::yield_now().await;
    }
    assert!(node.node().active_sessions() > 0);
    store.release();
    a.reply(held).await.unwrap();
    rest(&node).await;
}
