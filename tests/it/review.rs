//! What a review of the core found: each test is an interleaving that lost, leaked or blocked something.

use crate::http::call;
use crate::rooms::{fresh, group};
use rookery_actors::{Identity, SessionMessage};
use rookery_engine::limits::{OUTBOX_HARD_BYTES, OUTBOX_SOFT_BYTES};
use rookery_engine::store::Store;
use rookery_engine::{Connection, FaultStore, MemoryStore};
use rookery_protocol::{CloseCode, Codec};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Turns of the executor that a test gives the node before it says that something did not happen.
const TURNS: usize = 10_000;

fn draft(room: &Value, text: &str) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": text } })
}

/// Sends `count` messages of 16 kB each.
async fn fill(wire: &mut Wire, room: &Value, count: usize) {
    for _ in 0..count {
        wire.ok("message.send", draft(room, &"x".repeat(16_000))).await;
    }
}

/// Gives everybody else time until `is_so`. Returns whether it came to be.
async fn soon(is_so: impl Fn() -> bool) -> bool {
    for _ in 0..TURNS {
        if is_so() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// Returns the newest connection of the node.
fn newest(node: &TestNode) -> Weak<Connection> {
    let mut newest: Option<Arc<Connection>> = None;
    node.node().connections().each(|connection| {
        if newest.as_ref().is_none_or(|newest| newest.id() < connection.id()) {
            newest = Some(Arc::clone(connection));
        }
    });
    Arc::downgrade(&newest.expect("somebody is connected"))
}

fn waiting(connection: &Weak<Connection>) -> usize {
    connection.upgrade().map_or(0, |connection| connection.outbox().bytes())
}

async fn two(node: &TestNode) -> (TestUser, Wire, TestUser, Wire) {
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let wires =
        (Wire::log_in(node.http(), alice.token()).await, Wire::log_in(node.http(), bob.token()).await);
    (alice, wires.0, bob, wires.1)
}

#[tokio::test]
async fn a_peer_that_does_not_take_even_the_close_frame_is_dropped() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut stopped) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    stopped.ok("room.open", json!({ "room": room })).await;
    fill(&mut a, &room, 700).await;
    node.advance(Duration::from_secs(11));
    a.settle().await;
    node.advance(Duration::from_secs(6));
    assert!(soon(|| node.node().connections().len() == 1).await, "its socket is still held");
}

#[tokio::test]
async fn a_replay_is_bounded_while_nobody_reads_it_and_ends_with_its_socket() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut reader) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    fill(&mut a, &room, 900).await;
    let connection = newest(&node);
    reader.send("room.open", json!({ "room": room, "after": 0 })).await;
    assert!(soon(|| waiting(&connection) > OUTBOX_SOFT_BYTES).await, "the replay never waited");
    for _ in 0..1000 {
        assert!(waiting(&connection) <= OUTBOX_HARD_BYTES, "{} bytes wait", waiting(&connection));
        tokio::task::yield_now().await;
    }
    reader.hang_up();
    a.settle().await;
    assert!(soon(|| connection.strong_count() == 0).await, "somebody still waits for a peer that is gone");
}

#[tokio::test]
async fn a_reader_that_catches_up_slowly_but_steadily_is_left_alone() {
    const MESSAGES: u64 = 990;
    let node = TestNode::start().await;
    let (_, mut a, bob, mut slow) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    fill(&mut a, &room, 990).await;
    let connection = newest(&node);
    slow.ok("room.open", json!({ "room": room, "after": 3 })).await;
    let mut waited = Duration::ZERO;
    for seq in 4..4 + MESSAGES {
        assert_eq!(slow.room_event().await["seq"], seq);
        if seq % 100 == 0 && waiting(&connection) > 0 {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            node.advance(Duration::from_secs(9));
            a.settle().await;
            waited += Duration::from_secs(9);
        }
    }
    assert!(waited > Duration::from_secs(35), "a pong was never due: the test shows nothing");
    slow.settle().await;
}

