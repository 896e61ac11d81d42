//! How the node speaks with the others of its cluster.

use anyhow::{Context, Result};
use rookery_api::config::ClusterConfig;
use rookery_bus_redis::{RedisBus, RedisOptions};
use rookery_engine::Tasks;
use rookery_engine::bus::{Alone, Bus, Peer};
use std::sync::Arc;

/// Opens the bus of `me`, which runs on `tasks`: over Redis in a cluster, to nobody otherwise.
pub(super) fn open(config: Option<&ClusterConfig>, me: Peer, tasks: &Tasks) -> Result<Arc<dyn Bus>> {
    let Some(config) = config else { return Ok(Arc::new(Alone::new(me))) };
    Ok(RedisBus::open(&redis_options(config), me, tasks).context("open the bus")?)
}

/// Returns what the adapter is told of the Redis of a cluster.
pub(crate) fn redis_options(config: &ClusterConfig) -> RedisOptions {
    let ClusterConfig { redis, redis_ca, prefix } = config.clone();
    RedisOptions { url: redis, ca: redis_ca, prefix }
}
