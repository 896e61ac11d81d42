//! The contract of the bus port: what every bus must do while nothing goes wrong.

use super::fixture::START;
use crate::bus::{Bus, Heard, NodeId, Peer, Peers};
use crate::limits::{BUS_FRAME, BUS_VALUE};
use crate::throttle::{Rule, Throttle};
use bytes::Bytes;
use rookery_protocol::Timestamp;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long anything may take that has no bound of its own: far beyond what a slow machine needs.
const WITHIN: Duration = Duration::from_secs(10);

/// What is told at once is there by then: sooner than leases are renewed.
const AT_ONCE: Duration = Duration::from_secs(1);

type Buses = [Arc<dyn Bus>];
type Run = for<'a> fn(&'a Buses) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The name of each case, how many nodes it is about, and what it does.
macro_rules! bus_cases {
    ($($nodes:literal $case:ident),+ $(,)?) => {
        const CASES: &[(&str, usize, Run)] =
            &[$((stringify!($case), $nodes, |buses| Box::pin($case(buses)))),+];
    };
}

bus_cases! {
    2 frames_between_two_nodes_keep_their_order,
    3 a_frame_reaches_its_node_and_a_broadcast_all_others,
    2 the_largest_frame_passes_and_no_larger_one,
    2 whoever_stops_hearing_hears_the_rest_later,
    3 nodes_see_each_other_in_order_of_their_ids,
    2 an_announcement_is_seen_and_a_drain_at_once,
    3 values_are_found_by_all_under_their_keys,
    2 a_value_is_there_before_what_is_sent_after_it,
    3 tries_are_counted_over_all_nodes_as_on_one,
    3 whoever_closes_is_gone_at_once,
}

/// Runs every case against buses of its own, and closes them. `make` returns as many nodes as it is asked
/// for, which have a bus to themselves.
///
/// # Panics
/// When a bus does not do what a case says; the case's name is the last line on standard error.
pub async fn bus_passes<F>(mut make: impl FnMut(usize) -> F)
where
    F: Future<Output = Vec<Arc<dyn Bus>>>,
{
    for (name, nodes, run) in CASES {
        eprintln!("contract of the bus: {name}");
        let buses = make(*nodes).await;
        for bus in &buses {
            see(&**bus, |peers| peers.is_connected && peers.nodes.len() == *nodes, WITHIN).await;
        }
        run(&buses).await;
        for bus in &buses {
            assert_eq!(bus.close().await, Ok(()), "a bus closes, once or again");
        }
    }
}

/// Waits until a node knows what `is_it` says.
async fn see(bus: &dyn Bus, is_it: impl FnMut(&Arc<Peers>) -> bool, within: Duration) -> Arc<Peers> {
    let mut peers = bus.peers();
    let seen = tokio::time::timeout(within, peers.wait_for(is_it)).await;
    let seen = seen.unwrap_or_else(|_| panic!("not seen within {within:?}: {:?}", bus.peers().borrow()));
    Arc::clone(&seen.expect("a bus that is there tells of its peers"))
}

async fn hear(bus: &dyn Bus) -> (NodeId, Bytes) {
    match tokio::time::timeout(WITHIN, bus.hear()).await.expect("something is heard in time") {
        Heard::Frame { from, frame } => (from, frame),
        Heard::Lost => panic!("frames are lost although nothing went wrong"),
    }
}