#[tokio::test]
async fn what_was_said_between_a_removal_and_the_return_is_not_replayed() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut slow) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    fill(&mut a, &room, 900).await;
    let connection = newest(&node);
    slow.ok("room.open", json!({ "room": room, "after": 0 })).await;
    assert!(soon(|| waiting(&connection) > OUTBOX_SOFT_BYTES).await, "the replay never waited");
    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    a.ok("message.send", draft(&room, "the secret")).await;
    a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await;
    // So that the room's ring does not hold what the reader lacks.
    fill(&mut a, &room, 300).await;
    let end = loop {
        let event = slow.event().await;
        if event["ev"] != "room.event" {
            break event;
        }
        assert_ne!(event["d"]["body"]["text"], "the secret");
        assert!(event["d"]["seq"].as_u64() < Some(1200), "it was never told to open the room again");
    };
    assert_eq!(end["ev"], "room.lagged");
    let opened = slow.ok("room.open", json!({ "room": room, "after": 903 })).await;
    assert_eq!((&opened["status"], &opened["from"]), (&json!("replayed"), &json!(906)));
}

#[tokio::test]
async fn a_page_shows_what_was_sent_before_it_also_when_the_room_takes_no_more() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut others = Vec::new();
    for _ in 0..9 {
        others.push(Wire::log_in(node.http(), alice.token()).await);
    }
    store.hold();
    let mine = a.send("message.send", draft(&room, "mine")).await;
    assert!(soon(|| store.held() == 1).await);
    // 288 drafts where 256 may wait: from now on the room is full.
    for other in &mut others {
        for _ in 0..32 {
            other.send("message.send", draft(&room, "theirs")).await;
        }
    }
    let mut refused = 0;
    while refused < 288 - 256 {
        for other in &mut others {
            refused += other.early_refusals(&mut (1..=40).collect()).await.min(32);
        }
    }
    let page = a.send("room.history", json!({ "room": room, "after": 2, "limit": 1 })).await;
    a.settle().await;
    store.release();
    a.reply(mine).await.unwrap();
    let page = a.reply(page).await.unwrap();
    assert_eq!(page["messages"][0]["body"]["text"], "mine");
}

#[tokio::test]
async fn a_login_that_ends_while_its_socket_opens_does_not_outlive_it() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let user = serde_json::from_value(json!({ "id": alice.id(), "handle": "alice", "name": "alice" })).unwrap();
    let expires_at = node.node().clock().now().plus_millis(600_000);
    let identity = Identity { user, session: alice.session(), expires_at };
    // The ticket has been taken, and before the session hears of it the user logs out.
    let bearer = format!("Bearer {}", alice.token());
    call(node.http(), "POST", "/v1/auth/logout", &[("authorization", &bearer)], &json!({})).await;
    let (connection, session) = node.node().connect(Codec::Json).unwrap();
    session.send_message(SessionMessage::Ticket(Box::new(identity))).unwrap();
    assert!(soon(|| connection.outbox().closing().is_some()).await, "it lives on");
    assert_eq!(connection.outbox().closing(), Some(CloseCode::SessionRevoked));
}

#[tokio::test]
async fn an_idle_room_goes_however_often_it_is_looked_at() {
    let options = TestNodeOptions { room_idle: Duration::from_secs(5), ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    group(&mut a, "Tea", &[]).await;
    // The second look is in the mailbox when the first one lets the room go.
    node.advance(Duration::from_secs(6));
    node.advance(Duration::from_secs(1));
    assert!(soon(|| node.node().active_rooms() == 0).await);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.node().active_rooms(), 0, "a look activated it again");
}

#[tokio::test]
async fn a_panic_in_a_socket_s_task_leaves_no_connection_behind() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    clock.break_next();
    let mut wire = Wire::dial(node.http(), "/v1/ws").await;
    assert_eq!(wire.closed().await, 1006);
    assert!(soon(|| node.node().connections().is_empty()).await);
}

#[tokio::test]
async fn a_socket_that_opens_while_the_node_goes_down_is_sent_away() {
    let node = TestNode::start().await;
    node.node().begin_drain();
    let (connection, _session) = node.node().connect(Codec::Json).unwrap();
    assert_eq!(connection.outbox().closing(), Some(CloseCode::Draining));
}

#[tokio::test]
async fn rooms_that_one_was_removed_from_do_not_count_as_open() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut rooms = Vec::new();
    for number in 0..256 {
        rooms.push(group(&mut a, &number.to_string(), &[&bob]).await);
    }
    // The inbox is one of the 256.
    for room in &rooms[..255] {
        b.ok("room.open", json!({ "room": room })).await;
    }
    a.ok("member.remove", json!({ "room": rooms[0], "user": bob.id() })).await;
    b.ok("room.open", json!({ "room": rooms[255] })).await;
}
