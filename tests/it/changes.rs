//! Changes of messages that meet: in one frame, from two sides, behind the room's back, over faults.
//! What a client makes of a page and the events since is what a fresh page shows.

use crate::chat::{delete, draft, edit, heard, pin, react, say, say_many, shown, soon, text};
use crate::rooms::{group, two};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_protocol::{Event, Message as Shown, UserId};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Reads what the server wrote, which says the `type` before the `body`; a [`Value`] has sorted it.
fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    let mut fields: Vec<_> = value.as_object().unwrap().iter().collect();
    fields.sort_by_key(|(name, _)| *name == "body");
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    serde_json::from_str(&format!("{{{}}}", fields.join(","))).unwrap()
}

fn as_message(value: &Value) -> Shown {
    read(value)
}

/// Returns the page of the whole room, without what quotes say.
async fn page(wire: &mut Wire, room: &Value) -> Vec<Shown> {
    let page = wire.ok("room.history", json!({ "room": room, "after": 0, "limit": 100 })).await;
    page["messages"].as_array().unwrap().iter().map(as_message).collect()
}

/// Merges into `pages` what was heard since.
fn merge(pages: &mut [Shown], events: &[Value], reader: UserId) {
    for event in events.iter().filter(|event| event["ev"] == "room.event") {
        let event: Event = read(&event["d"]);
        if let Some(message) = pages.iter_mut().find(|message| Some(message.event.seq) == event.target) {
            message.merge(&event, reader);
        }
    }
}

#[tokio::test]
async fn changes_of_one_message_in_one_frame_are_made_in_their_order() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let said = say(&mut a, &room, "x").await;
    b.ok("room.open", json!({ "room": room })).await;
    let mut before = page(&mut b, &room).await;
    let commands = [
        ("reaction.set", react(&room, said, "👍", 1)),
        ("message.edit", edit(&room, said, "y")),
        ("reaction.set", react(&room, said, "👍", 1)),
        ("reaction.set", react(&room, said, "👍", -1)),
        ("pin.set", pin(&room, said, 1)),
        ("message.edit", edit(&room, said, "z")),
        ("message.send", draft(&room, &text("between"))),
        ("message.delete", delete(&room, said)),
        ("reaction.set", react(&room, said, "👍", 1)),
        ("message.edit", edit(&room, said, "never")),
    ];
    let frame: Vec<_> =
        commands.iter().zip(500..).map(|((op, d), id)| json!({ "id": id, "op": op, "d": d })).collect();
    a.raw(Message::text(json!(frame).to_string())).await;
    let mut seqs = Vec::new();
    for id in 500..508 {
        seqs.push(a.reply(id).await.unwrap()["seq"].clone());
    }
    let next = |by: u64| json!(said + by);
    let all = [next(1), next(2), Value::Null, next(3), next(4), next(5), next(6), next(7)];
    assert_eq!(seqs, all);
    for id in [508, 509] {
        assert_eq!(a.reply(id).await.unwrap_err()["code"], "not_found");
    }
    let told = heard(&mut b).await;
    merge(&mut before, &told, bob.id());
    let after = page(&mut b, &room).await;
    assert_eq!(before[..], after[..before.len()]);
    assert_eq!(as_message(&shown(&mut a, &room, said).await).event.by, alice.id());
}

