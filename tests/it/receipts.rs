//! How far members have come: marks, who is told of them, what is unread after them.

use crate::chat::{delete, draft, edit, heard, passivate, say, say_body, say_many, text};
use crate::rooms::{group, two};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_protocol::{Op, ReadMark, ReplyBody, Seq};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

fn mark(room: &Value, seq: u64) -> Value {
    json!({ "room": room, "seq": seq })
}

fn told(kind: &str, room: &Value, user: impl serde::Serialize, seq: u64) -> Value {
    json!({ "ev": kind, "d": { "room": room, "marks": [{ "user": user, "seq": seq }] } })
}

#[tokio::test]
async fn a_mark_is_told_to_those_who_listen_and_to_every_device_of_one_s_own() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut phone = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    a.ok("room.open", json!({ "room": room })).await;
    let mention = json!({ "kind": "text", "text": "x", "mentions": [bob.id()] });
    let (one, two) = (say_body(&mut a, &room, &mention).await, say_body(&mut a, &room, &mention).await);
    heard(&mut a).await;
    let read = b.ok("read.mark", mark(&room, one)).await;
    assert_eq!(read, json!({ "read": one, "unread": 1, "mentions": 1 }));
    let mut me = read;
    me["room"] = room.clone();
    // The device that has not opened the room, and the one that marked, which has its answer first.
    let me = json!({ "ev": "read.me", "d": me });
    assert_eq!(heard(&mut phone).await, std::slice::from_ref(&me));
    assert_eq!(heard(&mut b).await, [me]);
    assert_eq!(heard(&mut a).await, [told("read", &room, bob.id(), one)]);

    // Again, and behind: nothing moves and nobody is told.
    for seq in [one, 1, 0] {
        let read = b.ok("read.mark", mark(&room, seq)).await;
        assert_eq!(read, json!({ "read": one, "unread": 1, "mentions": 1 }), "at {seq}");
    }
    assert_eq!((heard(&mut a).await, heard(&mut phone).await), (vec![], vec![]));
    // Beyond the head is the head. Within the second others are not told, afterwards once.
    let read = b.ok("read.mark", mark(&room, two + 1000)).await;
    assert_eq!(read, json!({ "read": two, "unread": 0, "mentions": 0 }));
    let three = say(&mut a, &room, "x").await;
    b.ok("read.mark", mark(&room, three)).await;
    assert_eq!(a.room_event().await["seq"], three);
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
    node.advance(Duration::from_millis(999));
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
    node.advance(Duration::from_millis(1));
    assert_eq!(a.event().await, told("read", &room, bob.id(), three));
    let opened = a.ok("room.open", json!({ "room": room })).await;
    assert!(opened["reads"].as_array().unwrap().contains(&json!({ "user": bob.id(), "seq": three })));
    let readers = a.ok("read.list", mark(&room, three)).await;
    assert_eq!(readers["count"], 2, "one's own message is read by its sender: {readers}");
}

#[tokio::test]
async fn what_has_arrived_is_told_until_it_is_read() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    a.ok("room.open", json!({ "room": room })).await;
    let said = say(&mut a, &room, "x").await;
    heard(&mut a).await;
    assert_eq!(b.ok("delivered.mark", mark(&room, said + 9)).await, json!({}));
    assert_eq!(heard(&mut a).await, [told("delivered", &room, bob.id(), said)]);
    let me = &b.ok("room.get", json!({ "room": room })).await["me"];
    assert_eq!((&me["delivered"], &me["unread"]), (&json!(said), &json!(1)));
    assert_eq!(a.ok("read.list", mark(&room, said)).await["count"], 1);
    b.ok("read.mark", mark(&room, said)).await;
    assert_eq!(heard(&mut a).await, [told("read", &room, bob.id(), said)]);
    assert_eq!(b.ok("delivered.mark", mark(&room, said)).await, json!({}));
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_unread_follows_deletes_edits_leaving_and_coming_back() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let unread = async |wire: &mut Wire| wire.ok("room.get", json!({ "room": room })).await["me"].take();
    let said = say(&mut a, &room, "x").await;
    a.ok("message.edit", edit(&room, said, "y")).await;
    assert_eq!(unread(&mut b).await["unread"], 1, "an edit is no message");
    a.ok("message.delete", delete(&room, said)).await;
    // Its place stays, and so does its count.
    assert_eq!(unread(&mut b).await["unread"], 1);
    b.ok("message.send", draft(&room, &text("mine"))).await;
    assert_eq!(unread(&mut b).await["unread"], 0, "who answers has read what was before");
    assert_eq!(unread(&mut a).await["unread"], 1);
    b.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    assert_eq!(b.refused("read.mark", mark(&room, said)).await, "not_found");
    let missed = say(&mut a, &room, "not for him").await;
    let back =
        a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await["seq"].as_u64().unwrap();
    assert_eq!((&unread(&mut b).await["unread"], &unread(&mut b).await["read"]), (&json!(0), &json!(back)));
    let next = say(&mut a, &room, "for him").await;
    assert_eq!(b.ok("read.mark", mark(&room, missed)).await["unread"], 1, "it does not go back");
    assert_eq!(b.ok("read.mark", mark(&room, next)).await["unread"], 0);
    assert_eq!(b.refused("read.list", mark(&room, missed)).await, "not_found", "from before it came");
    assert_eq!(a.ok("read.list", mark(&room, missed)).await["count"], 1);
    assert_eq!(a.refused("read.list", mark(&room, next + 1)).await, "not_found");
    assert_eq!(a.ok("read.list", mark(&room, next)).await["count"], 2);
}

