//! Event streams: what they tell, exact resume over several rooms, and who is refused.

mod ends;

use super::event_source::EventSource;
use super::rooms::{ask, say, tea};
use super::{call, with};
use crate::rooms::{fresh, group};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// More big messages than the kernel's buffers and the outbox together take while nobody reads.
const MESSAGES: u64 = 700;

async fn open(node: &TestNode, who: &TestUser, rooms: &str, last: &str) -> EventSource {
    let token = format!("Bearer {}", who.token());
    let headers = [("authorization", token.as_str()), ("last-event-id", last)];
    let opened = EventSource::open(node, &format!("rooms={rooms}"), &headers).await;
    opened.unwrap_or_else(|answer| panic!("{}", answer.text()))
}

async fn refused(node: &TestNode, query: &str, headers: &[(&str, &str)]) -> (u16, String, Value) {
    let Err(answer) = EventSource::open(node, query, headers).await else { panic!("{query} was taken") };
    let (status, code) = answer.problem();
    (status, code, answer.json()["errors"][0]["field"].clone())
}

/// Returns a key that nobody else uses, the one of [`tea`] included.
fn key() -> String {
    Uuid::from_u128(fresh() | (1 << 100)).to_string()
}

async fn post(node: &TestNode, who: &TestUser, room: &str, text: &str) {
    assert_eq!(say(node, who, room, &key(), text).await.status, 201);
}

fn id(room: &Value) -> &str {
    room.as_str().expect("a room has an id")
}

#[tokio::test]
async fn a_stream_tells_who_listens_how_each_room_was_opened_and_then_its_events() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let room = tea(&node, &alice, &[&bob]).await;
    let mut bobs = open(&node, &bob, &format!("{room}:1"), "").await;
    let hello = bobs.expect("hello").await;
    assert_eq!((&hello["node"], bobs.retry), (&json!("test"), Some(2000)));
    assert_eq!(bobs.expect("ready").await["user"]["handle"], "bob");
    let opened = bobs.expect("room.opened").await;
    // What was before Bob's own coming is not for him to see.
    assert_eq!((&opened["status"], &opened["room"]["id"]), (&json!("replayed"), &json!(room)));
    let from = opened["from"].as_u64().unwrap();
    post(&node, &alice, &room, "line one\nline two").await;
    loop {
        let event = bobs.expect("room.event").await;
        if event["type"] == "message" {
            assert_eq!(event["body"]["text"], "line one\nline two");
            break;
        }
        assert!(event["seq"].as_u64().unwrap() >= from);
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_again_and_again_tells_every_event_once_and_in_order() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut rooms = Vec::new();
    for title in ["Tea", "Coffee", "Milk"] {
        rooms.push(id(&group(&mut a, title, &[&bob]).await).to_owned());
    }
    let query = rooms.iter().map(|room| format!("{room}:3")).collect::<Vec<_>>().join(",");
    let mut told: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let (mut last, mut sent) = (String::new(), 0);
    for round in 0..12 {
        // Some while nobody listens, some while somebody does.
        for number in 0..5 {
            post(&node, &alice, &rooms[(round * 5 + number) % 3], "news").await;
            sent += 1;
        }
        let mut stream = open(&node, &bob, &query, &last).await;
        stream.expect("hello").await;
        post(&node, &alice, &rooms[round % 3], "more").await;
        sent += 1;
        // Cut before all is read, but in the last round.
        let until = if round == 11 { sent } else { sent - 4 };
        while told.values().map(Vec::len).sum::<usize>() < until {
            let next = stream.next().await.expect("the stream goes on");
            if next.event == "room.event" {
                let seqs = told.entry(id(&next.data["room"]).to_owned()).or_default();
                seqs.push(next.data["seq"].as_u64().unwrap());
            }
        }
        last = stream.last_id.clone();
    }
    for room in &rooms {
        let seqs = &told[room];
        assert_eq!(*seqs, (4..4 + seqs.len() as u64).collect::<Vec<_>>(), "{room}");
    }
    assert_eq!(told.values().map(Vec::len).sum::<usize>(), sent);
}

