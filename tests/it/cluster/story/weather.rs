//! What goes wrong in a story: the bus loses, is cut and goes away, leases end, stores stand still.

use crate::cluster::{Cluster, id};
use std::time::Duration;
use tokio::time::sleep;

#[derive(Debug)]
pub(super) struct Weather {
    rng: fastrand::Rng,
}

impl Weather {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed ^ 0x0077_ea7e) }
    }

    /// Breaks and mends, without end.
    pub(super) async fn rages(&mut self, cluster: &Cluster) {
        loop {
            sleep(Duration::from_millis(self.rng.u64(5..80))).await;
            let nodes = cluster.nodes.len();
            let (node, other) = (self.rng.usize(..nodes), self.rng.usize(1..nodes));
            let other = (node + other) % nodes;
            match self.rng.u32(..12) {
                0 | 1 => cluster.buses.lose_next(id(node), id(other)),
                2 | 3 => cluster.buses.cut(id(node), id(other)),
                4 => cluster.cut_off(node),
                5 => cluster.buses.away(id(node)),
                6 => cluster.buses.expire(id(node)),
                7 => cluster.stores[node].hold(),
                8 => cluster.nodes[node].advance(Duration::from_secs(3)),
                9 => {
                    cluster.stores[node].release();
                    cluster.buses.back(id(node));
                }
                _ => self.clears(cluster).await,
            }
        }
    }

    /// Mends all.
    pub(super) async fn clears(&mut self, cluster: &Cluster) {
        cluster.heal();
        for node in 0..cluster.nodes.len() {
            cluster.stores[node].release();
            cluster.buses.back(id(node));
        }
        cluster.buses.renew();
        // Long enough that it is calm for a moment, now and then.
        sleep(Duration::from_millis(self.rng.u64(0..150))).await;
    }
}
