//! What is limited by user, account or address is counted over all nodes.

use super::id;
use super::over_redis::OverRedis;
use crate::http::call;
use crate::people::STRICT;
use rookery_engine::MemoryStore;
use rookery_engine::bus::MemoryBuses;
use rookery_engine::store::Store;
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Searches that somebody may make at once.
const SEARCHES: usize = 30;

/// Guesses at the password of one account that may be made at once.
const GUESSES: usize = 10;

async fn strict(nodes: u8) -> (MemoryBuses, Vec<TestNode>) {
    let (buses, store) = (MemoryBuses::new(), MemoryStore::new());
    let mut all = Vec::new();
    for number in 1..=nodes {
        let options = TestNodeOptions::of_cluster(Arc::new(store.again()) as Arc<dyn Store>, &buses, number);
        let settings = options.settings.iter().chain(&STRICT).copied().collect();
        all.push(TestNode::with(TestNodeOptions { settings, ..options }).await);
    }
    (buses, all)
}

/// Guesses at a password and returns the status of the answer, and when it says to go on.
async fn guess(node: &TestNode) -> (u16, Option<String>) {
    let body = json!({ "email": "alice@example.org", "password": "guess guess" });
    let answer = call(node.http(), "POST", "/v1/auth/login", &[], &body).await;
    (answer.status, answer.header("retry-after").map(str::to_owned))
}

/// Searches until that is refused. Returns how often it was not.
async fn search(wire: &mut Wire) -> usize {
    for passed in 0.. {
        match wire.call("user.search", json!({ "query": "al" })).await {
            Ok(_) => {}
            Err(error) if error["code"] == "rate_limited" => return passed,
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it is refused at some time")
}

async fn guesses_are_counted_together(nodes: &[TestNode]) {
    for (number, node) in (0..GUESSES).zip(nodes.iter().cycle()) {
        assert_eq!(guess(node).await.0, 401, "guess {number}");
    }
    for node in nodes {
        assert_eq!(guess(node).await, (429, Some("30".to_owned())));
    }
}

#[tokio::test]
async fn guessing_on_several_nodes_is_no_quicker_than_on_one() {
    let (_buses, nodes) = strict(3).await;
    guesses_are_counted_together(&nodes).await;
}

#[tokio::test]
async fn while_the_bus_is_away_each_node_counts_for_itself_and_none_lets_everything_pass() {
    let (buses, nodes) = strict(2).await;
    let alice = nodes[0].user("alice").await;
    let mut wires = Vec::new();
    for node in &nodes {
        wires.push(Wire::log_in(node.http(), alice.token()).await);
    }
    for _ in 0..SEARCHES / 2 {
        for wire in &mut wires {
            wire.ok("user.search", json!({ "query": "al" })).await;
        }
    }
    assert_eq!((search(&mut wires[0]).await, search(&mut wires[1]).await), (0, 0), "together they are all");
    for node in 0..2 {
        buses.away(id(node));
    }
    for wire in &mut wires {
        assert_eq!(search(wire).await, SEARCHES / 2, "its own are half of them");
    }
    for node in 0..2 {
        buses.back(id(node));
    }
    assert_eq!((search(&mut wires[0]).await, search(&mut wires[1]).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_redis_tries_are_counted_together_and_alone_while_it_is_away() {
    let cluster = OverRedis::start(2, "limits", &STRICT).await;
    guesses_are_counted_together(&cluster.nodes).await;
    let alice = cluster.nodes[0].user("carol").await;
    let mut wire = Wire::log_in(cluster.nodes[0].http(), alice.token()).await;
    cluster.away(0).await;
    assert_eq!(search(&mut wire).await, SEARCHES);
    // The other node still counts what was tried before, and this one what it let pass.
    assert_eq!(guess(&cluster.nodes[1]).await.0, 429);
    let own = GUESSES / 2;
    for _ in 0..own {
        assert_eq!(guess(&cluster.nodes[0]).await.0, 401);
    }
    assert_eq!(guess(&cluster.nodes[0]).await.0, 429);
    cluster.back(0).await;
    assert_eq!(guess(&cluster.nodes[0]).await.0, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_redis_what_a_user_does_is_weighed_over_all_nodes() {
    const STEPS: u32 = 300;
    let cluster = OverRedis::start(2, "users", &STRICT).await;
    let [here, there] = &cluster.nodes[..] else { panic!("there are two") };
    here.user("alice").await;
    let mut wires = Vec::new();
    for node in [here, here, there, there] {
        wires.push(Wire::log_in(node.http(), node.login("alice").await.token()).await);
    }
    // For twelve seconds she asks for more than she may, on both nodes, with two logins on each.
    let mut passed = 0;
    for _ in 0..STEPS {
        for wire in &mut wires {
            match wire.call("room.list", json!({})).await {
                Ok(_) => passed += 1,
                Err(error) => assert_eq!(error["code"], "rate_limited"),
            }
        }
        for node in [here, there] {
            node.pass(Duration::from_millis(40));
        }
    }
    // A list costs 5 of 100 a second and of the 400 that there are at once: 320 for both together. Each node for itself
    // would let as many pass, and does for a moment where Redis is slow to answer.
    assert!((280..480).contains(&passed), "{passed}");
    let bob = there.user("bob").await;
    let mut other = Wire::log_in(there.http(), bob.token()).await;
    assert_eq!(search(&mut other).await, SEARCHES, "nobody else is held up");
}
