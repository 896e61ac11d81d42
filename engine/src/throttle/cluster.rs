//! A rule that counts over all nodes, and over the node's own tries while the bus is away.

use super::{Rule, Throttle, Throttled};
use crate::bus::Bus;
use crate::limits::THROTTLE_WITHIN;
use crate::metrics::By;
use metrics::Counter;
use rookery_protocol::Timestamp;
use std::sync::Arc;
use tokio::time::timeout;

/// The buckets of one rule, one for each text, shared by all nodes of a cluster.
///
/// For what is done by hand and worth a question to the bus. What passes is noted here too, so that whoever
/// has used up its tries on this node is refused without a question, and has no new ones when the bus goes
/// away: then each node counts alone, and somebody may try once more on each. It never waits longer than
/// [`THROTTLE_WITHIN`].
#[derive(Debug)]
pub struct ClusterThrottle {
    rule: Rule,
    own: Throttle<String>,
    bus: Arc<dyn Bus>,
    /// Counts what it refuses.
    refused: Counter,
}

impl ClusterThrottle {
    /// Returns the buckets of a rule.
    pub fn new(rule: Rule, bus: Arc<dyn Bus>) -> Self {
        Self { rule, own: Throttle::new(rule), bus, refused: Counter::noop() }
    }

    /// Has what it refuses counted, by the name of its rule.
    #[must_use]
    pub fn counted_by(self, limits: &By<Counter>) -> Self {
        Self { refused: limits.of(self.rule.name).clone(), ..self }
    }

    /// Takes one try of `who` at `now`.
    ///
    /// # Errors
    /// [`Throttled`] when there is none left; nothing is taken then.
    ///
    /// # Cancel safety
    /// The try may be taken or not.
    pub async fn take(&self, who: &str, now: Timestamp) -> Result<(), Throttled> {
        self.try_take(who, now).await.inspect_err(|_| self.refused.increment(1))
    }

    async fn try_take(&self, who: &str, now: Timestamp) -> Result<(), Throttled> {
        let own = who.to_owned();
        self.own.check(&own, now)?;
        match timeout(THROTTLE_WITHIN, self.bus.throttle(self.rule, who, now)).await {
            Ok(Ok(taken)) => {
                taken?;
                // Another try may have passed since it was looked at, and both have passed on the bus.
                let _ = self.own.take(own, now);
                Ok(())
            }
            Ok(Err(_)) | Err(_) => self.own.take(own, now),
        }
    }

    /// Returns how many buckets this node keeps.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Returns whether this node keeps no bucket.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{MemoryBuses, NodeId, Peer};
    use uuid::Uuid;

    const RULE: Rule = Rule { name: "test", burst: 3, every_ms: 1000 };
    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn pair(buses: &MemoryBuses) -> [ClusterThrottle; 2] {
        [1, 2].map(|number| {
            let id = NodeId(Uuid::from_u128(number));
            let (name, url) = (number.to_string(), String::new());
            let me = Peer { id, name, url, connections: 0, capacity: 0, is_draining: false };
            ClusterThrottle::new(RULE, buses.join(me))
        })
    }

    #[tokio::test]
    async fn tries_on_several_nodes_are_counted_together() {
        let [one, two] = pair(&MemoryBuses::new());
        for throttle in [&one, &two, &one] {
            assert_eq!(throttle.take("a", NOW).await, Ok(()));
        }
        for throttle in [&one, &two] {
            assert_eq!(throttle.take("a", NOW).await.map_err(|refused| refused.retry_after_ms), Err(1000));
            assert_eq!(throttle.take("b", NOW).await, Ok(()), "others are not held up");
        }
        assert_eq!(two.take("a", Timestamp(NOW.0 + 1000)).await, Ok(()));
    }

    #[tokio::test]
    async fn whoever_goes_on_trying_passes_as_often_as_the_rule_says() {
        let [one, two] = pair(&MemoryBuses::new());
        let mut passed = 0;
        for millis in (0..20_000).step_by(50) {
            for throttle in [&one, &two] {
                passed += i32::from(throttle.take("a", Timestamp(NOW.0 + millis)).await.is_ok());
            }
        }
        assert_eq!(passed, 3 + 19);
    }

    #[tokio::test]
    async fn while_the_bus_is_away_a_node_counts_alone_and_forgets_nothing() {
        let buses = MemoryBuses::new();
        let [one, two] = pair(&buses);
        for throttle in [&one, &one, &two] {
            assert_eq!(throttle.take("a", NOW).await, Ok(()));
        }
        for node in [1, 2] {
            buses.away(NodeId(Uuid::from_u128(node)));
        }
        assert_eq!(one.take("a", NOW).await, Ok(()), "its third");
        assert!(one.take("a", NOW).await.is_err());
        assert_eq!([two.take("a", NOW).await, two.take("a", NOW).await], [Ok(()); 2]);
        assert!(two.take("a", NOW).await.is_err(), "not everything is let through");
    }
}
