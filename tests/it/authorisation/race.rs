//! A right is judged where the order is made: what is ordered before a removal is written, what is ordered after it is
//! not, and nothing is in between.

use crate::chat::{draft, text};
use crate::members::{room, user};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn a_removal_that_races_sends_is_ordered_among_them() {
    for pause in 0..40 {
        let node = TestNode::start().await;
        let (_, mut a) = user(&node, "alice").await;
        let (bob, mut b) = user(&node, "bob").await;
        let room = room(&mut a, "group", &[&bob]).await;
        let mut sends = Vec::new();
        for _ in 0..4 {
            sends.push(b.send("message.send", draft(&room, &text("before"))).await);
        }
        for _ in 0..pause {
            tokio::task::yield_now().await;
        }
        let removal = a.send("member.remove", json!({ "room": room, "user": bob.id() })).await;
        for _ in 0..4 {
            sends.push(b.send("message.send", draft(&room, &text("after"))).await);
        }
        let removed = a.reply(removal).await.unwrap()["seq"].as_u64().unwrap();
        let mut answers = Vec::new();
        for send in sends {
            answers.push(b.reply(send).await);
        }
        // Each send was either given a place before the removal, or refused; and those of one connection stay in order.
        let written = answers.iter().take_while(|answer| answer.is_ok()).count();
        for answer in &answers[..written] {
            let seq = answer.as_ref().unwrap()["seq"].as_u64().unwrap();
            assert!(seq < removed, "pause {pause}: {seq} is not before {removed}");
        }
        for answer in &answers[written..] {
            assert_eq!(answer.as_ref().unwrap_err()["code"], "not_found", "pause {pause}");
        }
        let head = a.ok("room.get", json!({ "room": room })).await["head"]["seq"].clone();
        assert_eq!(head, removed, "pause {pause}: nothing of it is written after the removal");
    }
}

#[tokio::test]
async fn a_send_behind_a_removal_that_is_on_its_way_to_the_disk_waits_for_it_and_is_refused() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let options =
        TestNodeOptions { store: Arc::clone(&store) as Arc<dyn Store>, ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let (_, mut a) = user(&node, "alice").await;
    let (bob, mut b) = user(&node, "bob").await;
    let room = room(&mut a, "group", &[&bob]).await;
    store.hold();
    let removal = a.send("member.remove", json!({ "room": room, "user": bob.id() })).await;
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    let behind = b.send("message.send", draft(&room, &text("behind"))).await;
    store.release();
    let removed = a.reply(removal).await.unwrap()["seq"].clone();
    assert_eq!(b.reply(behind).await.unwrap_err()["code"], "not_found");
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["head"]["seq"], removed);
}

#[tokio::test]
async fn a_role_that_was_taken_counts_from_its_position_on() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let options =
        TestNodeOptions { store: Arc::clone(&store) as Arc<dyn Store>, ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let (_, mut a) = user(&node, "alice").await;
    let (bob, mut b) = user(&node, "bob").await;
    let room = room(&mut a, "group", &[&bob]).await;
    store.hold();
    let before = b.send("message.send", draft(&room, &text("before"))).await;
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    let demoted = json!({ "room": room, "user": bob.id(), "role": "reader" });
    let demotion = a.send("member.role", demoted).await;
    let behind = b.send("message.send", draft(&room, &text("behind"))).await;
    store.release();
    let demoted = a.reply(demotion).await.unwrap()["seq"].as_u64().unwrap();
    assert!(b.reply(before).await.unwrap()["seq"].as_u64().unwrap() < demoted);
    // It came behind or before: in both cases the log agrees with what it was told.
    match b.reply(behind).await {
        Ok(sent) => assert!(sent["seq"].as_u64().unwrap() < demoted),
        Err(error) => assert_eq!(error["code"], "forbidden"),
    }
}
