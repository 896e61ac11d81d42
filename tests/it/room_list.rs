//! A user's rooms: their order, what is new in them, how one has them, and word of those not open.

use crate::chat::{delete, edit, heard, react, say, soon};
use crate::rooms::{group, two};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn listed(wire: &mut Wire) -> Vec<(String, String, u64)> {
    let list = wire.ok("room.list", json!({})).await;
    let told = |text: &Value| text.as_str().unwrap_or("-").to_owned();
    let rooms = list["rooms"].as_array().unwrap().iter();
    rooms
        .map(|room| {
            let unread = room["me"]["unread"].as_u64().unwrap();
            (told(&room["title"]), told(&room["preview"]["text"]), unread)
        })
        .collect()
}

fn row(title: &str, preview: &str, unread: u64) -> (String, String, u64) {
    (title.to_owned(), preview.to_owned(), unread)
}

/// Five groups of Alice and Bob, named by their letters, the last one made last.
async fn five(node: &TestNode, a: &mut Wire, bob: &TestUser) -> Vec<Value> {
    let mut rooms = Vec::new();
    for title in ["A", "B", "C", "D", "E"] {
        node.advance(Duration::from_millis(10));
        rooms.push(group(a, title, &[bob]).await);
    }
    rooms
}

#[tokio::test]
async fn a_list_is_ordered_by_activity_and_shows_each_newest_message_as_it_is_now() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let rooms = five(&node, &mut a, &bob).await;
    let rows = [row("E", "-", 0), row("D", "-", 0), row("C", "-", 0), row("B", "-", 0), row("A", "-", 0)];
    assert_eq!(listed(&mut b).await, rows);
    let mut said = Vec::new();
    for (room, text) in rooms.iter().zip(["one", "two", "three"]) {
        node.advance(Duration::from_millis(10));
        said.push(say(&mut a, room, text).await);
    }
    let rows =
        [row("C", "three", 1), row("B", "two", 1), row("A", "one", 1), row("E", "-", 0), row("D", "-", 0)];
    assert_eq!(listed(&mut b).await, rows);
    node.advance(Duration::from_millis(10));
    a.ok("message.edit", edit(&rooms[0], said[0], "edited")).await;
    node.advance(Duration::from_millis(10));
    a.ok("message.delete", delete(&rooms[1], said[1])).await;
    b.ok("read.mark", json!({ "room": rooms[2], "seq": said[2] })).await;
    let rows =
        [row("B", "", 1), row("A", "edited", 1), row("C", "three", 0), row("E", "-", 0), row("D", "-", 0)];
    assert_eq!(listed(&mut b).await, rows);
    // Page by page it is the same, and somebody who comes later sees no preview from before.
    let (mut cursor, mut paged) = (Value::Null, Vec::new());
    loop {
        let asked =
            if cursor.is_null() { json!({ "limit": 2 }) } else { json!({ "limit": 2, "cursor": cursor }) };
        let page = b.ok("room.list", asked).await;
        assert_eq!(page["total_unread"], 2);
        paged.extend(page["rooms"].as_array().unwrap().iter().map(|room| room["title"].clone()));
        match page.get("next") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    assert_eq!(paged, ["B", "A", "C", "E", "D"]);
    let carol = node.user("carol").await;
    let mut c = Wire::log_in(node.http(), carol.token()).await;
    a.ok("member.add", json!({ "room": rooms[2], "users": [carol.id()] })).await;
    assert_eq!(listed(&mut c).await, [row("C", "-", 0)]);
    for (field, bad) in [("limit", json!(0)), ("limit", json!(101)), ("cursor", json!("x"))] {
        assert_eq!(b.refused("room.list", json!({ field: bad })).await, "invalid", "{field}");
    }
}

