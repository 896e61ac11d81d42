//! How the node speaks with the others of its cluster.

use anyhow::{Context, Result};
use rookery_api::config::ClusterConfig;
use rookery_bus_redis::{RedisBus, RedisOptions};
use rookery_engine::Tasks;
use rookery_engine::bus::{Alone, Bus, Peer};
use std::sync::Arc;

/// Opens the bus of `me`, which runs on `tasks`: over Redis in a cluster, to nobody otherwise.
pub(super) fn open(config: Option<&ClusterConfig>, me: Peer, tasks: &Tasks) -> Result<Arc<dyn Bus>> {
    let Some(ClusterConfig { redis, prefix }) = config else { return Ok(Arc::new(Alone::new(me))) };
    let options = RedisOptions { url: redis.clone(), prefix: prefix.clone() };
    Ok(RedisBus::open(&options, me, tasks).context("open the bus")?)
}
