//! Who is there, and who is told: several devices, away and invisible, last seen, lists that are
//! replaced, and what it costs.

use crate::http::call;
use crate::rooms::{fresh, group, two};
use rookery_engine::limits::PRESENCE_GRACE_SWEEPS;
use rookery_engine::store::{LastSeen, Store};
use rookery_engine::{FaultStore, MemoryStore};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Sweeps after which a test says that nothing will come.
const PATIENCE: usize = 10_000;

/// No event.
const NOTHING: [Value; 0] = [];

fn now(node: &TestNode) -> Value {
    json!(node.node().clock().now())
}

/// Watches `users` and returns how they are.
async fn watch(wire: &mut Wire, users: &[&TestUser]) -> Value {
    let users: Vec<_> = users.iter().map(|user| user.id()).collect();
    wire.ok("presence.watch", json!({ "users": users })).await["users"].take()
}

async fn set(wire: &mut Wire, state: &str) {
    assert_eq!(wire.ok("presence.set", json!({ "state": state })).await, json!({}));
}

/// Returns what is said of `user` that `is` in one word, where nothing else is.
fn shown(user: &TestUser, is: &str) -> Value {
    json!({ "user": user.id(), "state": is })
}

/// Sweeps once, and returns the presence events that `wire` got until then.
async fn swept(node: &TestNode, wire: &mut Wire) -> Vec<Value> {
    node.node().sweep(false);
    wire.settle().await;
    wire.unasked()
        .into_iter()
        .filter(|event| event["ev"] == "presence")
        .map(|mut event| event["d"].take())
        .collect()
}

/// Sweeps until `wire` is told something, and returns what the first event says.
async fn told(node: &TestNode, wire: &mut Wire) -> Value {
    for _ in 0..PATIENCE {
        if let Some(mut first) = swept(node, wire).await.into_iter().next() {
            return first["users"].take();
        }
    }
    panic!("nothing was told");
}

/// Waits until `count` connections are open.
async fn connections(node: &TestNode, count: usize) {
    while node.node().connections().len() != count {
        tokio::task::yield_now().await;
    }
}

/// Returns the value of a metric without labels, all of which count whole things.
async fn metric(node: &TestNode, name: &str) -> u64 {
    let page = call(node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
    let line = page.lines().find(|line| line.split(' ').next() == Some(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no {name}:\n{page}"))
}

#[tokio::test]
async fn a_watcher_is_told_who_comes_and_who_goes() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    assert_eq!(
        watch(&mut a, &[&bob, &alice, &bob]).await,
        json!([shown(&bob, "offline"), shown(&alice, "online")])
    );
    let b = Wire::log_in(node.http(), bob.token()).await;
    assert_eq!(told(&node, &mut a).await, json!([shown(&bob, "online")]));
    node.advance(Duration::from_secs(100));
    let left = now(&node);
    b.hang_up();
    connections(&node, 1).await;
    let gone = told(&node, &mut a).await;
    assert_eq!(gone, json!([{ "user": bob.id(), "state": "offline", "last_seen": left }]));
    assert_eq!(watch(&mut a, &[&bob]).await, gone, "asked again");
    assert_eq!(swept(&node, &mut a).await, NOTHING);
}

#[tokio::test]
async fn several_devices_are_one_user() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut desk) = two(&node).await;
    let other = node.login("bob").await;
    let mut phone = Wire::log_in(node.http(), other.token()).await;
    assert_eq!(watch(&mut a, &[&bob]).await, json!([shown(&bob, "online")]));
    set(&mut desk, "away").await;
    assert_eq!(swept(&node, &mut a).await, NOTHING, "away only when all are");
    set(&mut phone, "away").await;
    let at = now(&node);
    assert_eq!(told(&node, &mut a).await, json!([{ "user": bob.id(), "state": "away", "last_seen": at }]));
    set(&mut phone, "online").await;
    assert_eq!(told(&node, &mut a).await, json!([shown(&bob, "online")]));
    node.advance(Duration::from_secs(10));
    set(&mut desk, "invisible").await;
    let at = now(&node);
    let hidden = json!([{ "user": bob.id(), "state": "offline", "last_seen": at }]);
    assert_eq!(told(&node, &mut a).await, hidden, "one that is invisible hides the others");
    for state in ["away", "invisible", "online"] {
        node.advance(Duration::from_secs(10));
        set(&mut phone, state).await;
        assert_eq!(swept(&node, &mut a).await, NOTHING);
        assert_eq!(watch(&mut a, &[&bob]).await, hidden, "and leaves no trace");
    }
    set(&mut desk, "away").await;
    assert_eq!(told(&node, &mut a).await, json!([shown(&bob, "online")]));
}