#[tokio::test]
async fn who_was_removed_is_not_told_of_any_more_and_not_to() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    let said = say(&mut a, &room, "x").await;
    b.ok("read.mark", mark(&room, 2)).await;
    b.ok("read.mark", mark(&room, said)).await;
    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    node.advance(Duration::from_secs(1));
    let all = heard(&mut a).await;
    let is_of_bob = |event: &Value| event["d"]["marks"][0] == json!({ "user": bob.id(), "seq": said });
    assert!(!all.iter().any(is_of_bob), "{all:?}");
    a.ok("read.mark", mark(&room, said + 1)).await;
    let last = heard(&mut b).await.pop().unwrap();
    assert_eq!(last["ev"], "room.removed", "nothing after it");
    assert_eq!(a.ok("read.list", mark(&room, said)).await["users"], json!([alice.id()]));
}

#[tokio::test]
async fn above_two_hundred_members_readers_are_counted() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut others = Vec::new();
    for number in 0..199 {
        others.push(node.user(&format!("user{number}")).await);
    }
    let ids: Vec<_> = others.iter().map(TestUser::id).collect();
    for some in ids[..198].chunks(50) {
        a.ok("member.add", json!({ "room": room, "users": some })).await;
    }
    let opened = a.ok("room.open", json!({ "room": room })).await;
    assert!(opened["reads"].is_array(), "200 are named");
    a.ok("member.add", json!({ "room": room, "users": [ids[198]] })).await;
    let opened = a.ok("room.open", json!({ "room": room })).await;
    assert!(opened.get("reads").is_none(), "201 are not");
    let said = say(&mut a, &room, "x").await;
    heard(&mut a).await;
    b.ok("read.mark", mark(&room, said)).await;
    let counted = json!({ "ev": "read", "d": { "room": room, "through": said, "count": 2 } });
    assert_eq!(a.event().await, counted);
    let mut c = Wire::log_in(node.http(), others[0].token()).await;
    c.ok("read.mark", mark(&room, said)).await;
    c.ok("typing.set", json!({ "room": room, "on": true })).await;
    assert_eq!(heard(&mut a).await, Vec::<Value>::new(), "neither the next second's mark nor who types");
    node.advance(Duration::from_secs(1));
    assert_eq!(a.event().await["d"]["count"], 3);
}

#[tokio::test]
async fn marks_that_are_pipelined_come_after_what_was_sent_before_them() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let frame = json!([
        { "id": 101, "op": "message.send", "d": draft(&room, &text("one")) },
        { "id": 102, "op": "read.mark", "d": mark(&room, 4) },
        { "id": 103, "op": "message.send", "d": draft(&room, &text("two")) },
        { "id": 104, "op": "read.mark", "d": mark(&room, 5) },
        { "id": 105, "op": "delivered.mark", "d": mark(&room, 5) },
        { "id": 106, "op": "room.get", "d": { "room": room } },
    ]);
    b.raw(Message::text(frame.to_string())).await;
    assert_eq!(b.reply(102).await.unwrap()["read"], 4);
    assert_eq!(b.reply(104).await.unwrap()["read"], 5);
    assert_eq!(b.reply(106).await.unwrap()["me"]["unread"], 0);
    // Without a socket it is the same.
    let user = serde_json::from_value(json!({ "id": bob.id(), "handle": "bob", "name": "bob" })).unwrap();
    say(&mut a, &room, "three").await;
    let id = serde_json::from_value(room.clone()).unwrap();
    let done = node.node().perform(&user, Op::ReadMark(ReadMark { room: id, seq: Seq(6) })).await.unwrap();
    let ReplyBody::ReadMarked(read) = done else { panic!("{done:?}") };
    assert_eq!((read.read, read.unread), (Seq(6), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_devices_that_mark_at_once_end_up_at_the_same_place() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut phone = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    say_many(&mut a, &room, 60).await;
    for seq in (4..=60).step_by(4) {
        let (one, two) =
            tokio::join!(b.ok("read.mark", mark(&room, seq)), phone.ok("read.mark", mark(&room, seq + 2)));
        assert!(one["read"].as_u64().unwrap() >= seq && two["read"] == seq + 2, "{one} {two}");
        for wire in [&mut b, &mut phone] {
            let last = loop {
                let event = wire.event().await;
                assert_eq!(event["ev"], "read.me");
                if event["d"]["read"] == seq + 2 {
                    break event;
                }
            };
            assert_eq!(last["d"]["unread"], 63 - (seq + 2), "{last}");
        }
    }
}

#[tokio::test]
async fn a_mark_that_the_store_refuses_or_loses_is_said_not_to_be_and_can_be_sent_again() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    a.ok("room.open", json!({ "room": room })).await;
    let said = say(&mut a, &room, "x").await;
    heard(&mut a).await;
    store.refuse_all("the disk is full");
    assert_eq!(b.refused("read.mark", mark(&room, said)).await, "store_unavailable");
    assert_eq!(
        b.refused("room.settings", json!({ "room": room, "pinned": true })).await,
        "store_unavailable"
    );
    store.heal();
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
    assert_eq!(b.ok("read.mark", mark(&room, said)).await["unread"], 0);
    assert_eq!(heard(&mut a).await, [told("read", &room, bob.id(), said)]);
    passivate(&node).await;
    assert_eq!(b.ok("read.mark", mark(&room, 1)).await["read"], said, "it is kept");
}

