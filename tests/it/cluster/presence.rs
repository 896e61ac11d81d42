//! Who is there, told to whoever watches on whichever node.

use super::over_redis::OverRedis;
use super::{Cluster, PATIENCE, id};
use rookery_engine::limits::PRESENCE_GRACE_SWEEPS;
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// A connection that watches, and what it knows by what it was told.
struct Watcher {
    wire: Wire,
    known: HashMap<String, Value>,
}

impl Watcher {
    async fn of(node: &TestNode, user: &TestUser, users: &[&TestUser]) -> Self {
        let mut watcher = Self { wire: Wire::log_in(node.http(), user.token()).await, known: HashMap::new() };
        watcher.watch(users).await;
        watcher
    }

    async fn watch(&mut self, users: &[&TestUser]) {
        let users: Vec<_> = users.iter().map(|user| user.id()).collect();
        let told = self.wire.ok("presence.watch", json!({ "users": users })).await;
        self.take(&told);
    }

    fn take(&mut self, told: &Value) {
        for entry in told["users"].as_array().unwrap() {
            self.known.insert(entry["user"].as_str().unwrap().to_owned(), entry.clone());
        }
    }

    fn knows(&self, user: &TestUser) -> Value {
        let mut entry = self.known[&user.id().to_string()].clone();
        entry.as_object_mut().unwrap().remove("user");
        entry
    }

    fn state(&self, user: &TestUser) -> String {
        self.knows(user)["state"].as_str().unwrap().to_owned()
    }

    /// Sweeps all nodes and reads, once.
    async fn sweep(&mut self, nodes: &[TestNode]) {
        for node in nodes {
            node.node().sweep(false);
        }
        self.wire.settle().await;
        for event in self.wire.unasked().into_iter().filter(|event| event["ev"] == "presence") {
            self.take(&event["d"]);
        }
    }

    /// Sweeps all nodes until it knows this.
    async fn until(&mut self, nodes: &[TestNode], user: &TestUser, expected: &Value) {
        let told = async {
            while self.knows(user) != *expected {
                self.sweep(nodes).await;
                // What nodes say to each other takes a moment.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let is_told = tokio::time::timeout(PATIENCE, told).await.is_ok();
        assert!(is_told, "waited for {expected}, and knows {}", self.knows(user));
    }

    /// Sweeps all nodes so often that what is to come has come, and checks that it knows this all the time.
    async fn goes_on(&mut self, nodes: &[TestNode], user: &TestUser, expected: &Value) {
        for _ in 0..10 {
            self.sweep(nodes).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(self.knows(user), *expected);
        }
    }
}

async fn set(wire: &mut Wire, state: &str) {
    wire.ok("presence.set", json!({ "state": state })).await;
}

fn is(state: &str) -> Value {
    json!({ "state": state })
}

fn now(node: &TestNode) -> Value {
    json!(node.node().clock().now())
}

/// Returns how many frames of these kinds a node has sent.
async fn said(cluster: &Cluster, node: usize) -> f64 {
    let counted = cluster.counted(node).await;
    let of = |kind: &str| counted[&format!("rookery_bus_frames_sent_total{{kind=\"{kind}\"}}")];
    ["watch", "unwatch", "presence"].map(of).iter().sum()
}

#[tokio::test]
async fn whoever_is_on_another_node_is_seen_there_and_how_and_until_when() {
    let cluster = Cluster::start(3).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let mut b = cluster.wire(1, &bob).await;
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&bob, &alice]).await;
    assert_eq!((a.knows(&bob), a.knows(&alice)), (is("online"), is("online")), "known with the first answer");
    b.ok("presence.set", json!({ "state": "away", "status": "making tea" })).await;
    let at = now(&cluster.nodes[1]);
    let away = json!({ "state": "away", "last_seen": at, "status": "making tea" });
    a.until(&cluster.nodes, &bob, &away).await;
    set(&mut b, "online").await;
    a.until(&cluster.nodes, &bob, &is("online")).await;
    cluster.nodes[1].advance(Duration::from_secs(50));
    let at = now(&cluster.nodes[1]);
    b.hang_up();
    a.until(&cluster.nodes, &bob, &json!({ "state": "offline", "last_seen": at })).await;
    // Whoever asks only now is told the same, on every node.
    for node in &cluster.nodes {
        let later = Watcher::of(node, &alice, &[&bob]).await;
        assert_eq!(later.knows(&bob), json!({ "state": "offline", "last_seen": at }));
    }
}

