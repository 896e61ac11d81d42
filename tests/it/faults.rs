//! Faults of the store and of our own code: what was acked stays, what was not is said not to be, and
//! nobody else is disturbed.

use crate::http::call;
use crate::rooms::{fresh, group};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn draft(room: &Value, text: &str) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": text } })
}

/// Reads the whole of a room.
async fn log(wire: &mut Wire, room: &Value) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(json!(0), |event: &Value| event["seq"].clone());
        let page = wire.ok("room.history", json!({ "room": room, "after": after, "limit": 100 })).await;
        events.extend(page["messages"].as_array().unwrap().iter().cloned());
        if page["more_after"] == false {
            return events;
        }
    }
}

#[tokio::test]
async fn writes_of_unknown_outcome_are_written_exactly_once() {
    for seed in 1..=8 {
        let faults = Faults { lost: 0.1, unheard: 0.2, ..Faults::default() };
        let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), seed, faults));
        store.calm();
        let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
        let alice = node.user("alice").await;
        store.rage();
        let mut a = Wire::log_in(node.http(), alice.token()).await;
        let room = group(&mut a, "Tea", &[]).await;
        a.ok("room.open", json!({ "room": room })).await;
        let mut acked = Vec::new();
        for number in 0..20 {
            let sent = a.ok("message.send", draft(&room, &number.to_string())).await;
            acked.push((sent["seq"].clone(), json!(number.to_string())));
            let heard = a.room_event().await;
            assert_eq!(
                (&heard["seq"], &heard["body"]["text"]),
                (&sent["seq"], &acked[number].1),
                "seed {seed}"
            );
        }
        let kept: Vec<_> = log(&mut a, &room)
            .await
            .iter()
            .skip(2)
            .map(|event| (event["seq"].clone(), event["body"]["text"].clone()))
            .collect();
        assert_eq!(kept, acked, "seed {seed}");
    }
}

