//! Nodes with a bus, and what tests wait for.

use bytes::Bytes;
use rookery_bus_redis::{RedisBus, RedisOptions};
use rookery_engine::bus::{Bus, Heard, NodeId, Peer, Peers};
use rookery_engine::{Clock, SystemClock, SystemRandom, Tasks, uuid_v7};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long anything may take that has no bound of its own.
pub(crate) const WITHIN: Duration = Duration::from_secs(10);

/// How soon the bus is back after Redis is.
pub(crate) const BACK_WITHIN: Duration = Duration::from_secs(3);

/// A cluster on one Redis.
#[derive(Clone, Debug)]
pub(crate) struct Cluster(RedisOptions);

/// One node of it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) bus: Arc<RedisBus>,
    tasks: Tasks,
}

impl Cluster {
    /// A cluster that nobody else is in.
    pub(crate) fn at(url: &str) -> Self {
        Self::with(RedisOptions {
            url: SecretString::from(url),
            ca: None,
            prefix: format!("test-{}", new_id().simple()),
        })
    }

    /// A cluster with these options.
    pub(crate) fn with(options: RedisOptions) -> Self {
        Self(options)
    }

    pub(crate) fn join(&self, name: &str) -> Node {
        let id = NodeId(new_id());
        let (name, url) = (name.to_owned(), String::new());
        let me = Peer { id, name, url, connections: 0, capacity: 100, is_draining: false };
        let tasks = Tasks::new();
        let bus = RedisBus::open(&self.0, me, &tasks).expect("the options are good");
        Node { bus, tasks }
    }

    /// Returns nodes that see each other.
    pub(crate) async fn pair(&self) -> [Node; 2] {
        let pair = ["n1", "n2"].map(|name| self.join(name));
        for node in &pair {
            node.sees(2, WITHIN).await;
        }
        pair
    }
}

impl Node {
    pub(crate) fn id(&self) -> NodeId {
        self.bus.id()
    }

    /// Ends it without a word, as if it was killed.
    pub(crate) fn kill(&self) {
        self.tasks.stop();
    }

    /// Waits until it knows what `is_it` says.
    pub(crate) async fn knows(&self, is_it: impl FnMut(&Arc<Peers>) -> bool, within: Duration) {
        let mut peers = self.bus.peers();
        let known = tokio::time::timeout(within, peers.wait_for(is_it)).await.map(drop);
        assert!(known.is_ok(), "not within {within:?}: {:?}", self.bus.peers().borrow());
    }

    /// Waits until it has its bus and sees so many nodes.
    pub(crate) async fn sees(&self, nodes: usize, within: Duration) {
        self.knows(|peers| peers.is_connected && peers.nodes.len() == nodes, within).await;
    }

    pub(crate) async fn is_away(&self, within: Duration) {
        self.knows(|peers| !peers.is_connected, within).await;
    }

    pub(crate) async fn hear(&self) -> Heard {
        tokio::time::timeout(WITHIN, self.bus.hear()).await.expect("something is heard")
    }

    pub(crate) async fn hears_of_a_loss(&self) {
        while self.hear().await != Heard::Lost {}
    }

    /// Waits for a frame, whatever is heard before. Returns the numbers of the frames before it.
    pub(crate) async fn hears(&self, last: &str) -> Vec<u64> {
        let mut numbers = Vec::new();
        loop {
            if let Heard::Frame { frame, .. } = self.hear().await {
                match std::str::from_utf8(&frame[..frame.len().min(20)]).expect("it is text") {
                    text if text == last => return numbers,
                    text => numbers.push(text.trim().parse().expect("it is a number")),
                }
            }
        }
    }

    /// Waits until a value is found here.
    pub(crate) async fn finds(&self, key: Uuid, wanted: &[(NodeId, Bytes)], within: Duration) {
        let found = async {
            while self.bus.get(&[key]).await.as_deref() != Ok(&[wanted.to_vec()]) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(within, found).await;
        assert!(found.is_ok(), "{wanted:?} is not found, but {:?}", self.bus.get(&[key]).await);
    }
}

pub(crate) fn frame(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn new_id() -> Uuid {
    uuid_v7(SystemClock::new().now(), &SystemRandom)
}