#[tokio::test]
async fn coming_back_at_once_is_not_told() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    watch(&mut a, &[&bob]).await;
    set(&mut b, "away").await;
    assert_eq!(told(&node, &mut a).await[0]["state"], "away");
    for _ in 0..3 {
        b.hang_up();
        connections(&node, 1).await;
        assert_eq!(swept(&node, &mut a).await, NOTHING);
        b = Wire::log_in(node.http(), bob.token()).await;
        for _ in 0..3 * PRESENCE_GRACE_SWEEPS {
            assert_eq!(swept(&node, &mut a).await, NOTHING, "it is as it was");
        }
    }
    assert_eq!(watch(&mut a, &[&bob]).await[0]["state"], "away");
}

#[tokio::test]
async fn on_and_off_within_a_second_is_nothing_and_many_changes_are_one_event() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut others = Vec::new();
    for number in 0..20 {
        let user = node.user(&format!("user{number}")).await;
        let wire = Wire::log_in(node.http(), user.token()).await;
        others.push((user, wire));
    }
    let users: Vec<_> = others.iter().map(|(user, _)| user).collect();
    watch(&mut a, &users).await;
    for (_, wire) in &mut others {
        for state in ["away", "online", "invisible", "online"] {
            set(wire, state).await;
        }
    }
    assert_eq!(swept(&node, &mut a).await, NOTHING);
    for (_, wire) in &mut others {
        set(wire, "away").await;
    }
    let events = swept(&node, &mut a).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["users"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_list_replaces_the_one_before() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let carol = node.user("carol").await;
    let mut c = Wire::log_in(node.http(), carol.token()).await;
    watch(&mut a, &[&bob]).await;
    watch(&mut a, &[&carol]).await;
    set(&mut b, "away").await;
    set(&mut c, "away").await;
    let events = swept(&node, &mut a).await;
    assert_eq!((events.len(), &events[0]["users"][0]["user"]), (1, &json!(carol.id())));
    assert_eq!(events[0]["users"].as_array().unwrap().len(), 1);
    assert_eq!(watch(&mut a, &[&carol]).await, watch(&mut a, &[&carol]).await, "twice the same");
    assert_eq!(metric(&node, "rookery_presence_watches").await, 1);
    assert_eq!(watch(&mut a, &[]).await, json!([]));
    set(&mut c, "online").await;
    assert_eq!(swept(&node, &mut a).await, NOTHING);
    assert_eq!(metric(&node, "rookery_presence_watches").await, 0);
}

#[tokio::test]
async fn a_list_has_at_most_200_users_and_none_needs_to_exist() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let users = |count: u128| (1..=count).map(uuid::Uuid::from_u128).collect::<Vec<_>>();
    let answer = a.ok("presence.watch", json!({ "users": users(200) })).await;
    let nobody: Vec<_> = users(200).iter().map(|user| json!({ "user": user, "state": "offline" })).collect();
    assert_eq!(answer["users"], json!(nobody), "whether there is such a user is not told");
    let error = a.call("presence.watch", json!({ "users": users(201) })).await.unwrap_err();
    assert_eq!((&error["code"], &error["details"]["field"]), (&json!("invalid"), &json!("users")), "{error}");
    assert_eq!(metric(&node, "rookery_presence_watches").await, 200, "the list before stays");
    assert_eq!(a.refused("presence.watch", json!({})).await, "invalid");
}

