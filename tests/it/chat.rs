//! What the tests of messages, receipts, typing, lists and inboxes say and look at.

use crate::rooms::fresh;
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

/// Turns of the executor that a test gives the node before it says that something did not happen.
const TURNS: usize = 20_000;

/// Returns a name for a write that nothing else has.
pub(crate) fn name() -> Value {
    json!(uuid::Uuid::from_u128(fresh()))
}

pub(crate) fn text(text: &str) -> Value {
    json!({ "kind": "text", "text": text })
}

pub(crate) fn draft(room: &Value, body: &Value) -> Value {
    json!({ "room": room, "client_id": name(), "body": body })
}

/// Sends a text and returns its position.
pub(crate) async fn say(wire: &mut Wire, room: &Value, said: &str) -> u64 {
    say_body(wire, room, &text(said)).await
}

pub(crate) async fn say_body(wire: &mut Wire, room: &Value, body: &Value) -> u64 {
    wire.ok("message.send", draft(room, body)).await["seq"].as_u64().unwrap()
}

/// Sends texts, 32 in a frame.
pub(crate) async fn say_many(wire: &mut Wire, room: &Value, count: usize) {
    for start in (0..count).step_by(32) {
        let mut ids = Vec::new();
        for number in start..count.min(start + 32) {
            ids.push(wire.send("message.send", draft(room, &text(&number.to_string()))).await);
        }
        for id in ids {
            wire.reply(id).await.unwrap();
        }
    }
}

pub(crate) fn edit(room: &Value, target: u64, said: &str) -> Value {
    json!({ "room": room, "client_id": name(), "target": target, "body": text(said) })
}

pub(crate) fn delete(room: &Value, target: u64) -> Value {
    json!({ "room": room, "client_id": name(), "target": target })
}

/// `on` is +1 to set it and -1 to take it off.
pub(crate) fn react(room: &Value, target: u64, emoji: &str, on: i8) -> Value {
    json!({ "room": room, "client_id": name(), "target": target, "emoji": emoji, "on": on > 0 })
}

/// `on` is +1 to pin and -1 to unpin.
pub(crate) fn pin(room: &Value, target: u64, on: i8) -> Value {
    json!({ "room": room, "client_id": name(), "target": target, "on": on > 0 })
}

/// Returns the message at `seq` as a page shows it.
pub(crate) async fn shown(wire: &mut Wire, room: &Value, seq: u64) -> Value {
    let asked = json!({ "room": room, "after": seq - 1, "limit": 1 });
    let mut page = wire.ok("room.history", asked).await;
    assert_eq!(page["messages"][0]["seq"], seq, "{page}");
    page["messages"][0].take()
}

/// Returns every event of the room from the beginning, as somebody hears it who opens it.
pub(crate) async fn replay(wire: &mut Wire, room: &Value) -> Vec<Value> {
    let opened = wire.ok("room.open", json!({ "room": room, "after": 0 })).await;
    assert_eq!(opened["status"], "replayed");
    let (from, head) = (opened["from"].as_u64().unwrap(), opened["head"]["seq"].as_u64().unwrap());
    let mut events = Vec::new();
    for seq in from..=head {
        let event = wire.room_event().await;
        assert_eq!(event["seq"], seq);
        events.push(event);
    }
    wire.ok("room.close", json!({ "room": room })).await;
    events
}

/// Gives everybody else time until `is_so`. Returns whether it came to be.
pub(crate) async fn soon(is_so: impl Fn() -> bool) -> bool {
    for _ in 0..TURNS {
        if is_so() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// Lets every room go that was not used for a minute, which the test has the clock say.
pub(crate) async fn passivate(node: &TestNode) {
    node.advance(Duration::from_secs(61));
    assert!(soon(|| node.node().active_rooms() == 0).await, "a room is still active");
}

/// Returns all that has come by now.
pub(crate) async fn heard(wire: &mut Wire) -> Vec<Value> {
    for _ in 0..3 {
        wire.settle().await;
    }
    wire.unasked()
}
