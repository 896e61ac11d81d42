//! Sending: order, exactly once, who hears it, and what is refused.

use crate::rooms::{fresh, group};
use rookery_protocol::ServerFrame;
use rookery_tests::node::TestNode;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn draft(room: &Value, text: &str) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": text } })
}

#[tokio::test]
async fn a_message_travels() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let (mut a, mut b) =
        (Wire::log_in(node.http(), alice.token()).await, Wire::log_in(node.http(), bob.token()).await);
    let room = group(&mut a, "Tea", &[&bob]).await;
    a.ok("room.open", json!({ "room": room })).await;
    b.ok("room.open", json!({ "room": room })).await;
    let mut hello = draft(&room, "hello");
    hello["body"]["meta"] = json!({ "deep": [1, { "er": null }] });
    hello["reply_to"] = json!(3);
    let id = a.send("message.send", hello.clone()).await;
    // The reply comes first, then the event it caused.
    let Heard::Said(reply) = a.heard().await else { panic!("closed") };
    assert_eq!((&reply["id"], &reply["ok"]["seq"], &reply["ok"]["ord"]), (&json!(id), &json!(4), &json!(1)));
    let event = a.room_event().await;
    assert_eq!(event, b.room_event().await);
    assert_eq!(
        event,
        json!({
            "room": room, "seq": 4, "ord": 1, "at": reply["ok"]["at"], "by": alice.id(), "client_id": hello["client_id"],
            "reply_to": 3, "type": "message", "body": hello["body"],
        })
    );
}

#[tokio::test]
async fn the_same_write_again_gives_the_same_place_on_any_connection() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let (mut a, mut b) =
        (Wire::log_in(node.http(), alice.token()).await, Wire::log_in(node.http(), bob.token()).await);
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut hello = draft(&room, "hello");
    let first = a.ok("message.send", hello.clone()).await;
    hello["attempt"] = json!(2);
    let mut again = first.clone();
    again["duplicate"] = json!(true);
    assert_eq!(a.ok("message.send", hello.clone()).await, again);
    let mut other = Wire::log_in(node.http(), alice.token()).await;
    assert_eq!(other.ok("message.send", hello.clone()).await, again);
    // Somebody else's name for a write is another name.
    assert_eq!(b.ok("message.send", hello.clone()).await["seq"], 5);
    // Also after the room has forgotten it, with and without the word that it is a repetition.
    for number in 0..1100 {
        a.ok("message.send", draft(&room, &number.to_string())).await;
    }
    assert_eq!(a.ok("message.send", hello.clone()).await, again);
    hello.as_object_mut().unwrap().remove("attempt");
    assert_eq!(a.ok("message.send", hello).await, again);
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["head"]["seq"], 5 + 1100);
}

#[tokio::test]
async fn the_same_write_twice_in_one_batch_is_written_once() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let hello = draft(&room, "hello");
    let batch: Vec<_> = (100..132).map(|id| json!({ "id": id, "op": "message.send", "d": hello })).collect();
    a.raw(Message::text(Value::from(batch).to_string())).await;
    let mut duplicates = 0;
    for id in 100..132 {
        let sent = a.reply(id).await.unwrap();
        assert_eq!(sent["seq"], 3);
        duplicates += u32::from(sent["duplicate"] == true);
    }
    assert_eq!(duplicates, 31);
}

#[tokio::test]
async fn pipelined_sends_keep_their_order_and_a_page_asked_for_behind_them_shows_them() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    // More than there are credits: the rest waits in the socket.
    let mut sends = Vec::new();
    for number in 0..40 {
        sends.push(a.send("message.send", draft(&room, &number.to_string())).await);
    }
    let page = a.send("room.history", json!({ "room": room, "after": 2, "limit": 100 })).await;
    for (number, id) in sends.into_iter().enumerate() {
        assert_eq!(a.reply(id).await.unwrap()["seq"], 3 + number);
    }
    let page = a.reply(page).await.unwrap();
    let texts: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|m| m["body"]["text"].clone()).collect();
    assert_eq!(texts, (0..40).map(|number| json!(number.to_string())).collect::<Vec<_>>());
}

#[tokio::test]
async fn both_codecs_hear_the_same() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut binary = crate::msgpack::Binary::log_in(node.http(), alice.token()).await;
    binary.open(&room, 0).await;
    a.ok("message.send", draft(&room, "hello")).await;
    a.ok("room.open", json!({ "room": room, "after": 0 })).await;
    for _ in 0..3 {
        let json = a.room_event().await;
        let ServerFrame::Event { ev, body } = binary.heard().await else { panic!("a reply") };
        assert_eq!(ev, "room.event");
        let event: rookery_protocol::Event = body.read().unwrap();
        assert_eq!(json, serde_json::to_value(event).unwrap());
    }
}

#[tokio::test]
async fn a_bad_message_is_refused_with_its_field_and_changes_nothing() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let with = |change: Value| {
        let mut draft = draft(&room, "x");
        for (key, value) in change.as_object().unwrap() {
            draft[key] = value.clone();
        }
        draft
    };
    let bad = [
        (with(json!({ "body": { "kind": "text" } })), "invalid", "body.text"),
        (
            with(json!({ "body": { "kind": "text", "text": "x".repeat(16 * 1024 + 1) } })),
            "too_large",
            "body.text",
        ),
        (with(json!({ "body": { "kind": "nonsense", "text": "x" } })), "invalid", "body.kind"),
        (with(json!({ "body": { "kind": "text", "text": 5 } })), "invalid", "body.text"),
        (with(json!({ "client_id": "five" })), "invalid", "client_id"),
        (with(json!({ "reply_to": 77 })), "invalid", "reply_to"),
        (
            with(json!({ "body": { "kind": "text", "text": "x", "meta": { "m": "x".repeat(5000) } } })),
            "invalid",
            "body.meta.m",
        ),
        (json!({ "room": room, "body": { "kind": "text", "text": "x" } }), "invalid", "client_id"),
    ];
    for (draft, code, field) in bad {
        let error = a.call("message.send", draft.clone()).await.unwrap_err();
        assert_eq!((&error["code"], &error["details"]["field"]), (&json!(code), &json!(field)), "{error}");
    }
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["head"]["seq"], 2);
}
