//! Who is typing: told at most every three seconds, and over by itself.

use crate::chat::{heard, say};
use crate::rooms::{group, two};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

/// `on` is +1 for typing and -1 for no more.
fn types(room: &Value, on: i8) -> Value {
    json!({ "room": room, "on": on > 0 })
}

fn told(room: &Value, user: impl serde::Serialize, on: i8, kind: &str) -> Value {
    json!({ "ev": "typing", "d": { "room": room, "user": user, "on": on > 0, "kind": kind } })
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Alice and Bob in a group that both have open.
async fn at_tea(node: &TestNode) -> (Wire, rookery_tests::node::TestUser, Wire, Value) {
    let (_, mut a, bob, mut b) = two(node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    (a, bob, b, room)
}

#[tokio::test]
async fn who_types_is_told_every_three_seconds_and_is_over_six_after_the_last_word() {
    let node = TestNode::start().await;
    let (mut a, bob, mut b, room) = at_tea(&node).await;
    let on = told(&room, bob.id(), 1, "text");
    assert_eq!(b.ok("typing.set", types(&room, 1)).await, json!({}));
    b.ok("typing.set", types(&room, 1)).await;
    assert_eq!(heard(&mut a).await, std::slice::from_ref(&on), "once");
    node.advance(seconds(2));
    b.ok("typing.set", types(&room, 1)).await;
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
    node.advance(seconds(1));
    b.ok("typing.set", types(&room, 1)).await;
    assert_eq!(heard(&mut a).await, [on]);
    node.advance(seconds(5));
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
    node.advance(seconds(1));
    assert_eq!(a.event().await, told(&room, bob.id(), -1, "text"));
    node.advance(seconds(10));
    assert_eq!(heard(&mut a).await, Vec::<Value>::new(), "over once");
    assert_eq!(heard(&mut b).await, Vec::<Value>::new(), "nobody is told of oneself");
}

#[tokio::test]
async fn typing_ends_with_the_message_with_the_word_and_with_the_membership() {
    let node = TestNode::start().await;
    let (mut a, bob, mut b, room) = at_tea(&node).await;
    let mut audio = types(&room, 1);
    audio["kind"] = json!("audio");
    b.ok("typing.set", audio).await;
    assert_eq!(a.event().await, told(&room, bob.id(), 1, "audio"));
    say(&mut b, &room, "x").await;
    assert_eq!(a.room_event().await["type"], "message");
    assert_eq!(a.event().await, told(&room, bob.id(), -1, "audio"));
    b.ok("typing.set", types(&room, 1)).await;
    b.ok("typing.set", types(&room, -1)).await;
    b.ok("typing.set", types(&room, -1)).await;
    let both = [told(&room, bob.id(), 1, "text"), told(&room, bob.id(), -1, "text")];
    assert_eq!(heard(&mut a).await, both);
    b.unasked();
    b.ok("typing.set", types(&room, 1)).await;
    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    let kinds: Vec<_> = heard(&mut a).await.iter().map(|event| event["ev"].clone()).collect();
    assert_eq!(kinds, ["typing", "room.event", "typing"]);
    assert_eq!(b.refused("typing.set", types(&room, 1)).await, "not_found");
    let last: Vec<_> = heard(&mut b).await.iter().map(|event| event["ev"].clone()).collect();
    assert_eq!(last, ["room.event", "room.removed"]);
    node.advance(seconds(7));
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_may_not_write_does_not_type_and_of_many_some_are_told() {
    let node = TestNode::start().await;
    let (mut a, bob, mut b, room) = at_tea(&node).await;
    b.ok("typing.set", types(&room, 1)).await;
    a.ok("member.role", json!({ "room": room, "user": bob.id(), "role": "reader" })).await;
    let last = heard(&mut a).await.pop().unwrap();
    assert_eq!(last, told(&room, bob.id(), -1, "text"), "a reader does not write");
    assert_eq!(b.refused("typing.set", types(&room, 1)).await, "forbidden");
    assert_eq!(b.refused("typing.set", json!({ "room": room, "on": true, "kind": "x" })).await, "invalid");
    let inbox = b.ok("auth", json!({ "token": bob.token() })).await["inbox"].take();
    assert_eq!(b.refused("typing.set", types(&inbox, 1)).await, "forbidden");
    heard(&mut a).await;
    let mut typists = Vec::new();
    for number in 0..21 {
        let user = node.user(&format!("user{number}")).await;
        a.ok("member.add", json!({ "room": room, "users": [user.id()] })).await;
        typists.push(Wire::log_in(node.http(), user.token()).await);
    }
    heard(&mut a).await;
    for typist in &mut typists {
        typist.ok("typing.set", types(&room, 1)).await;
    }
    assert_eq!(heard(&mut a).await.len(), 20);
    typists[0].ok("typing.set", types(&room, -1)).await;
    typists[20].ok("typing.set", types(&room, 1)).await;
    assert_eq!(heard(&mut a).await.len(), 2, "one has gone and another one comes");
    node.advance(seconds(6));
    for _ in 0..20 {
        assert_eq!(a.event().await["d"]["on"], false);
    }
    assert_eq!(heard(&mut a).await, Vec::<Value>::new());
}