#[tokio::test]
async fn each_has_a_room_in_its_own_way() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let set = |field: &str, value: Value| json!({ "room": room, field: value });
    let me = b.ok("room.settings", set("notify", json!("mentions"))).await;
    assert_eq!(
        (&me["notify"], &me["pinned"], &me["archived"], me.get("muted_until"), &me["role"]),
        (&json!("mentions"), &json!(false), &json!(false), None, &json!("member"))
    );
    b.ok("room.settings", set("muted_until", json!(1_900_000_000_000_u64))).await;
    b.ok("room.settings", set("pinned", json!(true))).await;
    let me = b.ok("room.settings", set("archived", json!(true))).await;
    let all = (&me["notify"], &me["muted_until"], &me["pinned"], &me["archived"]);
    assert_eq!(all, (&json!("mentions"), &json!(1_900_000_000_000_u64), &json!(true), &json!(true)));
    assert_eq!(b.ok("room.settings", json!({ "room": room })).await, me, "nothing named, nothing changed");
    assert_eq!(b.ok("room.get", json!({ "room": room })).await["me"], me);
    assert_eq!(b.ok("room.list", json!({})).await["rooms"][0]["me"], me);
    let me = b.ok("room.settings", set("muted_until", json!(0))).await;
    assert!(me.get("muted_until").is_none(), "{me}");
    assert_eq!(b.refused("room.settings", set("notify", json!("loudly"))).await, "invalid");
    assert_eq!(
        a.ok("room.get", json!({ "room": room })).await["me"]["notify"],
        "all",
        "others have their own"
    );
}

fn head(event: &Value) -> (Value, u64, Value) {
    assert_eq!(event["ev"], "room.head", "{event}");
    let d = &event["d"];
    (d["room"].clone(), d["unread"].as_u64().unwrap(), d["preview"]["text"].clone())
}

#[tokio::test]
async fn word_of_a_room_that_is_not_open_comes_at_most_every_two_seconds() {
    let node = TestNode::start().await;
    let (_, a, bob, b) = two(&node).await;
    let (mut a, mut b) = (a.with_background(), b.with_background());
    let mut phone = Wire::log_in(node.http(), bob.token()).await.with_background();
    let room = group(&mut a, "Tea", &[&bob]).await;
    node.advance(Duration::from_secs(2));
    phone.ok("room.open", json!({ "room": room })).await;
    for wire in [&mut a, &mut b, &mut phone] {
        heard(wire).await;
    }
    say(&mut a, &room, "one").await;
    assert_eq!(head(&b.event().await), (room.clone(), 1, json!("one")));
    say(&mut a, &room, "two").await;
    say(&mut a, &room, "three").await;
    assert_eq!(heard(&mut b).await, Vec::<Value>::new());
    node.advance(Duration::from_millis(1999));
    assert_eq!(heard(&mut b).await, Vec::<Value>::new());
    node.advance(Duration::from_millis(1));
    assert_eq!(head(&b.event().await), (room.clone(), 3, json!("three")));
    let kinds: Vec<_> = heard(&mut phone).await.iter().map(|event| event["ev"].clone()).collect();
    assert_eq!(kinds, ["room.event"; 3], "who has it open hears the room itself");
    // The sender's own connection has it not open either, and hears the reply first.
    assert_eq!(head(&heard(&mut a).await[0]).1, 0);
    // With the room open it is not told, and closed again it is.
    b.ok("room.open", json!({ "room": room })).await;
    node.advance(Duration::from_secs(2));
    say(&mut a, &room, "four").await;
    assert_eq!(heard(&mut b).await.len(), 1);
    b.ok("room.close", json!({ "room": room })).await;
    a.ok("reaction.set", react(&room, 4, "👍", 1)).await;
    node.advance(Duration::from_secs(2));
    assert_eq!(head(&b.event().await), (room.clone(), 4, json!("four")));
    node.advance(Duration::from_secs(10));
    assert_eq!(heard(&mut b).await, Vec::<Value>::new(), "nothing has happened since");
}