const fn frame(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn numbered(number: u32) -> Bytes {
    Bytes::from(number.to_string())
}

const fn key(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn me(bus: &dyn Bus) -> Peer {
    let peers = Arc::clone(&bus.peers().borrow());
    peers.nodes.iter().find(|peer| peer.id == bus.id()).expect("a node is among its peers").clone()
}

async fn frames_between_two_nodes_keep_their_order(buses: &Buses) {
    let [one, two] = buses else { unreachable!("it asked for two") };
    for number in 0..2000 {
        assert!(if number % 3 == 0 {
            one.broadcast(numbered(number))
        } else {
            one.send(two.id(), numbered(number))
        });
        assert!(two.send(one.id(), numbered(number)));
    }
    for number in 0..2000 {
        assert_eq!(hear(&**two).await, (one.id(), numbered(number)));
        assert_eq!(hear(&**one).await, (two.id(), numbered(number)));
    }
}

async fn a_frame_reaches_its_node_and_a_broadcast_all_others(buses: &Buses) {
    let [one, two, three] = buses else { unreachable!("it asked for three") };
    assert!(one.send(two.id(), frame("for two")) && one.broadcast(frame("for all")));
    assert_eq!(hear(&**two).await, (one.id(), frame("for two")));
    assert_eq!(hear(&**two).await, (one.id(), frame("for all")));
    assert_eq!(hear(&**three).await, (one.id(), frame("for all")));
    assert!(three.send(one.id(), frame("for one")));
    assert_eq!(hear(&**one).await, (three.id(), frame("for one")), "nobody hears itself");
}

async fn the_largest_frame_passes_and_no_larger_one(buses: &Buses) {
    let [one, two] = buses else { unreachable!("it asked for two") };
    let larger = Bytes::from(vec![7; BUS_FRAME + 1]);
    let largest = larger.slice(1..);
    assert!(!one.send(two.id(), larger.clone()) && !one.broadcast(larger));
    for all in [largest, Bytes::new(), Bytes::from((0..=u8::MAX).collect::<Vec<_>>())] {
        assert!(one.send(two.id(), all.clone()) && one.broadcast(all.clone()));
        assert_eq!(hear(&**two).await, (one.id(), all.clone()));
        assert_eq!(hear(&**two).await, (one.id(), all));
    }
}

async fn whoever_stops_hearing_hears_the_rest_later(buses: &Buses) {
    let [one, two] = buses else { unreachable!("it asked for two") };
    for number in 0..100 {
        assert!(one.send(two.id(), numbered(number)));
    }
    for number in 0..100 {
        let (from, heard) = loop {
            // Given up again and again, also where nothing has come yet.
            tokio::select! {
                biased;
                () = std::future::ready(()), if number % 2 == 0 => break hear(&**two).await,
                heard = hear(&**two) => break heard,
                () = tokio::task::yield_now() => {}
            }
        };
        assert_eq!((from, heard), (one.id(), numbered(number)));
    }
}

async fn nodes_see_each_other_in_order_of_their_ids(buses: &Buses) {
    let mut ids: Vec<_> = buses.iter().map(|bus| bus.id()).collect();
    ids.sort();
    for bus in buses {
        let seen = see(&**bus, |peers| peers.nodes.len() == ids.len(), WITHIN).await;
        assert!(seen.is_connected);
        assert_eq!(seen.nodes.iter().map(|peer| peer.id).collect::<Vec<_>>(), ids);
    }
}

async fn an_announcement_is_seen_and_a_drain_at_once(buses: &Buses) {
    let [one, two] = buses else { unreachable!("it asked for two") };
    let busier = Peer { connections: 7, ..me(&**one) };
    one.announce(busier.clone());
    for bus in buses {
        see(&**bus, |peers| peers.nodes.contains(&busier), WITHIN).await;
    }
    let draining = Peer { is_draining: true, ..busier };
    one.announce(draining.clone());
    see(&**two, |peers| peers.nodes.contains(&draining), AT_ONCE).await;
}

async fn values_are_found_by_all_under_their_keys(buses: &Buses) {
    let [one, two, three] = buses else { unreachable!("it asked for three") };
    one.put(key(1), Some(frame("first")));
    one.put(key(1), Some(frame("of one")));
    two.put(key(1), Some(Bytes::from(vec![0xff; BUS_VALUE])));
    two.put(key(2), Some(Bytes::new()));
    two.put(key(3), Some(frame("taken away")));
    two.put(key(3), None);
    two.put(key(4), Some(frame("taken away by one too large")));
    two.put(key(4), Some(Bytes::from(vec![0; BUS_VALUE + 1])));
    // What is sent after them says that they are there.
    assert!(one.send(three.id(), frame("kept")) && two.send(three.id(), frame("kept")));
    hear(&**three).await;
    hear(&**three).await;
    let mut of_both = vec![(one.id(), frame("of one")), (two.id(), Bytes::from(vec![0xff; BUS_VALUE]))];
    of_both.sort_by_key(|(from, _)| *from);
    let wanted = vec![vec![], of_both, vec![(two.id(), Bytes::new())], vec![], vec![]];
    for bus in buses {
        let mut found = bus.get(&[key(3), key(1), key(2), key(4), key(9)]).await.expect("the bus is there");
        for values in &mut found {
            values.sort_by_key(|(from, _)| *from);
        }
        assert_eq!(found, wanted);
        assert_eq!(bus.get(&[]).await, Ok(vec![]));
    }
}

async fn a_value_is_there_before_what_is_sent_after_it(buses: &Buses) {
    let [one, two] = buses else { unreachable!("it asked for two") };
    for number in 0..200_u32 {
        one.put(key(1), Some(numbered(number)));
        assert!(one.broadcast(numbered(number)));
        let (_, heard) = hear(&**two).await;
        assert_eq!(heard, numbered(number));
        let found = two.get(&[key(1)]).await;
        assert_eq!(found, Ok(vec![vec![(one.id(), numbered(number))]]));
    }
}

async fn tries_are_counted_over_all_nodes_as_on_one(buses: &Buses) {
    // A minute each, so that what is kept by the clock of a server outlives the case.
    let rules = [("one", 1), ("three", 3), ("ten", 10)];
    let rules = rules.map(|(name, burst)| Rule { name, burst, every_ms: 60_000 });
    let mut reference: HashMap<_, _> = rules.map(|rule| (rule.name, Throttle::new(rule))).into();
    let mut random = fastrand::Rng::with_seed(1);
    let mut now = START;
    for (bus, turn) in buses.iter().cycle().zip(0..300) {
        let rule = rules[random.usize(..rules.len())];
        let who = ["alice", "192.0.2.1", "{bob}:\u{e9} "][random.usize(..3)];
        now = Timestamp(now.0 + random.i64(0..20_000));
        let wanted = reference.get_mut(rule.name).expect("it is one of them").take(who, now);
        assert_eq!(bus.throttle(rule, who, now).await, Ok(wanted), "try {turn}, {who} under {}", rule.name);
    }
}

async fn whoever_closes_is_gone_at_once(buses: &Buses) {
    let [one, two, three] = buses else { unreachable!("it asked for three") };
    one.put(key(1), Some(frame("of one")));
    assert!(one.broadcast(frame("before it closes")));
    assert_eq!(one.close().await, Ok(()));
    assert!(!one.send(two.id(), frame("too late")) && !one.broadcast(frame("too late")));
    see(&**one, |peers| !peers.is_connected, AT_ONCE).await;
    for bus in [two, three] {
        see(&**bus, |peers| peers.is_connected && peers.nodes.len() == 2, AT_ONCE).await;
        assert_eq!(hear(&**bus).await, (one.id(), frame("before it closes")));
        assert_eq!(bus.get(&[key(1)]).await, Ok(vec![vec![]]));
    }
    assert!(two.send(three.id(), frame("still there")));
    assert_eq!(hear(&**three).await, (two.id(), frame("still there")));
}