#[tokio::test]
async fn a_status_is_shown_while_its_user_is_there() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    watch(&mut a, &[&bob]).await;
    b.ok("presence.set", json!({ "state": "online", "status": "at the nest" })).await;
    let at_the_nest = json!([{ "user": bob.id(), "state": "online", "status": "at the nest" }]);
    assert_eq!(told(&node, &mut a).await, at_the_nest);
    let mut tablet = Wire::log_in(node.http(), bob.token()).await;
    set(&mut tablet, "away").await;
    assert_eq!(swept(&node, &mut a).await, NOTHING, "a device without a status changes none");
    tablet.ok("presence.set", json!({ "state": "online", "status": "é".repeat(128) })).await;
    assert_eq!(told(&node, &mut a).await[0]["status"], "é".repeat(128), "the one said last counts");
    for status in ["é".repeat(129), "two\nlines".to_owned()] {
        let error =
            tablet.call("presence.set", json!({ "state": "away", "status": status })).await.unwrap_err();
        assert_eq!((&error["code"], &error["details"]["field"]), (&json!("invalid"), &json!("status")));
    }
    assert_eq!(swept(&node, &mut a).await, NOTHING, "nothing of it was done");
    tablet.ok("presence.set", json!({ "state": "online", "status": "" })).await;
    assert_eq!(told(&node, &mut a).await, at_the_nest);
    set(&mut b, "invisible").await;
    assert_eq!(told(&node, &mut a).await[0].get("status"), None);
}

#[tokio::test]
async fn presence_needs_an_identity_and_may_come_right_behind_it() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::open(node.http()).await;
    assert_eq!(a.refused("presence.watch", json!({ "users": [] })).await, "unauthenticated");
    assert_eq!(a.refused("presence.set", json!({ "state": "away" })).await, "unauthenticated");
    assert_eq!(metric(&node, "rookery_presence_users").await, 0);
    let auth = a.send("auth", json!({ "token": alice.token() })).await;
    let hide = a.send("presence.set", json!({ "state": "invisible" })).await;
    let list = a.send("presence.watch", json!({ "users": [alice.id(), bob.id()] })).await;
    a.reply(auth).await.unwrap();
    a.reply(hide).await.unwrap();
    let users = a.reply(list).await.unwrap()["users"].take();
    assert_eq!(users, json!([shown(&alice, "offline"), shown(&bob, "offline")]), "never seen to come");
    a.ok("auth", json!({ "token": alice.token() })).await;
    assert_eq!(metric(&node, "rookery_presence_users").await, 1, "a second `auth` is not a second device");
    assert_eq!(swept(&node, &mut a).await, NOTHING);
}

#[tokio::test]
async fn logging_out_is_going_and_a_session_that_fails_may_come_back() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    watch(&mut a, &[&bob]).await;
    clock.break_next();
    b.send("ping", json!({})).await;
    assert_eq!(b.closed().await, 4006);
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    for _ in 0..3 * PRESENCE_GRACE_SWEEPS {
        assert_eq!(swept(&node, &mut a).await, NOTHING);
    }
    let bearer = format!("Bearer {}", bob.token());
    call(node.http(), "POST", "/v1/auth/logout", &[("authorization", &bearer)], &json!({})).await;
    assert_eq!(b.closed().await, 4503);
    b.hang_up();
    assert_eq!(told(&node, &mut a).await[0]["state"], "offline");
    // The watcher's own session fails: nobody watches any more.
    clock.break_next();
    a.send("ping", json!({})).await;
    assert_eq!(a.closed().await, 4006);
    while metric(&node, "rookery_presence_watches").await > 0 {
        tokio::task::yield_now().await;
    }
    let mut b = Wire::log_in(node.http(), node.login("bob").await.token()).await;
    let before = metric(&node, "rookery_presence_events_total").await;
    for state in ["away", "online"] {
        set(&mut b, state).await;
        swept(&node, &mut b).await;
    }
    assert_eq!(metric(&node, "rookery_presence_events_total").await, before, "unwatched is untold");
}

