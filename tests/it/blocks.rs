//! Blocks: two users between whom nothing goes any more, in either direction.

use crate::http::call;
use crate::members::{draft, room, user};
use crate::rooms::{fresh, two};
use rookery_engine::limits::BLOCKS_PER_USER;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_protocol::{Timestamp, UserId};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn direct(wire: &mut Wire, with: &TestUser) -> Value {
    wire.ok("room.direct", json!({ "user": with.id() })).await["id"].take()
}

async fn set(wire: &mut Wire, whom: &TestUser, on: bool) {
    assert_eq!(wire.ok("user.block", json!({ "user": whom.id(), "on": on })).await, json!({}));
}

#[tokio::test]
async fn neither_of_the_two_writes_directly_while_one_blocks_the_other() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = direct(&mut a, &bob).await;
    let first = draft(&room, "hello");
    let sent = b.ok("message.send", first.clone()).await;
    b.ok("room.open", json!({ "room": room })).await;
    for _ in 0..2 {
        set(&mut a, &bob, true).await;
    }
    let (by_alice, by_bob) = (
        a.call("message.send", draft(&room, "x")).await.unwrap_err(),
        b.call("message.send", draft(&room, "x")).await.unwrap_err(),
    );
    assert_eq!(by_bob["code"], "forbidden");
    assert_eq!(by_alice, by_bob, "nobody is told who blocks whom");
    // Nor in any other way.
    let named = |op: &str| json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "target": sent["seq"], "op": op });
    let mut edit = named("edit");
    edit["body"] = json!({ "kind": "text", "text": "x" });
    assert_eq!(b.refused("message.edit", edit).await, "forbidden");
    let mut reaction = named("reaction");
    reaction["emoji"] = json!("!");
    reaction["on"] = json!(true);
    assert_eq!(a.refused("reaction.set", reaction).await, "forbidden");
    let mut pin = named("pin");
    pin["on"] = json!(true);
    assert_eq!(a.refused("pin.set", pin).await, "forbidden");
    assert_eq!(a.refused("typing.set", json!({ "room": room, "on": true })).await, "forbidden");
    a.ok("read.mark", json!({ "room": room, "seq": sent["seq"] })).await;
    // What was written stays, and is answered as it was.
    let mut again = first;
    again["attempt"] = json!(2);
    assert_eq!(b.ok("message.send", again).await["seq"], sent["seq"]);
    assert_eq!(b.ok("room.history", json!({ "room": room })).await["messages"].as_array().unwrap().len(), 4);
    assert_eq!(direct(&mut b, &alice).await, room, "the room is still there");
    b.settle().await;
    assert_eq!(b.unasked(), Vec::<Value>::new());

    // A block of each: both have to go.
    set(&mut b, &alice, true).await;
    set(&mut a, &bob, false).await;
    assert_eq!(a.refused("message.send", draft(&room, "x")).await, "forbidden");
    for _ in 0..2 {
        set(&mut b, &alice, false).await;
    }
    a.ok("message.send", draft(&room, "peace")).await;
    b.ok("message.send", draft(&room, "peace")).await;
}

#[tokio::test]
async fn a_block_outlives_the_room_s_actor_and_reaches_one_that_is_not_there() {
    let node =
        TestNode::with(TestNodeOptions { room_idle: Duration::ZERO, ..TestNodeOptions::default() }).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = direct(&mut a, &bob).await;
    let rest = async || {
        while node.node().active_rooms() > 0 {
            node.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    rest().await;
    set(&mut a, &bob, true).await;
    assert_eq!(node.node().active_rooms(), 0, "a room is not activated for it");
    assert_eq!(b.refused("message.send", draft(&room, "x")).await, "forbidden");
    rest().await;
    set(&mut a, &bob, false).await;
    b.ok("message.send", draft(&room, "x")).await;
}

#[tokio::test]
async fn no_direct_room_is_made_and_nobody_brought_in_across_a_block() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let (carol, _) = user(&node, "carol").await;
    set(&mut a, &bob, true).await;
    let create = |with: &TestUser| json!({ "client_id": uuid::Uuid::from_u128(fresh()), "kind": "group", "title": "Tea", "members": [with.id(), carol.id()] });
    for (wire, other) in [(&mut a, &bob), (&mut b, &alice)] {
        assert_eq!(wire.refused("room.direct", json!({ "user": other.id() })).await, "forbidden");
        assert_eq!(wire.refused("room.create", create(other)).await, "forbidden");
        let own = room(wire, "group", &[&carol]).await;
        let add = json!({ "room": own, "users": [carol.id(), other.id()] });
        assert_eq!(wire.refused("member.add", add).await, "forbidden");
        assert_eq!(wire.ok("room.get", json!({ "room": own })).await["members"], 2, "nobody of them");
    }
    // A stranger to the room is told nothing of blocks.
    let own = room(&mut a, "group", &[]).await;
    assert_eq!(b.refused("member.add", json!({ "room": own, "users": [alice.id()] })).await, "not_found");

    // Where both are, both write; adding who is there already changes nothing.
    set(&mut a, &bob, false).await;
    let made = create(&bob);
    let group = a.ok("room.create", made.clone()).await["id"].take();
    set(&mut b, &alice, true).await;
    a.ok("message.send", draft(&group, "hello, all")).await;
    b.ok("message.send", draft(&group, "hello, all")).await;
    a.ok("member.add", json!({ "room": group, "users": [bob.id()] })).await;
    assert_eq!(a.ok("room.create", made).await["id"], group, "the same again is the same");
}

#[tokio::test]
async fn what_cannot_be_blocked_is_named() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, _) = two(&node).await;
    let nobody = uuid::Uuid::from_u128(99);
    for on in [true, false] {
        let itself = a.call("user.block", json!({ "user": alice.id(), "on": on })).await.unwrap_err();
        assert_eq!((&itself["code"], &itself["details"]["field"]), (&json!("invalid"), &json!("user")));
        assert_eq!(a.refused("user.block", json!({ "user": nobody, "on": on })).await, "not_found");
    }
    let store = node.node().store();
    for number in 0..BLOCKS_PER_USER as u128 {
        let other = UserId(uuid::Uuid::from_u128(1000 + number));
        store.block(alice.id(), other, Timestamp(1)).await.unwrap();
    }
    assert_eq!(a.refused("user.block", json!({ "user": bob.id(), "on": true })).await, "too_large");
    a.ok("user.block", json!({ "user": bob.id(), "on": false })).await;
}

