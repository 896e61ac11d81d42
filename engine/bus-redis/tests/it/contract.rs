//! The contract, and what keeps clusters apart.

use crate::nodes::{Cluster, WITHIN, frame};
use crate::server::{AnyRedis, RedisServer};
use rookery_engine::Rule;
use rookery_engine::bus::{Bus, Heard};
use rookery_engine::contract::bus_passes;
use rookery_protocol::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn the_bus_over_redis_passes() {
    let redis = AnyRedis::find().await;
    bus_passes(|nodes| {
        let cluster = Cluster::at(&redis.url());
        let buses = (0..nodes).map(|number| cluster.join(&format!("n{number}")).bus as Arc<dyn Bus>);
        std::future::ready(buses.collect())
    })
    .await;
}

#[tokio::test]
async fn clusters_with_different_prefixes_do_not_meet() {
    let redis = AnyRedis::find().await;
    let (ours, theirs) = (Cluster::at(&redis.url()), Cluster::at(&redis.url()));
    let [our, other] = ours.pair().await;
    let [their, _another] = theirs.pair().await;
    let key = Uuid::from_u128(1);
    their.bus.put(key, Some(frame("theirs")));
    their.finds(key, &[(their.id(), frame("theirs"))], WITHIN).await;
    assert_eq!(our.bus.get(&[key]).await, Ok(vec![vec![]]));
    let rule = Rule { name: "once", burst: 1, every_ms: 60_000 };
    for cluster in [&our, &their] {
        assert_eq!(cluster.bus.throttle(rule, "alice", Timestamp(0)).await, Ok(Ok(())));
    }
    assert!(their.bus.broadcast(frame("theirs")) && their.bus.send(our.id(), frame("theirs")));
    assert!(other.bus.broadcast(frame("ours")));
    assert_eq!(our.hear().await, Heard::Frame { from: other.id(), frame: frame("ours") });
}

#[tokio::test]
async fn a_killed_node_is_gone_when_its_lease_has_ended() {
    let redis = AnyRedis::find().await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    let key = Uuid::from_u128(1);
    one.bus.put(key, Some(frame("kept")));
    two.finds(key, &[(one.id(), frame("kept"))], WITHIN).await;
    one.kill();
    one.is_away(WITHIN).await;
    // Five seconds, one renewal, and what a slow machine needs.
    two.sees(1, Duration::from_secs(8)).await;
    assert_eq!(two.bus.get(&[key]).await, Ok(vec![vec![]]));
}

#[tokio::test]
async fn what_is_left_in_redis_goes_by_itself() {
    let redis = RedisServer::start(&[]).await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    one.bus.put(Uuid::from_u128(1), Some(frame("kept")));
    two.finds(Uuid::from_u128(1), &[(one.id(), frame("kept"))], WITHIN).await;
    let rule = Rule { name: "once", burst: 1, every_ms: 1 };
    assert_eq!(one.bus.throttle(rule, "alice", Timestamp(0)).await, Ok(Ok(())));
    for node in [&one, &two] {
        node.kill();
        node.is_away(WITHIN).await;
    }
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    for key in keys {
        let left: i64 = redis.command(&["PTTL", &key]).await;
        assert!((0..=5000).contains(&left) || left == -2, "{key} is left for {left} ms");
    }
}

#[tokio::test]
async fn a_password_is_given_and_a_wrong_one_is_an_absence() {
    let redis = RedisServer::start(&["--requirepass", "secret"]).await;
    let with = |password: &str| redis.url().replace("redis://", &format!("redis://:{password}@"));
    let wrong = Cluster::at(&with("wrong")).join("n1");
    // Later than the other, and there: the other has been refused by then.
    Cluster::at(&with("secret")).join("n1").sees(1, WITHIN).await;
    assert!(!wrong.bus.broadcast(frame("nobody hears")));
    assert!(wrong.bus.get(&[Uuid::nil()]).await.is_err());
    assert!(!format!("{wrong:?}").contains("wrong"), "{wrong:?}");
}
