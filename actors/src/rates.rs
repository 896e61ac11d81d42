//! How often a user may do what costs others something, on sockets and over HTTP together, on all nodes.

use metrics::Counter;
use rookery_engine::bus::Bus;
use rookery_engine::metrics::By;
use rookery_engine::{ClusterThrottle, Rule, Throttled};
use rookery_protocol::{Timestamp, UserId};
use std::sync::Arc;

/// Searches for users: 30 at once, then one every two seconds.
///
/// A person who types finds somebody within a few; 30 searches of 20 a minute read a directory of
/// 100,000 handles in no less than two days, and only where their beginnings are known.
pub const SEARCH_RATE: Rule = Rule { name: "user-search", burst: 30, every_ms: 2_000 };

/// Changes of a handle: 3 at once, then 3 a day. Each keeps the old handle from others for a month.
pub const HANDLE_RATE: Rule = Rule { name: "handle-change", burst: 3, every_ms: 8 * 60 * 60 * 1000 };

/// The rates of users; none where limits are relaxed.
#[derive(Debug)]
pub(crate) struct Rates(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    search: ClusterThrottle,
    handle: ClusterThrottle,
}

impl Rates {
    /// Returns rates that hold over the nodes of `bus`.
    pub(crate) fn strict(bus: &Arc<dyn Bus>, limits: &By<Counter>) -> Self {
        let of = |rule| ClusterThrottle::new(rule, Arc::clone(bus)).counted_by(limits);
        Self(Some(Buckets { search: of(SEARCH_RATE), handle: of(HANDLE_RATE) }))
    }

    /// Returns rates that let everything pass.
    pub(crate) const fn relaxed() -> Self {
        Self(None)
    }

    /// Takes one search of `user`.
    pub(crate) async fn search(&self, user: UserId, now: Timestamp) -> Result<(), Throttled> {
        match &self.0 {
            Some(buckets) => buckets.search.take(&user.to_string(), now).await,
            None => Ok(()),
        }
    }

    /// Takes one change of the handle of `user`.
    pub(crate) async fn handle(&self, user: UserId, now: Timestamp) -> Result<(), Throttled> {
        match &self.0 {
            Some(buckets) => buckets.handle.take(&user.to_string(), now).await,
            None => Ok(()),
        }
    }
}