#[tokio::test]
async fn a_mark_of_what_a_page_has_shown_counts_before_the_room_has_heard_of_it() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (here, there) = (TestNode::over(Arc::clone(&store)).await, TestNode::over(store).await);
    let (_, mut a, bob, mut b) = two(&here).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut elsewhere = Wire::log_in(there.http(), there.login("alice").await.token()).await;
    let said = say(&mut elsewhere, &room, "hello").await;
    let page = b.ok("room.history", json!({ "room": room })).await;
    assert_eq!(page["head"]["seq"], said);
    let read = b.ok("read.mark", mark(&room, said + 5)).await;
    assert_eq!(read, json!({ "read": said, "unread": 0, "mentions": 0 }));
}

#[tokio::test]
async fn what_waits_for_its_time_is_told_at_the_sweeper_s_next_look_at_restless_rooms() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut phone = Wire::log_in(node.http(), bob.token()).await.with_background();
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    let (one, two) = (say(&mut a, &room, "x").await, say(&mut a, &room, "y").await);
    b.ok("read.mark", mark(&room, one)).await;
    b.ok("read.mark", mark(&room, two)).await;
    b.ok("typing.set", json!({ "room": room, "on": true })).await;
    for wire in [&mut a, &mut phone] {
        heard(wire).await;
    }
    node.pass(Duration::from_secs(1));
    node.node().sweep(false);
    assert_eq!(a.event().await, told("read", &room, bob.id(), two));
    node.pass(Duration::from_secs(1));
    node.node().sweep(false);
    let head = phone.event().await;
    assert_eq!(
        (&head["ev"], &head["d"]["head"]["seq"], &head["d"]["unread"]),
        (&json!("room.head"), &json!(two), &json!(0))
    );
    // Each look asks for the next one, for as long as something waits.
    for _ in 0..4 {
        node.pass(Duration::from_secs(1));
        node.node().sweep(false);
        a.settle().await;
    }
    let over = json!({ "room": room, "user": bob.id(), "on": false, "kind": "text" });
    assert_eq!(a.event().await, json!({ "ev": "typing", "d": over }));
}

/// Has Alice write and Bob mark over a store that takes its time, and compares the last word that Bob's
/// phone hears of what is unread with what is.
async fn last_word(seed: u64) {
    let slow = Faults { delayed: 0.7, longest_delay: Duration::from_millis(4), ..Faults::default() };
    let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), seed, slow));
    store.calm();
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut phone = Wire::log_in(node.http(), bob.token()).await.with_background();
    let room = group(&mut a, "Tea", &[&bob]).await;
    store.rage();
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut head = 3;
    for _ in 0..20 {
        let mention = json!({ "kind": "text", "text": "x", "mentions": ["all"] });
        let (sent, marked) = (a.send("message.send", draft(&room, &mention)).await, chance.u64(3..=head));
        node.pass(Duration::from_millis(chance.u64(0..3000)));
        node.node().sweep(false);
        if chance.bool() {
            b.ok("read.mark", mark(&room, marked)).await;
        }
        if chance.u8(0..5) == 0 {
            b.ok("message.send", draft(&room, &text("mine"))).await;
            head += 1;
        }
        a.reply(sent).await.unwrap();
        head += 1;
        // It answers pings too.
        phone.settle().await;
    }
    for _ in 0..3 {
        // As long as the slowest telling takes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        node.pass(Duration::from_secs(2));
        node.node().sweep(false);
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let is_word = |event: &&Value| event["ev"] == "room.head" || event["ev"] == "read.me";
    let last = heard(&mut phone).await.into_iter().rev().find(|event| is_word(&event)).unwrap();
    let me = &phone.ok("room.get", json!({ "room": room })).await["me"];
    let said = (&last["d"]["unread"], &last["d"]["mentions"]);
    assert_eq!(said, (&me["unread"], &me["mentions"]), "seed {seed}: {last}");
}

#[tokio::test]
async fn the_last_word_on_what_is_unread_is_true() {
    for seed in 1..=25 {
        last_word(seed).await;
    }
}
