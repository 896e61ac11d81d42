//! How often an address may ask, before anything else is known of who asks.
//!
//! Counted on this node alone: an address usually reaches one, and a question to the others for each request would
//! cost more than the request.

use crate::config::LimitsConfig;
use crate::seldom::Seldom;
use metrics::Counter;
use rookery_engine::metrics::By;
use rookery_engine::{Rule, Throttle, Throttled};
use rookery_protocol::Timestamp;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Seconds of its rate that an address may use at once: a page with all its pictures, or an office that opens.
const BURST_SECONDS: u32 = 10;

/// The rates of addresses; none where limits are relaxed.
#[derive(Debug)]
pub(crate) struct Addresses(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    requests: Throttle<u64>,
    connects: Throttle<u64>,
    limits: By<Counter>,
    said: Mutex<Seldom>,
}

impl Addresses {
    /// Returns the rates that are set.
    pub(crate) fn new(config: LimitsConfig, limits: &By<Counter>) -> Self {
        if config.relaxed {
            return Self(None);
        }
        let (requests, connects) = (config.address_requests_per_second, config.address_connects_per_minute);
        let requests =
            Rule { name: "address", burst: requests * BURST_SECONDS, every_ms: (1000 / requests).max(1) };
        let connects = Rule { name: "connects", burst: connects, every_ms: (60_000 / connects).max(1) };
        let (requests, connects) = (Throttle::new(requests), Throttle::new(connects));
        Self(Some(Buckets { requests, connects, limits: limits.clone(), said: Mutex::default() }))
    }

    /// Takes a request.
    pub(crate) fn request(&self, from: IpAddr, now: Timestamp) -> Result<(), Throttled> {
        self.take(|buckets| &buckets.requests, from, now)
    }

    /// Takes a connection that stays: a socket, or an event stream.
    pub(crate) fn connect(&self, from: IpAddr, now: Timestamp) -> Result<(), Throttled> {
        self.take(|buckets| &buckets.connects, from, now)
    }

    fn take(
        &self,
        of: impl Fn(&Buckets) -> &Throttle<u64>,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        let taken = of(buckets).take(party(from), now);
        taken.inspect_err(|refused| {
            buckets.limits.of(refused.rule.name).increment(1);
            let times = buckets.said.lock().unwrap_or_else(PoisonError::into_inner).happened();
            if let Some(times) = times {
                tracing::warn!(%from, limit = refused.rule.name, times, "an address asks too often");
            }
        })
    }
}

/// Returns the network that one party holds, as a number: an IPv4 address, or the /64 of an IPv6 one.
pub(crate) fn party(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // Within ::/64, where no party is.
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_party_is_its_64() {
        let of = |text: &str| party(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.8"), of("192.0.2.7"));
    }
}
