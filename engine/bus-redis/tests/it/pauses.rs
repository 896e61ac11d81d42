//! A Redis and a node that stop for longer than a lease, and a reader that is too slow.

use crate::nodes::{BACK_WITHIN, Cluster, Node, WITHIN, frame};
use crate::server::RedisServer;
use bytes::Bytes;
use rookery_engine::Rule;
use rookery_engine::bus::Bus;
use rookery_protocol::Timestamp;
use std::sync::mpsc;
use std::time::Duration;
use uuid::Uuid;

/// Longer than a lease.
const LONG: Duration = Duration::from_secs(7);

/// Frames of 500 kB that are more than what the sockets between two nodes hold.
const FRAMES: u64 = 100;

const KEPT: Uuid = Uuid::from_u128(1);

/// Runs a node on a thread of its own, which the test can stop where it stands.
struct Apart {
    stop: mpsc::SyncSender<Duration>,
    node: Node,
}

impl Apart {
    fn join(cluster: &Cluster) -> Self {
        let cluster = cluster.clone();
        let (stop, stops) = mpsc::sync_channel::<Duration>(1);
        let (give, node) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime is built").block_on(async {
                give.send(cluster.join("apart")).expect("the test is there");
                loop {
                    match stops.try_recv() {
                        // The whole thread: nothing of the node goes on.
                        Ok(pause) => std::thread::sleep(pause),
                        Err(mpsc::TryRecvError::Empty) => {}
                        Err(mpsc::TryRecvError::Disconnected) => return,
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        });
        Self { stop, node: node.recv().expect("the node starts") }
    }

    fn pause(&self, pause: Duration) {
        self.stop.send(pause).expect("its thread is there");
    }
}

/// Returns a frame that begins with its number.
fn numbered(number: u64, bytes: usize) -> Bytes {
    Bytes::from(format!("{number:<20}{}", " ".repeat(bytes)))
}

fn is_ascending(numbers: &[u64]) -> bool {
    numbers.windows(2).all(|pair| pair[0] < pair[1])
}

#[tokio::test]
async fn a_paused_redis_is_an_absence_and_nothing_is_out_of_order_after_it() {
    let redis = RedisServer::start(&[]).await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    one.bus.put(KEPT, Some(frame("kept")));
    two.finds(KEPT, &[(one.id(), frame("kept"))], WITHIN).await;
    redis.pause();
    // Sent as long as it is taken: much of it waits in the socket of a Redis that stands still.
    let mut number = 0;
    let rule = Rule { name: "once", burst: 1, every_ms: 60_000 };
    let asked = one.bus.throttle(rule, "alice", Timestamp(0));
    let asked = tokio::time::timeout(BACK_WITHIN, asked).await.expect("it is answered in time");
    assert!(asked.is_err());
    while one.bus.send(two.id(), numbered(number, 0)) || one.bus.peers().borrow().is_connected {
        number += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for node in [&one, &two] {
        node.is_away(BACK_WITHIN).await;
    }
    tokio::time::sleep(LONG).await;
    redis.resume();
    for node in [&one, &two] {
        node.sees(2, BACK_WITHIN).await;
        node.finds(KEPT, &[(one.id(), frame("kept"))], BACK_WITHIN).await;
    }
    for number in number..number + 100 {
        assert!(one.bus.send(two.id(), numbered(number, 0)));
    }
    assert!(one.bus.send(two.id(), frame("last")));
    let heard = two.hears("last").await;
    assert!(is_ascending(&heard), "{heard:?}");
    assert!(heard.ends_with(&(number..number + 100).collect::<Vec<_>>()), "{heard:?}");
    assert!(two.bus.send(one.id(), frame("last")));
    one.hears("last").await;
}

#[tokio::test]
async fn a_paused_node_is_gone_for_the_others_and_knows_it_when_it_wakes() {
    let redis = RedisServer::start(&[]).await;
    let cluster = Cluster::at(&redis.url());
    let (here, apart) = (cluster.join("here"), Apart::join(&cluster));
    for node in [&here, &apart.node] {
        node.sees(2, WITHIN).await;
    }
    apart.node.bus.put(KEPT, Some(frame("kept")));
    here.finds(KEPT, &[(apart.node.id(), frame("kept"))], WITHIN).await;
    apart.pause(LONG);
    here.sees(1, LONG).await;
    assert_eq!(here.bus.get(&[KEPT]).await, Ok(vec![vec![]]));
    apart.node.is_away(WITHIN).await;
    apart.node.hears_of_a_loss().await;
    for node in [&here, &apart.node] {
        node.sees(2, BACK_WITHIN).await;
    }
    here.finds(KEPT, &[(apart.node.id(), frame("kept"))], BACK_WITHIN).await;
    assert!(here.bus.send(apart.node.id(), frame("again")));
    apart.node.hears("again").await;
}

#[tokio::test]
async fn a_reader_that_is_too_slow_for_redis_hears_of_the_gap() {
    let small = ["--client-output-buffer-limit", "pubsub 64kb 64kb 1"];
    let redis = RedisServer::start(&small).await;
    let cluster = Cluster::at(&redis.url());
    let (here, apart) = (cluster.join("here"), Apart::join(&cluster));
    for node in [&here, &apart.node] {
        node.sees(2, WITHIN).await;
    }
    apart.pause(Duration::from_secs(2));
    for number in 0..FRAMES {
        assert!(here.bus.send(apart.node.id(), numbered(number, 500_000)));
    }
    apart.node.hears_of_a_loss().await;
    apart.node.sees(2, WITHIN).await;
    assert!(here.bus.send(apart.node.id(), numbered(FRAMES, 0)));
    assert!(here.bus.send(apart.node.id(), frame("last")));
    let heard = apart.node.hears("last").await;
    assert!(is_ascending(&heard) && heard.last() == Some(&FRAMES), "{heard:?}");
}

#[tokio::test]
async fn closing_while_redis_stands_still_ends_in_time() {
    let redis = RedisServer::start(&[]).await;
    let [one, two] = Cluster::at(&redis.url()).pair().await;
    redis.pause();
    assert!(one.bus.broadcast(frame("not heard before it goes on")));
    let closed = tokio::time::timeout(WITHIN, one.bus.close()).await.expect("it ends in time");
    assert!(closed.is_err(), "its lease is still there");
    assert!(!one.bus.broadcast(frame("too late")));
    two.is_away(BACK_WITHIN).await;
    redis.resume();
    two.sees(1, WITHIN).await;
}