#[tokio::test]
async fn five_rooms_are_told_each_for_itself() {
    let node = TestNode::start().await;
    let (_, mut a, bob, b) = two(&node).await;
    let mut b = b.with_background();
    let rooms = five(&node, &mut a, &bob).await;
    node.advance(Duration::from_secs(2));
    heard(&mut b).await;
    for room in &rooms {
        for text in ["x", "y"] {
            say(&mut a, room, text).await;
        }
    }
    for (count, text) in [(1, "x"), (2, "y")] {
        let mut told = Vec::new();
        for _ in 0..5 {
            told.push(head(&b.event().await));
        }
        for room in &rooms {
            let first = told.iter().find(|(of, ..)| of == room).unwrap();
            assert!(first.1 >= count && (first.2 == text || first.2 == "y"), "{first:?}");
        }
        node.advance(Duration::from_secs(2));
    }
}

#[tokio::test]
async fn who_was_removed_hears_no_word_of_the_room_that_was_on_its_way() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, b) = two(&node).await;
    let mut b = b.with_background();
    let room = group(&mut a, "Tea", &[&bob]).await;
    node.advance(Duration::from_secs(2));
    heard(&mut b).await;
    // The batch with the message is on its way, and the removal behind it.
    store.hold();
    let said = a.send("message.send", crate::chat::draft(&room, &crate::chat::text("the last"))).await;
    let gone = a.send("member.remove", json!({ "room": room, "user": bob.id() })).await;
    assert!(soon(|| store.held() == 1).await);
    store.release();
    a.reply(said).await.unwrap();
    a.reply(gone).await.unwrap();
    for _ in 0..3 {
        node.advance(Duration::from_secs(2));
        heard(&mut a).await;
    }
    say(&mut a, &room, "unheard").await;
    node.advance(Duration::from_secs(2));
    let all = heard(&mut b).await;
    let is_told = |event: &&Value| event["ev"] == "room.head" && event["d"]["preview"]["text"] == "unheard";
    assert_eq!(all.iter().find(is_told), None);
    let notice = all.iter().position(|event| event["d"]["body"]["kind"] == "x.notice.removed").unwrap();
    assert!(all[notice..].iter().all(|event| event["ev"] != "room.head"), "{all:?}");
}

#[tokio::test]
async fn a_head_that_could_not_be_read_is_told_the_next_time() {
    let faults = Faults { refused: 1.0, ..Faults::default() };
    let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, faults));
    store.calm();
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, b) = two(&node).await;
    let mut b = b.with_background();
    let room = group(&mut a, "Tea", &[&bob]).await;
    node.advance(Duration::from_secs(2));
    say(&mut a, &room, "one").await;
    heard(&mut b).await;
    say(&mut a, &room, "two").await;
    let reads = store.reads();
    store.rage();
    node.advance(Duration::from_secs(2));
    assert!(soon(|| store.reads() > reads).await);
    store.calm();
    assert_eq!(heard(&mut b).await, Vec::<Value>::new());
    node.advance(Duration::from_secs(2));
    assert_eq!(head(&b.event().await), (room, 2, json!("two")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reply_to_what_moved_a_head_comes_before_the_word_of_it() {
    let node = TestNode::start().await;
    let (_, a, bob, _) = two(&node).await;
    let mut a = a.with_background();
    let room = group(&mut a, "Tea", &[&bob]).await;
    heard(&mut a).await;
    for round in 0..250 {
        node.pass(Duration::from_secs(2));
        node.node().sweep(false);
        let id = a.send("message.send", crate::chat::draft(&room, &crate::chat::text("x"))).await;
        let Heard::Said(first) = a.heard().await else { panic!("closed") };
        assert_eq!(first["id"], id, "round {round}: {first}");
        let word = a.event().await;
        assert_eq!((&word["ev"], &word["d"]["head"]["seq"]), (&json!("room.head"), &first["ok"]["seq"]));
    }
}