#[tokio::test]
async fn a_change_behind_a_delete_does_not_bring_the_message_back() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for is_delete_first in [true, false] {
        let said = say(&mut b, &room, "x").await;
        store.hold();
        let removal = delete(&room, said);
        let (first, second);
        if is_delete_first {
            first = a.send("message.delete", removal).await;
            assert!(soon(|| store.held() == 1).await);
            second = b.send("message.edit", edit(&room, said, "back")).await;
        } else {
            second = b.send("message.edit", edit(&room, said, "back")).await;
            assert!(soon(|| store.held() == 1).await);
            first = a.send("message.delete", removal).await;
        }
        heard(&mut a).await;
        heard(&mut b).await;
        store.release();
        a.reply(first).await.unwrap();
        let edited = b.reply(second).await;
        assert_eq!(edited.is_err(), is_delete_first, "{edited:?}");
        let message = shown(&mut b, &room, said).await;
        assert_eq!((&message["deleted"], &message["body"]), (&json!(true), &json!({})));
    }
    // Two who set their reaction while nothing is written: both count.
    let said = say(&mut b, &room, "x").await;
    store.hold();
    let mut others = Vec::new();
    for (wire, emoji) in [(&mut a, "👍"), (&mut b, "👍")] {
        let id = wire.send("reaction.set", react(&room, said, emoji, 1)).await;
        wire.settle().await;
        others.push(id);
    }
    store.release();
    a.reply(others[0]).await.unwrap();
    b.reply(others[1]).await.unwrap();
    let reactions = shown(&mut a, &room, said).await["reactions"].take();
    assert_eq!(reactions, json!([{ "emoji": "👍", "count": 2, "mine": true }]));
}

#[tokio::test]
async fn changes_made_behind_the_room_s_back_are_in_what_it_decides() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (here, there) = (TestNode::over(Arc::clone(&store)).await, TestNode::over(store).await);
    let (_, mut a, bob, mut b) = two(&here).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    let said = say(&mut a, &room, "x").await;
    let mut before = page(&mut b, &room).await;
    let mut elsewhere = Wire::log_in(there.http(), there.login("alice").await.token()).await;
    elsewhere.ok("message.edit", edit(&room, said, "there")).await;
    let mut stale = edit(&room, said, "here");
    stale["rev"] = json!(0);
    assert_eq!(a.refused("message.edit", stale).await, "conflict");
    elsewhere.ok("reaction.set", react(&room, said, "👍", 1)).await;
    assert_eq!(a.ok("reaction.set", react(&room, said, "👍", 1)).await, json!({ "seq": null }));
    let told = heard(&mut b).await;
    merge(&mut before, &told, bob.id());
    assert_eq!(before, page(&mut b, &room).await);
    // More than a reader can be given at once: listeners are told to open it again.
    say_many(&mut elsewhere, &room, 1001).await;
    elsewhere.ok("message.delete", delete(&room, said)).await;
    assert_eq!(a.refused("message.edit", edit(&room, said, "here")).await, "not_found");
    assert_eq!(heard(&mut b).await[0]["ev"], "room.lagged");
    assert_eq!(b.ok("room.open", json!({ "room": room, "after": 0 })).await["status"], "reset");
    let last = say(&mut a, &room, "y").await;
    assert_eq!(b.room_event().await["seq"], last);
}

#[tokio::test]
async fn a_change_that_a_panic_hit_can_be_sent_again_and_is_made_once() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let said = say(&mut a, &room, "x").await;
    for (op, d) in [("message.edit", edit(&room, said, "y")), ("reaction.set", react(&room, said, "👍", 1))]
    {
        clock.break_next();
        assert_eq!(a.refused(op, d.clone()).await, "busy", "{op}");
        let done = a.ok(op, d.clone()).await;
        assert_eq!(a.ok(op, d).await["seq"], done["seq"]);
    }
    let message = shown(&mut b, &room, said).await;
    assert_eq!((&message["rev"], &message["body"]["text"]), (&json!(said + 2), &json!("y")));
}

