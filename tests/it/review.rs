//! What a review of the core found: each test is an interleaving that lost, leaked or blocked something.

use crate::http::call;
use crate::rooms::{fresh, group, two};
use rookery_actors::{Authenticating, Authenticator, Identity, Node, NodeConfig, NodeParts, SessionMessage};
use rookery_engine::bus::{Alone, NodeId, Peer};
use rookery_engine::limits::OUTBOX_SOFT_BYTES;
use rookery_engine::search::ScanSearch;
use rookery_engine::store::Store;
use rookery_engine::trace::Tracer;
use rookery_engine::{Connection, FaultStore, MemoryStore, SeededRandom, SystemClock, Tasks};
use rookery_protocol::{CloseCode, Codec, ErrorCode, WireError};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

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
        // Above the soft limit by one frame at most.
        assert!(waiting(&connection) < OUTBOX_SOFT_BYTES + 17_000, "{} bytes wait", waiting(&connection));
        tokio::task::yield_now().await;
    }
    reader.hang_up();
    a.settle().await;
    assert!(soon(|| connection.strong_count() == 0).await, "somebody still waits for a peer that is gone");
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
    let user =
        serde_json::from_value(json!({ "id": alice.id(), "handle": "alice", "name": "alice" })).unwrap();
    let expires_at = node.node().clock().now().plus_millis(600_000);
    let identity = Identity { user, session: alice.session(), expires_at };
    // The ticket has been taken, and before the session hears of it the user logs out.
    let bearer = format!("Bearer {}", alice.token());
    call(node.http(), "POST", "/v1/auth/logout", &[("authorization", &bearer)], &json!({})).await;
    let (connection, session) = node.node().connect(Codec::Json);
    session.tell(SessionMessage::Ticket(Box::new(identity)));
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
    let (connection, _session) = node.node().connect(Codec::Json);
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

#[tokio::test]
async fn an_auth_that_could_not_open_the_inbox_can_be_sent_again() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let alice = node.user("alice").await;
    let mut a = Wire::open(node.http()).await;
    store.refuse_all("the disk is full");
    assert_eq!(a.refused("auth", json!({ "token": alice.token() })).await, "store_unavailable");
    store.heal();
    let who = a.ok("auth", json!({ "token": alice.token() })).await;
    assert!(who["inbox_from"].is_u64(), "its inbox is not open: {who}");
}

#[tokio::test]
async fn what_a_repeated_write_finds_in_the_log_is_heard_by_those_who_listen_here() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (here, there) = (TestNode::over(Arc::clone(&store)).await, TestNode::over(store).await);
    let (_, mut a, bob, mut b) = two(&here).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    let mut hello = draft(&room, "hello");
    let mut elsewhere = Wire::log_in(there.http(), there.login("alice").await.token()).await;
    assert_eq!(elsewhere.ok("message.send", hello.clone()).await["seq"], 4);
    hello["attempt"] = json!(2);
    let again = a.ok("message.send", hello).await;
    assert_eq!((&again["seq"], &again["duplicate"]), (&json!(4), &json!(true)));
    assert_eq!(b.room_event().await["seq"], 4);
}

/// Knows nobody.
#[derive(Debug)]
struct Nobody;

impl Authenticator for Nobody {
    fn authenticate<'a>(&'a self, _: &'a str) -> Authenticating<'a> {
        Box::pin(async { Err(WireError::new(ErrorCode::Unauthenticated, "nobody is known here")) })
    }
}

/// Starts a node whose sweeper runs by itself, by the time that the executor keeps.
async fn sweeping(store: Arc<dyn Store>) -> Arc<Node> {
    Node::start(NodeParts {
        ports: Tasks::new(),
        name: "test".to_owned(),
        config: NodeConfig::default(),
        search: Arc::new(ScanSearch::over(Arc::clone(&store))),
        store,
        bus: Arc::new(Alone::new(Peer {
            id: NodeId(uuid::Uuid::nil()),
            name: "test".to_owned(),
            url: String::new(),
            connections: 0,
            capacity: 0,
            is_draining: false,
        })),
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(SeededRandom::new(1)),
        authenticator: Arc::new(Nobody),
        metrics: rookery_api::exporter().0,
        tracer: Tracer::off(),
    })
    .await
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_stops_no_deadline() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = sweeping(Arc::clone(&store) as Arc<dyn Store>).await;
    store.refuse_all("the disk is full");
    store.hold();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(soon(|| store.held() == 1).await, "the store is never asked whether it is better");
    let (connection, _session) = node.connect(Codec::Json);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(soon(|| connection.outbox().closing().is_some()).await, "the deadline for auth never came");
    assert_eq!(connection.outbox().closing(), Some(CloseCode::AuthTimeout));
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_whether_the_store_answers_or_not() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = sweeping(Arc::clone(&store) as Arc<dyn Store>).await;
    store.hold();
    let drained = tokio::time::timeout(Duration::from_secs(60), node.drain(Duration::from_secs(10))).await;
    assert_eq!(drained, Ok(false), "`false`: not all of it was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pipelined_sends_keep_their_order_while_the_room_comes_and_goes() {
    let options = TestNodeOptions { room_idle: Duration::ZERO, ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let sweeper = Arc::clone(node.node());
    node.node().tasks().spawn(async move {
        while !sweeper.tasks().is_stopping() {
            // Every look lets an idle room go.
            sweeper.sweep(true);
            tokio::task::yield_now().await;
        }
    });
    let mut last = 2;
    for round in 0..500_u64 {
        let ids: Vec<u64> = (0..8).map(|number| 1000 + round * 8 + number).collect();
        let sends: Vec<_> = ids
            .iter()
            .map(|id| json!({ "id": id, "op": "message.send", "d": draft(&room, &id.to_string()) }))
            .collect();
        a.raw(Message::text(Value::from(sends).to_string())).await;
        for id in ids {
            let seq = a.reply(id).await.unwrap()["seq"].as_u64().unwrap();
            assert_eq!(seq, last + 1, "round {round}");
            last = seq;
        }
    }
}