#[tokio::test]
async fn a_stream_cut_before_its_first_event_resumes_where_it_was_opened() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let mut stream = open(&node, &alice, &room, "").await;
    stream.begin(1).await;
    let last = stream.last_id.clone();
    drop(stream);
    post(&node, &alice, &room, "missed").await;
    let mut stream = open(&node, &alice, &room, &last).await;
    assert_eq!(stream.begin(1).await[0]["status"], "replayed");
    assert_eq!(stream.expect("room.event").await["body"]["text"], "missed");
}

#[tokio::test]
async fn a_position_too_far_back_is_told_to_be_and_not_skipped_in_silence() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    // A position that this room never gave.
    let mut stream = open(&node, &alice, &format!("{room}:500"), "").await;
    let opened = stream.begin(1).await.remove(0);
    assert_eq!((&opened["status"], &opened["from"]), (&json!("reset"), &json!(3)));
    post(&node, &alice, &room, "after").await;
    assert_eq!(stream.expect("room.event").await["seq"], 3);
}

#[tokio::test]
async fn the_inbox_is_told_only_where_it_is_asked_for() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let mut stream = open(&node, &alice, &room, "").await;
    stream.expect("hello").await;
    let inbox = id(&stream.expect("ready").await["inbox"]).to_owned();
    stream.expect("room.opened").await;
    let mut both = open(&node, &alice, &format!("{inbox}:0,{room}:0"), "").await;
    let mut rooms = BTreeSet::new();
    while rooms.len() < 2 {
        let told = both.next().await.expect("the stream goes on");
        if told.event == "room.event" {
            rooms.insert(id(&told.data["room"]).to_owned());
        }
    }
    assert_eq!(rooms, BTreeSet::from([inbox, room]));
}

#[tokio::test]
async fn a_removed_member_is_told_and_hears_the_other_rooms_on() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let (one, other) = (group(&mut a, "Tea", &[&bob]).await, group(&mut a, "Milk", &[&bob]).await);
    let mut stream = open(&node, &bob, &format!("{},{}", id(&one), id(&other)), "").await;
    stream.begin(2).await;
    let gone = a.ok("member.remove", json!({ "room": one, "user": bob.id() })).await["seq"].clone();
    post(&node, &alice, id(&one), "without Bob").await;
    post(&node, &alice, id(&other), "with Bob").await;
    assert_eq!(stream.expect("room.event").await["body"]["change"], "removed");
    assert_eq!(stream.expect("room.removed").await, json!({ "room": one, "seq": gone }));
    assert_eq!(stream.expect("room.event").await["body"]["text"], "with Bob");
    let last = stream.last_id.clone();
    let token = format!("Bearer {}", bob.token());
    let headers = [("authorization", token.as_str()), ("last-event-id", last.as_str())];
    let query = format!("rooms={},{}", id(&one), id(&other));
    assert_eq!(refused(&node, &query, &headers).await.0, 404);
}

#[tokio::test]
async fn a_slow_reader_is_brought_back_without_a_gap() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut slow = open(&node, &alice, id(&room), "").await;
    slow.begin(1).await;
    let big = "x".repeat(16_000);
    for _ in 0..MESSAGES {
        let body = json!({ "kind": "text", "text": big });
        a.ok("message.send", json!({ "room": room, "client_id": key(), "body": body })).await;
    }
    let (mut last, mut lags) = (2, 0);
    while last < 2 + MESSAGES {
        let told = slow.next().await.expect("the stream goes on");
        match told.event.as_str() {
            "room.lagged" => lags += 1,
            "room.opened" => assert_eq!(told.data["from"], last + 1),
            _ => {
                last += 1;
                assert_eq!((told.event.as_str(), &told.data["seq"]), ("room.event", &json!(last)));
            }
        }
    }
    assert!(lags > 0, "the reader was never behind: the test shows nothing");
}

#[tokio::test]
async fn a_room_that_fails_is_opened_again_by_itself() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut stream = open(&node, &alice, id(&room), "").await;
    stream.begin(1).await;
    let draft =
        |text: &str| json!({ "room": room, "client_id": key(), "body": { "kind": "text", "text": text } });
    a.ok("message.send", draft("before")).await;
    assert_eq!(stream.expect("room.event").await["seq"], 3);
    clock.break_next();
    assert_eq!(a.refused("message.send", draft("lost")).await, "busy");
    stream.expect("room.lagged").await;
    assert_eq!(stream.expect("room.opened").await["from"], 4);
    a.ok("message.send", draft("after")).await;
    assert_eq!(stream.expect("room.event").await["seq"], 4);
}