/// Does what chance says to five messages, and compares what a client keeps with fresh pages.
async fn at_random(seed: u64, faults: Faults) {
    let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), seed, faults));
    store.calm();
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut reader = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for text in ["a", "b", "c", "d", "e"] {
        say(&mut a, &room, text).await;
    }
    reader.ok("room.open", json!({ "room": room })).await;
    let mut pages = page(&mut reader, &room).await;
    let mut chance = fastrand::Rng::with_seed(seed);
    store.rage();
    for step in 0..150 {
        let target = 4 + chance.u64(0..5);
        let on = if chance.bool() { 1 } else { -1 };
        let emoji = ["👍", "🍵", "A"][chance.usize(0..3)];
        let command = match chance.u8(0..20) {
            0 => ("message.delete", delete(&room, target)),
            1..=6 => ("message.edit", edit(&room, target, &step.to_string())),
            7..=9 => ("pin.set", pin(&room, target, on)),
            _ => ("reaction.set", react(&room, target, emoji, on)),
        };
        let wire = if chance.bool() { &mut a } else { &mut b };
        for _ in 0..chance.u8(1..3) {
            // What was not done is sent again, and now and then what was.
            while let Err(error) = wire.call(command.0, command.1.clone()).await {
                if error["retryable"] != true {
                    break;
                }
            }
        }
    }
    store.calm();
    let mut told = heard(&mut reader).await;
    if told.iter().any(|event| event["ev"] == "room.lagged") {
        // A room that could not be read sends its listeners away; they come back from where they were.
        let last = told.iter().filter_map(|event| event["d"]["seq"].as_u64()).max().unwrap_or(8);
        reader.ok("room.open", json!({ "room": room, "after": last })).await;
        told.extend(heard(&mut reader).await);
    }
    merge(&mut pages, &told, bob.id());
    assert_eq!(pages, page(&mut reader, &room).await, "seed {seed}");
    // For the other one it is the same but for what is one's own.
    let mut others = page(&mut a, &room).await;
    for (other, own) in others.iter_mut().zip(&pages) {
        for (theirs, mine) in other.reactions.iter_mut().zip(&own.reactions) {
            theirs.mine = mine.mine;
        }
    }
    assert_eq!(others, pages, "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_and_the_events_since_make_the_next_page() {
    for seed in 1..=4 {
        at_random(seed, Faults::default()).await;
    }
}

#[tokio::test]
async fn changes_are_made_once_over_faults_of_the_store() {
    for seed in 1..=6 {
        at_random(seed, Faults { refused: 0.05, lost: 0.1, unheard: 0.2, ..Faults::default() }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_while_the_room_comes_and_goes() {
    let options = TestNodeOptions { room_idle: Duration::ZERO, ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    let sweeper = Arc::clone(node.node());
    node.node().tasks().spawn(async move {
        while !sweeper.tasks().is_stopping() {
            // Every look lets an idle room go.
            sweeper.sweep(true);
            tokio::task::yield_now().await;
        }
    });
    let mut head = 3;
    for round in 0..150_u64 {
        let said = head + 1;
        let commands = [
            ("message.send", draft(&room, &text("x"))),
            ("read.mark", json!({ "room": room, "seq": said })),
            ("message.edit", edit(&room, said, "y")),
            ("typing.set", json!({ "room": room, "on": true })),
            ("reaction.set", react(&room, said, "👍", 1)),
            ("delivered.mark", json!({ "room": room, "seq": said })),
            ("pin.set", pin(&room, said, 1)),
            ("room.get", json!({ "room": room })),
        ];
        let first = 1000 + round * 8;
        let frame: Vec<_> =
            commands.iter().zip(first..).map(|((op, d), id)| json!({ "id": id, "op": op, "d": d })).collect();
        a.raw(Message::text(json!(frame).to_string())).await;
        for (by, seq) in [(0, said), (2, said + 1), (4, said + 2), (6, said + 3)] {
            assert_eq!(a.reply(first + by).await.unwrap()["seq"], seq, "round {round}, command {by}");
        }
        assert_eq!(a.reply(first + 1).await.unwrap()["unread"], 0);
        let me = a.reply(first + 7).await.unwrap()["me"].take();
        assert_eq!((&me["read"], &me["unread"]), (&json!(said), &json!(0)), "round {round}");
        for by in [3, 5] {
            assert_eq!(a.reply(first + by).await.unwrap(), json!({}));
        }
        head = said + 3;
        for seq in said..=head {
            let event = loop {
                let event = b.event().await;
                if event["ev"] == "room.event" {
                    break event;
                }
                assert!(event["ev"] == "typing" || event["ev"] == "read", "{event}");
            };
            assert_eq!(event["d"]["seq"], seq);
        }
    }
}