#[tokio::test]
async fn a_block_that_was_answered_holds_for_every_message_sent_after_it() {
    // Rooms that go as soon as they rest, so that blocks meet every moment of an activation.
    for round in 0..20_u32 {
        let options = TestNodeOptions { room_idle: Duration::ZERO, ..TestNodeOptions::default() };
        let node = TestNode::with(options).await;
        let (_, mut a, bob, mut b) = two(&node).await;
        let room = direct(&mut a, &bob).await;
        for turn in 0..6_u32 {
            if (round + turn) % 3 == 0 {
                node.advance(Duration::from_secs(1));
            }
            let on = turn % 2 == 0;
            let before = b.send("message.send", draft(&room, "during")).await;
            let block = a.send("user.block", json!({ "user": bob.id(), "on": on })).await;
            for _ in 0..(round * 7 + turn * 3) % 40 {
                tokio::task::yield_now().await;
            }
            if (round + turn) % 2 == 0 {
                node.node().sweep(true);
            }
            a.reply(block).await.unwrap();
            let after = b.call("message.send", draft(&room, "after")).await;
            assert_eq!(after.is_err(), on, "round {round}, turn {turn}: {after:?}");
            drop(b.reply(before).await);
        }
    }
}

#[tokio::test]
async fn a_block_that_meets_the_making_of_the_room_holds_in_it() {
    for pause in 0..60 {
        let node = TestNode::start().await;
        let (_, mut a, bob, mut b) = two(&node).await;
        let made = b.send("room.direct", json!({ "user": a_id(&node).await })).await;
        for _ in 0..pause {
            tokio::task::yield_now().await;
        }
        set(&mut a, &bob, true).await;
        if let Ok(room) = b.reply(made).await {
            let room = &room["id"];
            assert_eq!(b.refused("message.send", draft(room, "x")).await, "forbidden", "pause {pause}");
        }
    }
}

async fn a_id(node: &TestNode) -> UserId {
    node.login("alice").await.id()
}

#[tokio::test]
async fn a_message_on_its_way_to_the_disk_is_written_and_the_next_one_is_not() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = direct(&mut a, &bob).await;
    store.hold();
    let under_way = b.send("message.send", draft(&room, "first")).await;
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    set(&mut a, &bob, true).await;
    let behind = b.send("message.send", draft(&room, "second")).await;
    store.release();
    assert!(b.reply(under_way).await.is_ok());
    assert_eq!(b.reply(behind).await.unwrap_err()["code"], "forbidden");
}

#[tokio::test]
async fn a_block_that_the_store_refuses_is_told_and_changes_nothing() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = direct(&mut a, &bob).await;
    store.refuse_all("the disk is full");
    let refused = a.call("user.block", json!({ "user": bob.id(), "on": true })).await.unwrap_err();
    assert_eq!((&refused["code"], &refused["retryable"]), (&json!("store_unavailable"), &json!(true)));
    store.heal();
    b.ok("message.send", draft(&room, "x")).await;
}

#[tokio::test]
async fn blocking_over_http_is_the_same() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = direct(&mut a, &bob).await;
    let token = format!("Bearer {}", alice.token());
    let path = format!("/v1/users/{}/block", bob.id());
    let ask = async |method: &str, path: &str| {
        call(node.http(), method, path, &[("authorization", &token)], &Value::Null).await
    };
    for (method, answer) in [("PUT", false), ("PUT", false), ("DELETE", true), ("DELETE", true)] {
        let done = ask(method, &path).await;
        assert_eq!((done.status, done.json()), (200, json!({})));
        assert_eq!(b.call("message.send", draft(&room, "x")).await.is_ok(), answer, "{method}");
    }
    assert_eq!(ask("PUT", &format!("/v1/users/{}/block", alice.id())).await.problem().0, 422);
    assert_eq!(ask("PUT", "/v1/users/not-an-id/block").await.problem().0, 404);
}
