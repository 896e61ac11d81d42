//! Connections that break, and a Redis that comes back empty.

use crate::nodes::{BACK_WITHIN, Cluster, Node, WITHIN, frame};
use crate::server::RedisServer;
use rookery_engine::Rule;
use rookery_engine::bus::{Bus, Heard};
use rookery_protocol::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

const KEPT: Uuid = Uuid::from_u128(1);
const GONE: Uuid = Uuid::from_u128(2);
const NEW: Uuid = Uuid::from_u128(3);

/// Waits until frames pass in both directions, and nothing is heard of a loss after that.
async fn hear_each_other(one: &Node, two: &Node) {
    for (from, to) in [(one, two), (two, one)] {
        assert!(from.bus.send(to.id(), frame("again")));
        to.hears("again").await;
        assert!(from.bus.broadcast(frame("and again")));
        assert_eq!(to.hear().await, Heard::Frame { from: from.id(), frame: frame("and again") });
    }
}

#[tokio::test]
async fn a_redis_that_is_killed_and_comes_back_empty_is_filled_again() {
    let mut redis = RedisServer::start(&[]).await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    one.bus.put(KEPT, Some(frame("kept")));
    one.bus.put(GONE, Some(frame("gone")));
    two.finds(GONE, &[(one.id(), frame("gone"))], WITHIN).await;
    for _ in 0..2 {
        redis.kill();
        for node in [&one, &two] {
            node.is_away(BACK_WITHIN).await;
            assert!(!node.bus.broadcast(frame("too late")));
            assert!(node.bus.get(&[KEPT]).await.is_err());
        }
        one.bus.put(GONE, None);
        one.bus.put(NEW, Some(frame("new")));
        redis.restart().await;
        for node in [&one, &two] {
            node.sees(2, BACK_WITHIN).await;
            node.finds(KEPT, &[(one.id(), frame("kept"))], BACK_WITHIN).await;
            node.finds(NEW, &[(one.id(), frame("new"))], BACK_WITHIN).await;
            node.finds(GONE, &[], BACK_WITHIN).await;
            node.hears_of_a_loss().await;
        }
        hear_each_other(&one, &two).await;
    }
}

#[tokio::test]
async fn a_node_that_starts_without_redis_joins_when_it_is_there() {
    let mut redis = RedisServer::start(&[]).await;
    redis.kill();
    let cluster = Cluster::at(&redis.url());
    let node = cluster.join("n1");
    node.bus.put(KEPT, Some(frame("kept")));
    assert!(!node.bus.broadcast(frame("nobody hears")));
    let known = Arc::clone(&node.bus.peers().borrow());
    assert_eq!((known.is_connected, known.nodes.len()), (false, 1));
    redis.restart().await;
    node.sees(1, BACK_WITHIN).await;
    assert_eq!(node.hear().await, Heard::Lost);
    let other = cluster.join("n2");
    other.sees(2, WITHIN).await;
    other.finds(KEPT, &[(node.id(), frame("kept"))], WITHIN).await;
}

#[tokio::test]
async fn subscribers_that_are_cut_off_hear_of_it_and_keep_their_lease() {
    let redis = RedisServer::start(&[]).await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    one.bus.put(KEPT, Some(frame("kept")));
    for _ in 0..3 {
        let cut: i64 = redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        assert_eq!(cut, 2);
        for node in [&one, &two] {
            node.hears_of_a_loss().await;
            node.sees(2, BACK_WITHIN).await;
        }
        two.finds(KEPT, &[(one.id(), frame("kept"))], WITHIN).await;
        hear_each_other(&one, &two).await;
    }
}

#[tokio::test]
async fn a_redis_that_forgets_everything_is_filled_again() {
    let redis = RedisServer::start(&[]).await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    one.bus.put(KEPT, Some(frame("kept")));
    two.finds(KEPT, &[(one.id(), frame("kept"))], WITHIN).await;
    let () = redis.command(&["FLUSHALL"]).await;
    let () = redis.command(&["SCRIPT", "FLUSH"]).await;
    for node in [&one, &two] {
        node.hears_of_a_loss().await;
        node.sees(2, BACK_WITHIN).await;
        node.finds(KEPT, &[(one.id(), frame("kept"))], BACK_WITHIN).await;
    }
    let () = redis.command(&["SCRIPT", "FLUSH"]).await;
    let rule = Rule { name: "once", burst: 1, every_ms: 60_000 };
    assert_eq!(one.bus.throttle(rule, "alice", Timestamp(0)).await, Ok(Ok(())));
    assert!(matches!(two.bus.throttle(rule, "alice", Timestamp(0)).await, Ok(Err(_))));
}