#[tokio::test]
async fn a_store_that_refuses_costs_the_sends_and_nothing_else() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    a.ok("room.open", json!({ "room": room })).await;
    a.ok("message.send", draft(&room, "kept")).await;
    let before = log(&mut a, &room).await;

    store.refuse_all("the disk is full");
    let error = a.call("message.send", draft(&room, "refused")).await.unwrap_err();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("store_unavailable"), &json!(true)));
    assert!(error["retry_after_ms"].is_u64());
    assert_eq!(log(&mut a, &room).await, before, "reads go on");
    let ready = call(node.admin(), "GET", "/readyz?verbose", &[], &Value::Null).await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("the disk is full"), "{}", ready.text());

    store.heal();
    assert_eq!(a.ok("message.send", draft(&room, "again")).await["seq"], 4, "no position was lost");
    assert_eq!(call(node.admin(), "GET", "/readyz", &[], &Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_store_that_failed_for_good_is_not_ready_until_a_restart() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    store.fatal("fsync failed");
    assert_eq!(a.refused("message.send", draft(&room, "x")).await, "store_unavailable");
    assert_eq!(log(&mut a, &room).await.len(), 2);
    let ready = call(node.admin(), "GET", "/readyz?verbose", &[], &Value::Null).await;
    assert_eq!((ready.status, ready.text().contains("fsync failed")), (503, true));
    assert_eq!(call(node.admin(), "GET", "/livez", &[], &Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_room_with_a_stuck_store_says_so_and_other_reads_go_on() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let mut wires = Vec::new();
    let owner = node.user("owner").await;
    let mut a = Wire::log_in(node.http(), owner.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    for _ in 0..10 {
        wires.push(Wire::log_in(node.http(), owner.token()).await);
    }
    store.hold();
    // Ten connections with 32 commands each: 320 drafts, of which one is under way and 256 wait.
    let mut sent = Vec::new();
    for wire in &mut wires {
        let mut ids = Vec::new();
        for number in 0..32 {
            ids.push(wire.send("message.send", draft(&room, &number.to_string())).await);
        }
        sent.push(ids);
    }
    // A read of the same room from a connection without writes of its own does not wait for them.
    let mut reader = Wire::log_in(node.http(), owner.token()).await;
    assert_eq!(log(&mut reader, &room).await.len(), 2);
    let mut busy = 0;
    // The refusals come at once, while the store still holds.
    while busy < 320 - 257 {
        for (wire, ids) in wires.iter_mut().zip(&mut sent) {
            let early = wire.early_refusals(ids).await;
            busy += early;
        }
    }
    store.release();
    let mut done = 0;
    for (wire, ids) in wires.iter_mut().zip(sent) {
        for id in ids {
            wire.reply(id).await.unwrap();
            done += 1;
        }
    }
    assert_eq!(done + busy, 320);
    assert_eq!(log(&mut reader, &room).await.len(), 2 + done);
}

#[tokio::test]
async fn a_panic_in_a_room_loses_nothing_acked_and_disturbs_no_other_room() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let (mut a, mut b) =
        (Wire::log_in(node.http(), alice.token()).await, Wire::log_in(node.http(), bob.token()).await);
    let (tea, coffee) = (group(&mut a, "Tea", &[&bob]).await, group(&mut a, "Coffee", &[&bob]).await);
    for room in [&tea, &coffee] {
        b.ok("room.open", json!({ "room": room })).await;
    }
    a.ok("message.send", draft(&tea, "kept")).await;
    assert_eq!(b.room_event().await["body"]["text"], "kept");

    // The clock is asked in the room, in the middle of ordering.
    clock.break_next();
    let hit = draft(&tea, "hit");
    let error = a.call("message.send", hit.clone()).await.unwrap_err();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("busy"), &json!(true)), "{error}");
    assert_eq!(b.event().await["ev"], "room.lagged", "whoever listened is told to open it again");
    let opened = b.ok("room.open", json!({ "room": tea, "after": 4 })).await;
    assert_eq!(opened["status"], "replayed");

    let mut again = hit;
    again["attempt"] = json!(2);
    let sent = a.ok("message.send", again).await;
    assert_eq!(sent["seq"], 5);
    assert_eq!(b.room_event().await["seq"], 5);
    a.ok("message.send", draft(&coffee, "undisturbed")).await;
    assert_eq!(b.room_event().await["body"]["text"], "undisturbed");
    let texts: Vec<_> =
        log(&mut a, &tea).await.iter().skip(3).map(|event| event["body"]["text"].clone()).collect();
    assert_eq!(texts, [json!("kept"), json!("hit")]);
}

#[tokio::test]
async fn a_room_that_panics_again_and_again_is_parked_and_says_so() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    for _ in 0..3 {
        clock.break_next();
        assert_eq!(a.refused("message.send", draft(&room, "poison")).await, "busy");
    }
    let error = a.call("message.send", draft(&room, "x")).await.unwrap_err();
    assert_eq!(error["code"], "busy");
    assert!(error["retry_after_ms"].as_u64().unwrap() > 10_000, "{error}");
    assert_eq!(log(&mut a, &room).await.len(), 2, "it can be read all the while");
    node.advance(Duration::from_secs(61));
    assert_eq!(a.ok("message.send", draft(&room, "rested")).await["seq"], 3);
}

#[tokio::test]
async fn a_panic_in_a_session_closes_its_socket_with_a_code_to_come_back_and_no_other() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut hit = Wire::log_in(node.http(), alice.token()).await;
    let mut other = Wire::log_in(node.http(), alice.token()).await;
    clock.break_next();
    hit.send("ping", json!({})).await;
    assert_eq!(hit.closed().await, 4006);
    other.settle().await;
}

#[tokio::test]
async fn a_refusal_after_an_unknown_outcome_does_not_say_that_nothing_was_written() {
    for seed in 1..=12 {
        let faults = Faults { refused: 0.4, unheard: 0.4, ..Faults::default() };
        let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), seed, faults));
        store.calm();
        let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
        let alice = node.user("alice").await;
        let mut a = Wire::log_in(node.http(), alice.token()).await;
        let room = group(&mut a, "Tea", &[]).await;
        let mut expected = log(&mut a, &room).await.len();
        for number in 0..8 {
            store.rage();
            let sent = a.call("message.send", draft(&room, &number.to_string())).await;
            store.calm();
            match sent {
                Ok(_) => expected += 1,
                // Where the room could not look either, nobody knows, and that is what is said.
                Err(error) if error["code"] == "busy" => expected = log(&mut a, &room).await.len(),
                Err(error) => assert_eq!(error["code"], "store_unavailable", "seed {seed}"),
            }
            assert_eq!(log(&mut a, &room).await.len(), expected, "seed {seed}, {number}");
        }
    }
}
