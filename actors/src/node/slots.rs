//! When and where the clients of a node come back that goes down.

use rookery_engine::bus::Peer;
use rookery_engine::limits::{RECONNECT_OVER_AT_LEAST_MS, RECONNECT_OVER_AT_MOST_MS, RECONNECTS_PER_SECOND};

/// 2^32 divided by the golden ratio: its multiples fill a range evenly however many are taken (Knuth, "The Art of
/// Computer Programming", volume 3, section 6.4).
const GOLDEN: u32 = 2_654_435_769;

/// One client's way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Milliseconds to wait.
    pub(super) after_ms: u32,
    /// The server to go to, where that is told.
    pub(super) url: Option<String>,
}

/// The ways back of so many clients, one after another.
#[derive(Debug)]
pub(super) struct Slots {
    over_ms: u32,
    /// Where they go, each with what those up to it take together.
    places: Vec<(u64, String)>,
    given: u32,
}

impl Slots {
    /// Plans for `count` clients. Without survivors they come back here, to the server that follows.
    pub(super) fn new(count: usize, survivors: &[Peer]) -> Self {
        let mut places = Vec::new();
        let mut sum = 0;
        for peer in survivors.iter().filter(|peer| !peer.url.is_empty()) {
            // A full one still takes a few: its own clients go as well.
            sum += peer.capacity.saturating_sub(peer.connections).max(1);
            places.push((sum, peer.url.clone()));
        }
        let servers = u64::try_from(survivors.len().max(1)).unwrap_or(u64::MAX);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let over_ms = count.saturating_mul(1000) / (RECONNECTS_PER_SECOND * servers);
        let over_ms = u32::try_from(over_ms).unwrap_or(u32::MAX);
        Self {
            over_ms: over_ms.clamp(RECONNECT_OVER_AT_LEAST_MS, RECONNECT_OVER_AT_MOST_MS),
            places,
            given: 0,
        }
    }

    /// Returns the next one's way.
    pub(super) fn next(&mut self) -> Slot {
        self.given = self.given.wrapping_add(1);
        let share = |of: u64, step: u32| (of * u64::from(step)) >> 32;
        // The server by another sequence than the time: no server gets all the early ones.
        let when = self.given.wrapping_mul(GOLDEN);
        let where_to = when.reverse_bits();
        let after_ms = u32::try_from(share(u64::from(self.over_ms), when)).unwrap_or(self.over_ms);
        let place = self.places.last().map(|(sum, _)| share((*sum).min(u64::from(u32::MAX)), where_to));
        let url = place.and_then(|place| self.places.iter().find(|(sum, _)| place < *sum));
        Slot { after_ms, url: url.map(|(_, url)| url.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_engine::bus::NodeId;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn peer(name: &str, connections: u64, capacity: u64) -> Peer {
        let (id, url) = (NodeId(Uuid::nil()), format!("http://{name}"));
        Peer { id, name: name.to_owned(), url, connections, capacity, is_draining: false }
    }

    fn ways(count: usize, survivors: &[Peer]) -> Vec<Slot> {
        let mut slots = Slots::new(count, survivors);
        (0..count).map(|_| slots.next()).collect()
    }

    #[test]
    fn who_has_more_room_gets_more() {
        let ways = ways(9000, &[peer("a", 1000, 2000), peer("b", 0, 2000), peer("c", 5000, 2000)]);
        let mut counts = BTreeMap::new();
        for way in &ways {
            *counts.entry(way.url.clone().unwrap()).or_insert(0) += 1;
        }
        let (a, b) = (counts["http://a"], counts["http://b"]);
        assert!((2900..3100).contains(&a) && (5900..6100).contains(&b), "{counts:?}");
    }

    #[test]
    fn they_come_evenly_and_no_faster_than_the_survivors_take_them() {
        let survivors = [peer("a", 0, 100_000), peer("b", 0, 100_000)];
        let ways = ways(20_000, &survivors);
        let mut by_second: BTreeMap<(u32, Option<String>), u64> = BTreeMap::new();
        for way in ways {
            *by_second.entry((way.after_ms / 1000, way.url)).or_default() += 1;
        }
        assert_eq!(by_second.len(), 40, "20 seconds for each of two");
        let most = by_second.values().max().unwrap();
        assert!(*most <= RECONNECTS_PER_SECOND * 11 / 10, "{by_second:?}");
    }

    #[test]
    fn few_come_within_two_seconds_and_nobody_waits_longer_than_a_minute() {
        let slowest = |count| ways(count, &[]).into_iter().map(|way| way.after_ms).max().unwrap();
        assert!((1900..2000).contains(&slowest(100)), "{}", slowest(100));
        assert!((59_000..60_000).contains(&slowest(200_000)), "{}", slowest(200_000));
        assert!(ways(10, &[]).iter().all(|way| way.url.is_none()));
    }

    #[test]
    fn who_does_not_say_where_it_is_takes_its_share_without_being_told_of() {
        let silent = Peer { url: String::new(), ..peer("a", 0, 10) };
        assert!(ways(10, &[silent]).iter().all(|way| way.url.is_none()));
    }
}