#[tokio::test]
async fn a_watcher_that_does_not_read_ends_right() {
    let node = TestNode::start().await;
    let (_, mut slow, bob, mut b) = two(&node).await;
    let room = group(&mut slow, "Tea", &[&bob]).await;
    slow.ok("room.open", json!({ "room": room })).await;
    watch(&mut slow, &[&bob]).await;
    let mut sent = 0;
    while metric(&node, "rookery_presence_held_total").await < 2 {
        for _ in 0..20 {
            let body = json!({ "kind": "text", "text": "x".repeat(16_000) });
            let client_id = uuid::Uuid::from_u128(fresh());
            b.ok("message.send", json!({ "room": room, "client_id": client_id, "body": body })).await;
        }
        sent += 20;
        assert!(sent < 2_000, "the outbox never filled");
        set(&mut b, if sent % 40 == 0 { "online" } else { "away" }).await;
        node.node().sweep(false);
    }
    set(&mut b, "away").await;
    node.node().sweep(false);
    slow.settle().await;
    let mut known = json!("online");
    let mut events = slow.unasked();
    for _ in 0..3 {
        events.extend(swept(&node, &mut slow).await.into_iter().map(|d| json!({ "ev": "presence", "d": d })));
    }
    for event in events.iter().filter(|event| event["ev"] == "presence") {
        known = event["d"]["users"][0]["state"].clone();
    }
    assert_eq!(known, "away");
}

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&SqliteOptions::in_dir(&self.0)).expect("the store opens"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn when_somebody_was_last_there_is_known_after_a_restart() {
    let folder = Folder(std::env::temp_dir().join(format!("rookery-presence-{}", std::process::id())));
    let node = TestNode::over(folder.store()).await;
    let (alice, bob, carol) = (node.user("alice").await, node.user("bob").await, node.user("carol").await);
    let _a = Wire::log_in(node.http(), alice.token()).await;
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let mut c = Wire::log_in(node.http(), carol.token()).await;
    node.advance(Duration::from_secs(5));
    set(&mut c, "invisible").await;
    let hidden_at = now(&node);
    node.advance(Duration::from_secs(5));
    set(&mut b, "away").await;
    let away_at = now(&node);
    node.advance(Duration::from_secs(5));
    let stopped_at = now(&node);
    node.stop().await;

    // Another seed, or the new user would get the id of one there is.
    let node = TestNode::with(TestNodeOptions { store: folder.store(), seed: 2, ..Default::default() }).await;
    let dora = node.user("dora").await;
    let mut d = Wire::log_in(node.http(), dora.token()).await;
    let last_seen: Vec<_> = watch(&mut d, &[&alice, &bob, &carol])
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|user| (user["state"].clone(), user["last_seen"].clone()))
        .collect();
    let offline = |at| (json!("offline"), at);
    assert_eq!(last_seen, [offline(stopped_at), offline(away_at), offline(hidden_at)]);
}

#[tokio::test]
async fn a_store_that_fails_delays_what_is_written_and_refuses_lists() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, b) = two(&node).await;
    watch(&mut a, &[&bob]).await;
    store.refuse_all("the disk is full");
    let left = now(&node);
    b.hang_up();
    assert_eq!(told(&node, &mut a).await[0]["last_seen"], left, "it is told all the same");
    assert_eq!(watch(&mut a, &[&bob]).await[0]["last_seen"], left);
    assert_eq!(store.inner().last_seen(&[bob.id()]).await, Ok(vec![]));
    store.heal();
    while store.inner().last_seen(&[bob.id()]).await == Ok(vec![]) {
        swept(&node, &mut a).await;
    }
    assert_eq!(watch(&mut a, &[&bob]).await[0]["last_seen"], left);
}

#[tokio::test]
async fn a_list_that_cannot_be_answered_is_refused_and_nobody_is_watched_then() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    watch(&mut a, &[&bob]).await;
    node.node().store().close().await.unwrap();
    let error = a.call("presence.watch", json!({ "users": [bob.id()] })).await.unwrap_err();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("store_unavailable"), &json!(true)));
    set(&mut b, "away").await;
    assert_eq!(swept(&node, &mut a).await, NOTHING);
}
