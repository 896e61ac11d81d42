//! What an active room still shows while the store cannot be read: the same as before, or that it cannot.

use crate::chat::{draft, name, say, text};
use crate::rooms::group;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;

type Breaking = Arc<FaultStore<MemoryStore>>;

/// A node whose store answers everything with a refusal, once it rages.
async fn scene() -> (TestNode, Breaking) {
    let faults = Faults { refused: 1.0, ..Faults::default() };
    let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, faults));
    store.calm();
    (TestNode::over(Arc::clone(&store) as _).await, store)
}

/// Asks for a page with the store, and without it.
async fn both(wire: &mut Wire, store: &Breaking, asked: Value) -> (Value, Result<Value, Value>) {
    let stored = wire.ok("room.history", asked.clone()).await;
    store.rage();
    let recalled = wire.call("room.history", asked).await;
    store.calm();
    (stored, recalled)
}

#[tokio::test]
async fn every_page_that_is_in_memory_is_the_same_without_the_store() {
    let (node, store) = scene().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let late = node.user("carol").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let mut c = Wire::log_in(node.http(), late.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut seqs = Vec::new();
    for number in 0..8 {
        seqs.push(say(if number % 2 == 0 { &mut a } else { &mut b }, &room, &format!("{number}")).await);
    }
    let change = |target: usize| json!({ "room": room, "client_id": name(), "target": seqs[target] });
    let with = |mut change: Value, more: Value| {
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    };
    a.ok("message.edit", with(change(0), json!({ "body": text("edited") }))).await;
    a.ok("reaction.set", with(change(1), json!({ "emoji": "👍", "on": true }))).await;
    for (emoji, on) in [("👍", true), ("🎉", true), ("🎉", false)] {
        b.ok("reaction.set", with(change(1), json!({ "emoji": emoji, "on": on }))).await;
    }
    a.ok("pin.set", with(change(2), json!({ "on": true }))).await;
    for (target, wire) in [(3, &mut b), (4, &mut a)] {
        let answer = with(draft(&room, &text("an answer")), json!({ "reply_to": seqs[target] }));
        wire.ok("message.send", answer).await;
    }
    a.ok("message.edit", with(change(4), json!({ "body": text("gone soon") }))).await;
    a.ok("message.delete", change(4)).await;
    a.ok("member.add", json!({ "room": room, "users": [late.id()] })).await;
    let last = say(&mut b, &room, "the last one").await;

    for wire in [&mut a, &mut b, &mut c] {
        let mut pages = vec![json!({}), json!({ "limit": 1 }), json!({ "limit": 100 })];
        for seq in 0..last + 3 {
            for limit in [1, 3, 100] {
                pages.push(json!({ "after": seq, "limit": limit }));
                if seq > 0 {
                    pages.push(json!({ "before": seq, "limit": limit }));
                    pages.push(json!({ "around": seq, "limit": limit }));
                }
            }
        }
        for page in pages {
            let asked = with(json!({ "room": room }), page);
            let (stored, recalled) = both(wire, &store, asked.clone()).await;
            assert_eq!(recalled, Ok(stored), "{asked}");
        }
    }
}

#[tokio::test]
async fn what_is_not_in_memory_is_said_not_to_be_read_and_nobody_else_sees_what_is() {
    let (node, store) = scene().await;
    let (alice, mallory) = (node.user("alice").await, node.user("mallory").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut m = Wire::log_in(node.http(), mallory.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let first = say(&mut a, &room, "the first one").await;
    // More than a room keeps.
    for number in 0..300 {
        say(&mut a, &room, &format!("{number}")).await;
    }
    let mut answer = draft(&room, &text("to the first one"));
    answer["reply_to"] = json!(first);
    let seq = a.ok("message.send", answer).await["seq"].as_u64().unwrap();
    say(&mut a, &room, "the last one").await;

    let of = |page: Value| {
        let mut asked = json!({ "room": room });
        asked.as_object_mut().unwrap().extend(page.as_object().unwrap().clone());
        asked
    };
    for page in [json!({ "after": seq }), json!({ "limit": 1 }), json!({ "before": seq, "limit": 50 })] {
        let (stored, recalled) = both(&mut a, &store, of(page.clone())).await;
        assert_eq!(recalled, Ok(stored), "{page}");
    }
    let before_memory = [json!({ "after": 0 }), json!({ "before": 20 }), json!({ "around": 20 })];
    // It answers a message that is not in memory, so what it quotes is not known.
    for page in before_memory.into_iter().chain([json!({ "after": seq - 1 }), json!({})]) {
        let (_, recalled) = both(&mut a, &store, of(page.clone())).await;
        assert_eq!(recalled.unwrap_err()["code"], "store_unavailable", "{page}");
    }
    store.rage();
    assert_eq!(m.refused("room.history", of(json!({}))).await, "store_unavailable");
}
