//! The bus over real Redis through networks that break: nothing is out of order, and nothing is missing
//! without a word.

use crate::servers::Redis;
use bytes::Bytes;
use rookery_bus_redis::{RedisBus, RedisOptions};
use rookery_engine::Tasks;
use rookery_engine::bus::{Bus, Heard, NodeId, Peer};
use rookery_tests::proxy::{Direction, FaultProxy, Way};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long anything may take that has no bound of its own.
const WITHIN: Duration = Duration::from_secs(20);

/// How soon a node knows that its bus is away, and how soon it is back after its network is.
const SOON: Duration = Duration::from_secs(3);

/// A node whose way to Redis is a proxy.
struct Node {
    bus: Arc<RedisBus>,
    proxy: FaultProxy,
    /// Ends the bus with the node.
    tasks: Tasks,
}

impl Node {
    async fn join(redis: &Redis, prefix: &str, name: &str, number: u128) -> Self {
        let proxy = FaultProxy::start(redis.address()).await;
        let url = format!("redis://{}", proxy.address()).into();
        let options = RedisOptions { url, ca: None, prefix: prefix.to_owned() };
        let id = NodeId(Uuid::from_u128(number));
        let (name, url) = (name.to_owned(), String::new());
        let me = Peer { id, name, url, connections: 0, capacity: 100, is_draining: false };
        let tasks = Tasks::new();
        let bus = RedisBus::open(&options, me, &tasks).expect("the options are good");
        Self { bus, proxy, tasks }
    }

    async fn knows(&self, is_connected: bool, nodes: Option<usize>, within: Duration) {
        let mut peers = self.bus.peers();
        let is_it = |peers: &Arc<rookery_engine::bus::Peers>| {
            peers.is_connected == is_connected && nodes.is_none_or(|nodes| peers.nodes.len() == nodes)
        };
        let known = tokio::time::timeout(within, peers.wait_for(is_it)).await.map(drop);
        assert!(known.is_ok(), "not within {within:?}: {:?}", self.bus.peers().borrow());
    }

    async fn hear(&self) -> Heard {
        tokio::time::timeout(WITHIN, self.bus.hear()).await.expect("something is heard")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn pair(redis: &Redis, prefix: &str) -> [Node; 2] {
    let prefix = format!("{prefix}-{}", std::process::id());
    let pair = [Node::join(redis, &prefix, "n1", 1).await, Node::join(redis, &prefix, "n2", 2).await];
    for node in &pair {
        node.knows(true, Some(2), WITHIN).await;
    }
    pair
}

/// Sends numbers from `from` on, to the node or to all, and counts also those that are refused.
fn send(one: &Node, two: &Node, numbers: std::ops::Range<u64>) -> u64 {
    let mut sent = 0;
    for number in numbers {
        let frame = Bytes::copy_from_slice(&number.to_be_bytes());
        let is_sent =
            if number % 3 == 0 { one.bus.broadcast(frame) } else { one.bus.send(two.bus.id(), frame) };
        sent += u64::from(is_sent);
    }
    sent
}

/// Hears numbers up to `last`, and checks that each follows on the one before unless a loss was heard
/// between. Returns how many came and how many losses.
async fn hear_up_to(node: &Node, last: u64) -> (u64, u64) {
    let (mut next, mut came, mut losses, mut has_lost) = (0, 0, 0, false);
    loop {
        match node.hear().await {
            Heard::Lost => (losses, has_lost) = (losses + 1, true),
            Heard::Frame { frame, .. } => {
                let number = u64::from_be_bytes(frame[..].try_into().expect("it is a number"));
                assert!(number >= next, "{number} came after {}", next - 1);
                assert!(number == next || has_lost, "{next} is missing before {number}, without a word");
                (next, came, has_lost) = (number + 1, came + 1, false);
                if number == last {
                    return (came, losses);
                }
            }
        }
    }
}

#[tokio::test]
async fn replies_that_are_cut_are_an_absence_of_one_node() {
    let redis = Redis::find();
    let [one, two] = pair(&redis, "replies").await;
    one.proxy.set(Direction::Replies, Way::Cut);
    send(&one, &two, 0..100);
    one.knows(false, None, SOON).await;
    assert_eq!(send(&one, &two, 100..200), 0, "it is away");
    two.knows(true, Some(1), WITHIN).await;
    one.proxy.set(Direction::Replies, Way::Open);
    for node in [&one, &two] {
        node.knows(true, Some(2), SOON).await;
    }
    assert_eq!(send(&one, &two, 200..300), 100);
    let (_, losses) = hear_up_to(&two, 299).await;
    assert!(losses > 0);
}

#[tokio::test]
async fn requests_that_were_held_up_are_heard_in_order_or_not_at_all() {
    let redis = Redis::find();
    let [one, two] = pair(&redis, "requests").await;
    one.proxy.set(Direction::Requests, Way::Cut);
    assert_eq!(send(&one, &two, 0..100), 100);
    one.knows(false, None, SOON).await;
    // What was sent is still in the network, and reaches Redis together with the next session.
    one.proxy.set(Direction::Requests, Way::Open);
    one.knows(true, Some(2), SOON).await;
    assert_eq!(send(&one, &two, 100..200), 100);
    hear_up_to(&two, 199).await;
}

#[tokio::test]
async fn a_slow_way_is_no_absence() {
    let redis = Redis::find();
    let [one, two] = pair(&redis, "slow").await;
    let mut peers = two.bus.peers();
    peers.mark_unchanged();
    two.proxy.set(Direction::Replies, Way::Throttled(500_000));
    let frames: Vec<_> = (0..20).map(|number| Bytes::from(vec![number; 100_000])).collect();
    for frame in &frames {
        assert!(one.bus.send(two.bus.id(), frame.clone()));
    }
    // Four seconds long, and each question waits behind them.
    for frame in frames {
        assert_eq!(two.hear().await, Heard::Frame { from: one.bus.id(), frame });
    }
    assert!(!peers.has_changed().expect("the bus is there"), "{:?}", peers.borrow());
}

#[tokio::test]
async fn nothing_is_missing_without_a_word_however_the_network_flaps() {
    let seed = 20_261_121;
    let mut chance = fastrand::Rng::with_seed(seed);
    eprintln!("seed {seed}");
    let redis = Redis::find();
    let [one, two] = pair(&redis, "flaps").await;
    let mut number = 0;
    for _ in 0..40 {
        let proxy = &[&one, &two][chance.usize(..2)].proxy;
        match chance.usize(..6) {
            0 => proxy.reset(),
            1 => proxy.close(),
            2 => proxy.set(Direction::Requests, Way::Cut),
            3 => proxy.set(Direction::Replies, Way::Lost),
            4 => proxy.set_both(Way::Delayed(Duration::from_millis(chance.u64(..40)))),
            _ => proxy.set_both(Way::Open),
        }
        for _ in 0..20 {
            send(&one, &two, number..number + 5);
            number += 5;
            tokio::time::sleep(Duration::from_millis(chance.u64(..20))).await;
        }
    }
    for node in [&one, &two] {
        node.proxy.set_both(Way::Open);
        // What was lost is known when it is told: not all of it is an absence yet.
        node.proxy.reset();
    }
    tokio::time::sleep(SOON).await;
    for node in [&one, &two] {
        node.knows(true, Some(2), WITHIN).await;
    }
    assert_eq!(send(&one, &two, number..number + 10), 10);
    let (came, losses) = hear_up_to(&two, number + 9).await;
    assert!(losses > 0 && came > 10, "{came} of {number} came, with {losses} losses");
}