#[tokio::test]
async fn silence_is_broken_by_comments() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let mut stream = open(&node, &alice, &room, "").await;
    stream.begin(1).await;
    for _ in 0..4 {
        node.advance(Duration::from_secs(25));
        stream.comment().await;
        // No pong is waited for.
        node.advance(Duration::from_secs(11));
        post(&node, &alice, &room, "still there").await;
        stream.expect("room.event").await;
    }
}

#[tokio::test]
async fn a_ticket_opens_one_stream() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let ticket = async || {
        let ticket = ask(&node, &alice, "POST", "/v1/auth/ticket", json!({})).await.json();
        ticket["ticket"].as_str().unwrap().to_owned()
    };
    let query = format!("rooms={room}&ticket={}", ticket().await);
    // What is wrong otherwise does not use it up.
    let wrong = format!("{query}&last_event_id=x");
    assert_eq!(refused(&node, &wrong, &[]).await.0, 422);
    let mut stream = EventSource::open(&node, &query, &[]).await.ok().unwrap();
    stream.begin(1).await;
    assert_eq!(refused(&node, &query, &[]).await, (401, "unauthenticated".to_owned(), Value::Null));
    post(&node, &alice, &room, "meanwhile").await;
    let query = format!("rooms={room}&ticket={}&last_event_id={}", ticket().await, stream.last_id);
    let mut next = EventSource::open(&node, &query, &[]).await.ok().unwrap();
    next.begin(1).await;
    assert_eq!(next.expect("room.event").await["body"]["text"], "meanwhile");
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_before_the_stream_begins() {
    let node = TestNode::start().await;
    let (alice, mallory) = (node.user("alice").await, node.user("mallory").await);
    let room = tea(&node, &alice, &[]).await;
    let (alice, mallory) = (format!("Bearer {}", alice.token()), format!("Bearer {}", mallory.token()));
    let many = (0..33).map(|number| Uuid::from_u128(number).to_string()).collect::<Vec<_>>().join(",");
    let invalid = |field: &str| (422, "invalid".to_owned(), json!(field));
    for query in ["", "rooms=", "rooms=tea", &format!("rooms={room}:-1"), &format!("rooms={room},{room}:1")] {
        assert_eq!(refused(&node, query, &[("authorization", &alice)]).await, invalid("rooms"), "{query}");
    }
    let query = format!("rooms={many}");
    assert_eq!(refused(&node, &query, &[("authorization", &alice)]).await, invalid("rooms"));
    let query = format!("rooms={room}");
    for id in ["x", "0.1", "00000000.1", "é"] {
        let headers = [("authorization", alice.as_str()), ("last-event-id", id)];
        assert_eq!(refused(&node, &query, &headers).await, invalid("Last-Event-ID"), "{id}");
    }
    assert_eq!(refused(&node, &query, &[]).await.0, 401);
    assert_eq!(refused(&node, &query, &[("authorization", &mallory)]).await.0, 404);
    let headers = [("authorization", alice.as_str()), ("origin", "https://evil.example")];
    assert_eq!(refused(&node, &query, &headers).await.0, 403);
    let headers = [("authorization", alice.as_str())];
    let head = call(node.http(), "HEAD", &format!("/v1/events?{query}"), &headers, &Value::Null).await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream; charset=utf-8")));
    assert!(node.node().connections().is_empty());
}

#[tokio::test]
async fn streams_count_among_the_connections_of_a_server_that_is_full() {
    let node = with(&[("ROOKERY_SERVER__MAX_CONNECTIONS", "2")]).await;
    let alice = node.user("alice").await;
    let mut wire = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut wire, "Tea", &[]).await;
    let query = format!("rooms={}", id(&room));
    let token = format!("Bearer {}", alice.token());
    let mut stream = open(&node, &alice, id(&room), "").await;
    stream.begin(1).await;
    let headers = [("authorization", token.as_str())];
    assert_eq!(refused(&node, &query, &headers).await.1, "busy");
    wire.settle().await;
}