#[tokio::test]
async fn devices_on_several_nodes_are_one_user() {
    let cluster = Cluster::start(3).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[0].user("bob").await);
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&bob]).await;
    let mut devices = Vec::new();
    for node in 0..3 {
        let login = cluster.nodes[node].login("bob").await;
        devices.push(cluster.wire(node, &login).await);
    }
    a.until(&cluster.nodes, &bob, &is("online")).await;
    for device in &mut devices[..2] {
        set(device, "away").await;
        a.goes_on(&cluster.nodes, &bob, &is("online")).await;
    }
    set(&mut devices[2], "away").await;
    let away = json!({ "state": "away", "last_seen": now(&cluster.nodes[2]) });
    a.until(&cluster.nodes, &bob, &away).await;
    set(&mut devices[1], "invisible").await;
    let hidden = json!({ "state": "offline", "last_seen": now(&cluster.nodes[1]) });
    a.until(&cluster.nodes, &bob, &hidden).await;
    cluster.nodes.iter().for_each(|node| node.advance(Duration::from_secs(10)));
    set(&mut devices[0], "online").await;
    a.goes_on(&cluster.nodes, &bob, &hidden).await;
    set(&mut devices[1], "away").await;
    a.until(&cluster.nodes, &bob, &is("online")).await;
}

#[tokio::test]
async fn nothing_is_said_of_those_whom_nobody_watches() {
    let cluster = Cluster::start(2).await;
    let alice = cluster.nodes[0].user("alice").await;
    let (mut members, mut wires) = (Vec::new(), Vec::new());
    for number in 0..20 {
        members.push(cluster.nodes[1].user(&format!("member{number}")).await);
        wires.push(cluster.wire(1, &members[number]).await);
    }
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&members[0], &members[1]]).await;
    a.until(&cluster.nodes, &members[0], &is("online")).await;
    a.goes_on(&cluster.nodes, &members[1], &is("online")).await;
    let before = (said(&cluster, 0).await, said(&cluster, 1).await);
    for round in 0..5 {
        for wire in &mut wires[2..] {
            set(wire, if round % 2 == 0 { "away" } else { "online" }).await;
        }
        a.sweep(&cluster.nodes).await;
    }
    assert_eq!((said(&cluster, 0).await, said(&cluster, 1).await), before);
    for wire in &mut wires {
        wire.ok("presence.set", json!({ "state": "online", "status": "hello" })).await;
    }
    a.until(&cluster.nodes, &members[0], &json!({ "state": "online", "status": "hello" })).await;
    a.until(&cluster.nodes, &members[1], &json!({ "state": "online", "status": "hello" })).await;
    assert_eq!(
        (said(&cluster, 0).await, said(&cluster, 1).await),
        (before.0, before.1 + 1.0),
        "in one frame"
    );
}

#[tokio::test]
async fn blocks_hold_between_nodes_also_where_the_word_of_one_is_lost() {
    let cluster = Cluster::start(2).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&bob]).await;
    let mut b = Watcher::of(&cluster.nodes[1], &bob, &[&alice]).await;
    for is_lost in [false, true] {
        for (on, expected) in [(true, "offline"), (false, "online")] {
            if is_lost {
                cluster.buses.cut(id(0), id(1));
            }
            a.wire.ok("user.block", json!({ "user": bob.id(), "on": on })).await;
            cluster.buses.heal(id(0), id(1));
            a.until(&cluster.nodes, &bob, &is(expected)).await;
            b.until(&cluster.nodes, &alice, &is(expected)).await;
        }
    }
}

