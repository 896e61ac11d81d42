//! A cluster whose bus is a real Redis, to which each node has a way that breaks.

use super::{PATIENCE, id};
use crate::servers::Redis;
use rookery_bus_redis::{RedisBus, RedisOptions};
use rookery_engine::bus::{Bus, MemoryBuses, Peer};
use rookery_engine::store::Store;
use rookery_engine::{MemoryStore, Tasks};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::proxy::{FaultProxy, Way};
use std::sync::Arc;

/// Nodes over one store and one Redis.
#[derive(Debug)]
pub(super) struct OverRedis {
    pub(super) nodes: Vec<TestNode>,
    buses: Vec<Arc<RedisBus>>,
    proxies: Vec<FaultProxy>,
    tasks: Tasks,
    _redis: Redis,
}

impl OverRedis {
    /// Starts nodes that know of each other, with settings as `ROOKERY_SECTION__NAME` variables.
    pub(super) async fn start(nodes: usize, name: &str, settings: &[(&'static str, &'static str)]) -> Self {
        let (redis, store, tasks) = (Redis::find(), MemoryStore::new(), Tasks::new());
        let (mut buses, mut proxies, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for node in 0..nodes {
            let proxy = FaultProxy::start(redis.address()).await;
            let url = format!("redis://{}", proxy.address()).into();
            let options = RedisOptions { url, ca: None, prefix: format!("{name}-{}", std::process::id()) };
            let (name, url) = (format!("n{node}"), String::new());
            let me = Peer { id: id(node), name, url, connections: 0, capacity: 1000, is_draining: false };
            let bus = RedisBus::open(&options, me, &tasks).expect("the options are good");
            let store = Arc::new(store.again()) as Arc<dyn Store>;
            let of_cluster = TestNodeOptions::of_cluster(
                store,
                &MemoryBuses::new(),
                u8::try_from(node + 1).expect("they are few"),
            );
            let settings = of_cluster.settings.iter().chain(settings).copied().collect();
            let bus_of_node = Some(Arc::clone(&bus) as Arc<dyn Bus>);
            all.push(TestNode::with(TestNodeOptions { bus: bus_of_node, settings, ..of_cluster }).await);
            buses.push(bus);
            proxies.push(proxy);
        }
        let cluster = Self { nodes: all, buses, proxies, tasks, _redis: redis };
        for node in 0..nodes {
            cluster.knows(node, true).await;
        }
        cluster
    }

    /// Takes the bus away from a node.
    pub(super) async fn away(&self, node: usize) {
        self.proxies[node].set_both(Way::Cut);
        self.proxies[node].reset();
        self.knows(node, false).await;
    }

    /// Gives it back.
    pub(super) async fn back(&self, node: usize) {
        self.proxies[node].set_both(Way::Open);
        self.proxies[node].reset();
        self.knows(node, true).await;
    }

    /// Waits until a node knows that its bus is there, with all others, or that it is away.
    async fn knows(&self, node: usize, is_connected: bool) {
        let mut peers = self.buses[node].peers();
        let all = self.nodes.len();
        let is_it = peers.wait_for(|peers| {
            peers.is_connected == is_connected && (!is_connected || peers.nodes.len() == all)
        });
        let known = tokio::time::timeout(PATIENCE, is_it).await.map(drop);
        assert!(known.is_ok(), "node {node}: {:?}", self.buses[node].peers().borrow());
    }
}

impl Drop for OverRedis {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}
