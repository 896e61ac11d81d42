//! Joining a room's stream: from the head, from a position, from the beginning, and never with a gap.

use crate::rooms::{fresh, group};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

async fn say(wire: &mut Wire, room: &Value, text: &str) -> Value {
    let body = json!({ "kind": "text", "text": text });
    wire.ok(
        "message.send",
        json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": body }),
    )
    .await
}

/// Sends `count` messages without waiting in between, and then for all acks.
async fn chatter(wire: &mut Wire, room: &Value, count: usize) {
    let mut ids = Vec::new();
    for number in 0..count {
        let body = json!({ "kind": "text", "text": number.to_string() });
        let send = json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": body });
        ids.push(wire.send("message.send", send).await);
        if ids.len() == 32 {
            for id in ids.drain(..) {
                wire.reply(id).await.unwrap();
            }
        }
    }
    for id in ids {
        wire.reply(id).await.unwrap();
    }
}

async fn seqs(wire: &mut Wire, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    for _ in 0..count {
        seqs.push(wire.room_event().await["seq"].as_u64().unwrap());
    }
    seqs
}

#[tokio::test]
async fn a_stream_goes_on_at_the_position_whether_the_ring_or_the_store_has_it() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    // More than the ring's 256, less than the window's 1000.
    chatter(&mut a, &room, 700).await;
    let mut b = Wire::log_in(node.http(), alice.token()).await;
    for after in [0, 1, 300, 600, 701, 702] {
        let opened = b.ok("room.open", json!({ "room": room, "after": after })).await;
        assert_eq!(
            (&opened["status"], &opened["from"]),
            (&json!("replayed"), &json!(after + 1)),
            "after {after}"
        );
        let expected: Vec<u64> = (after + 1..=702).collect();
        assert_eq!(seqs(&mut b, expected.len()).await, expected, "after {after}");
    }
    say(&mut a, &room, "live").await;
    assert_eq!(seqs(&mut b, 1).await, [703]);
}

#[tokio::test]
async fn what_is_said_while_a_reader_catches_up_comes_once_and_in_its_place() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    chatter(&mut a, &room, 900).await;
    let mut b = Wire::log_in(node.http(), alice.token()).await;
    let open = b.send("room.open", json!({ "room": room, "after": 0 })).await;
    chatter(&mut a, &room, 100).await;
    b.reply(open).await.unwrap();
    assert_eq!(seqs(&mut b, 1002).await, (1..=1002).collect::<Vec<u64>>());
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_and_reads_pages() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    chatter(&mut a, &room, 1000).await;
    let opened = a.ok("room.open", json!({ "room": room, "after": 1 })).await;
    assert_eq!((&opened["status"], &opened["from"]), (&json!("reset"), &json!(1003)));
    // A position that this room never gave is no position either.
    assert_eq!(a.ok("room.open", json!({ "room": room, "after": 5000 })).await["status"], "reset");
    let mut read = Vec::new();
    let mut after = 1;
    loop {
        let page = a.ok("room.history", json!({ "room": room, "after": after, "limit": 100 })).await;
        read.extend(
            page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()),
        );
        after = *read.last().unwrap();
        if page["more_after"] == false {
            break;
        }
    }
    assert_eq!(read, (2..=1002).collect::<Vec<u64>>());
    say(&mut a, &room, "live").await;
    assert_eq!(seqs(&mut a, 1).await, [1003]);
}

#[tokio::test]
async fn a_member_sees_what_its_membership_covers_and_not_more() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    say(&mut a, &room, "before bob").await;
    a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await;
    say(&mut a, &room, "with bob").await;
    let opened = b.ok("room.open", json!({ "room": room, "after": 0 })).await;
    assert_eq!(opened["from"], 4, "from its own arrival on");
    assert_eq!(seqs(&mut b, 2).await, [4, 5]);
    let page = b.ok("room.history", json!({ "room": room })).await;
    assert_eq!(
        page["messages"].as_array().unwrap().iter().map(|m| m["seq"].clone()).collect::<Vec<_>>(),
        [json!(4), json!(5)]
    );
    assert_eq!(page["more_before"], false);
    assert_eq!(b.refused("message.send", json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "reply_to": 3, "body": { "kind": "text", "text": "?" } })).await, "invalid");

    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    say(&mut a, &room, "after bob").await;
    assert_eq!(seqs(&mut b, 1).await, [6], "its removal is the last that it hears");
    assert_eq!(b.event().await, json!({ "ev": "room.removed", "d": { "room": room, "seq": 6 } }));
    b.settle().await;
    assert_eq!(b.unasked(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_closed_room_is_heard_no_more_and_can_be_opened_again() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    // Sent in one go: each takes effect after the one before.
    let open = a.send("room.open", json!({ "room": room, "after": 0 })).await;
    let close = a.send("room.close", json!({ "room": room })).await;
    a.reply(open).await.unwrap();
    a.reply(close).await.unwrap();
    assert_eq!(seqs(&mut a, 2).await, [1, 2]);
    say(&mut a, &room, "unheard").await;
    a.settle().await;
    assert_eq!(a.unasked(), Vec::<Value>::new());
    a.ok("room.open", json!({ "room": room, "after": 2 })).await;
    assert_eq!(seqs(&mut a, 1).await, [3]);
}

#[tokio::test]
async fn a_room_that_was_passivated_goes_on_with_the_same_listeners() {
    let node =
        TestNode::with(TestNodeOptions { room_idle: Duration::from_secs(5), ..TestNodeOptions::default() })
            .await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    a.ok("room.open", json!({ "room": room })).await;
    assert_eq!(node.node().active_rooms(), 2, "the room and the inbox");
    node.advance(Duration::from_secs(6));
    while node.node().active_rooms() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(say(&mut a, &room, "awake").await["seq"], 3);
    assert_eq!(seqs(&mut a, 1).await, [3]);
}

#[tokio::test]
async fn a_connection_hears_a_bounded_number_of_rooms() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    // The inbox is one of the 256.
    let mut last = Value::Null;
    for number in 0..255 {
        last = group(&mut a, &number.to_string(), &[]).await;
        a.ok("room.open", json!({ "room": last })).await;
    }
    let more = group(&mut a, "more", &[]).await;
    assert_eq!(a.refused("room.open", json!({ "room": more })).await, "too_large");
    a.ok("room.close", json!({ "room": last })).await;
    a.ok("room.open", json!({ "room": more })).await;
}