#[tokio::test]
async fn a_change_that_is_lost_is_found() {
    let cluster = Cluster::start(2).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let mut b = cluster.wire(1, &bob).await;
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&bob]).await;
    for (round, state) in ["away", "online", "away", "online"].into_iter().enumerate() {
        let (from, to) = if round % 2 == 0 { (1, 0) } else { (0, 1) };
        cluster.buses.cut(id(from), id(to));
        set(&mut b, state).await;
        // In the other direction, what is lost is the question.
        a.watch(&[]).await;
        a.sweep(&cluster.nodes).await;
        a.watch(&[&bob]).await;
        a.sweep(&cluster.nodes).await;
        cluster.buses.heal(id(from), id(to));
        let told = async {
            while a.state(&bob) != state {
                a.sweep(&cluster.nodes).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, told).await.is_ok(), "{state}: {}", a.knows(&bob));
    }
}

#[tokio::test]
async fn a_node_that_dies_takes_its_people_with_it_and_they_may_come_back_to_another() {
    let cluster = Cluster::start(3).await;
    let alice = cluster.nodes[0].user("alice").await;
    let (bob, carol) = (cluster.nodes[2].user("bob").await, cluster.nodes[2].user("carol").await);
    let _wires = [cluster.wire(2, &bob).await, cluster.wire(2, &carol).await];
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&bob, &carol]).await;
    cluster.nodes[0].advance(Duration::from_secs(100));
    let gone_at = now(&cluster.nodes[0]);
    cluster.buses.away(id(2));
    cluster.buses.expire(id(2));
    let _back = cluster.wire(1, &carol).await;
    let rest = &cluster.nodes[..2];
    for _ in 0..PRESENCE_GRACE_SWEEPS {
        a.sweep(rest).await;
        assert_eq!((a.state(&bob), a.state(&carol)), ("online".to_owned(), "online".to_owned()));
    }
    a.until(rest, &bob, &json!({ "state": "offline", "last_seen": gone_at })).await;
    a.until(rest, &carol, &is("online")).await;
    // It was not dead after all.
    cluster.buses.back(id(2));
    a.until(&cluster.nodes, &bob, &is("online")).await;
}

#[tokio::test]
async fn while_the_bus_is_away_ones_own_people_are_told_of_and_others_are_unknown_after_a_while() {
    let cluster = Cluster::with_beat(2, Duration::from_millis(20)).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let carol = cluster.nodes[0].user("carol").await;
    let (_b, mut c) = (cluster.wire(1, &bob).await, cluster.wire(0, &carol).await);
    let mut a = Watcher::of(&cluster.nodes[0], &alice, &[&bob, &carol]).await;
    assert_eq!((a.knows(&bob), a.knows(&carol)), (is("online"), is("online")));
    cluster.buses.away(id(0));
    set(&mut c, "away").await;
    let away = json!({ "state": "away", "last_seen": now(&cluster.nodes[0]) });
    a.until(&cluster.nodes, &carol, &away).await;
    a.watch(&[&bob, &carol]).await;
    assert_eq!(a.knows(&carol), away, "asked again, and nobody waits for who does not answer");
    a.until(&cluster.nodes, &bob, &is("offline")).await;
    set(&mut c, "online").await;
    a.until(&cluster.nodes, &carol, &is("online")).await;
    cluster.buses.back(id(0));
    a.until(&cluster.nodes, &bob, &is("online")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_redis_presence_goes_between_nodes_and_comes_back_with_the_bus() {
    let cluster = OverRedis::start(2, "presence", &[]).await;
    let nodes = &cluster.nodes;
    let (alice, bob) = (nodes[0].user("alice").await, nodes[1].user("bob").await);
    let mut b = Wire::log_in(nodes[1].http(), bob.token()).await;
    let mut a = Watcher::of(&nodes[0], &alice, &[&bob]).await;
    a.until(nodes, &bob, &is("online")).await;
    set(&mut b, "away").await;
    let away = json!({ "state": "away", "last_seen": now(&nodes[1]) });
    a.until(nodes, &bob, &away).await;
    cluster.away(1).await;
    set(&mut b, "online").await;
    a.sweep(nodes).await;
    assert_eq!(a.knows(&bob), away, "it is not heard of");
    cluster.back(1).await;
    a.until(nodes, &bob, &is("online")).await;
}
