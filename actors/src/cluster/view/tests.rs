//! Homes are chosen the same everywhere, and trusted only where two nodes hear each other.

use super::*;
use rookery_engine::bus::Peer;
use uuid::Uuid;

const BEAT: Duration = Duration::from_millis(100);

fn node(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

fn peer(number: u128, is_draining: bool) -> Peer {
    Peer {
        id: node(number),
        name: String::new(),
        url: String::new(),
        connections: 0,
        capacity: 0,
        is_draining,
    }
}

fn peers(numbers: &[u128]) -> Peers {
    Peers { is_connected: true, nodes: numbers.iter().map(|number| peer(*number, false)).collect() }
}

fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128(number))
}

fn pulse(beat: u64, homes: &[u128], hears: &[u128]) -> Pulse {
    let nodes = |numbers: &[u128]| numbers.iter().map(|number| node(*number)).collect();
    Pulse { beat, homes: nodes(homes), hears: nodes(hears) }
}

/// Returns a room whose home is this node among these.
fn room_of(home: u128, homes: &[u128]) -> RoomId {
    let homes: Vec<_> = homes.iter().map(|number| node(*number)).collect();
    (0..1000).map(room).find(|room| choose(&homes, *room) == Some(node(home))).unwrap()
}

#[test]
fn rooms_are_spread_evenly_and_a_node_that_goes_moves_only_its_own() {
    let (all, left) = ([node(1), node(2), node(3)], [node(1), node(3)]);
    let mut of = HashMap::new();
    for number in 0..3000 {
        let home = choose(&all, room(number)).unwrap();
        *of.entry(home).or_insert(0) += 1;
        let after = choose(&left, room(number)).unwrap();
        assert!(home == node(2) || home == after, "room {number} moved from {home:?} to {after:?}");
    }
    assert!(of.values().all(|rooms| (900..1100).contains(rooms)), "{of:?}");
}

#[test]
fn the_weights_are_what_other_versions_compute() {
    assert_eq!(weight(node(1), room(1)), mix(mix(mix(mix(0) ^ 1)) ^ 1));
    assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf, "the first number of SplitMix64 from 0");
}

#[tokio::test(start_paused = true)]
async fn a_home_is_trusted_while_both_hear_each_other_and_agree() {
    let mut view = View::new(node(1), BEAT, &peers(&[1, 2]));
    let (here, there) = (room_of(1, &[1, 2]), room_of(2, &[1, 2]));
    let unsure = Home::Here { is_sure: false };
    assert_eq!((view.home_of(here), view.home_of(there)), (unsure, unsure), "nothing was heard yet");
    assert!(!view.hear(node(2), &pulse(4, &[1, 2], &[])), "it does not hear us");
    assert!(!view.hear(node(2), &pulse(5, &[2], &[1])), "it does not see us");
    assert!(view.hear(node(2), &pulse(6, &[1, 2], &[1])));
    assert_eq!(view.home_of(here), Home::Here { is_sure: true });
    assert_eq!(view.home_of(there), Home::There { node: node(2), as_of: 6 });
    tokio::time::advance(BEAT * BEATS_OF_HEARING).await;
    assert_eq!(view.home_of(here), unsure, "it is silent, and may not hear us any more");
    assert_eq!(view.home_of(there), Home::There { node: node(2), as_of: 6 });
    assert_eq!(view.pulse(9).hears, [], "it is told so before we stop to trust it");
    tokio::time::advance(BEAT * (BEATS_OF_TRUST - BEATS_OF_HEARING)).await;
    assert_eq!(view.home_of(there), unsure);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_vanished_may_still_append_and_one_that_drained_does_not() {
    let mut view = View::new(node(1), BEAT, &peers(&[1, 2, 3]));
    let draining = Peers { is_connected: true, nodes: vec![peer(1, false), peer(2, false), peer(3, true)] };
    assert!(view.take(&draining), "its rooms have other homes");
    assert!(!view.take(&peers(&[1, 2])), "it had none any more");
    assert!(view.vanished.is_empty());
    assert!(view.take(&peers(&[1])));
    assert!(!view.is_alone());
    assert_eq!(view.home_of(room(1)), Home::Here { is_sure: false });
    assert!(view.pulse(1).homes == [node(1)]);
    tokio::time::advance(BEAT * BEATS_OF_DOUBT).await;
    view.look_around();
    assert!(view.is_alone());
    assert_eq!(view.home_of(room(1)), Home::Here { is_sure: true });
}

#[tokio::test(start_paused = true)]
async fn without_the_bus_every_node_is_the_home_of_all_rooms() {
    let mut view = View::new(node(1), BEAT, &peers(&[1, 2]));
    view.hear(node(2), &pulse(6, &[1, 2], &[1]));
    assert!(view.take(&Peers { is_connected: false, ..peers(&[1, 2]) }));
    for number in 0..50 {
        assert_eq!(view.home_of(room(number)), Home::Here { is_sure: false });
        assert_eq!(view.chosen(room(number)), None);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_heard_although_its_lease_has_ended_is_not_forgotten() {
    let mut view = View::new(node(1), BEAT, &peers(&[1]));
    assert!(view.is_alone());
    view.hear(node(2), &pulse(1, &[1, 2], &[1]));
    assert_eq!(view.home_of(room(1)), Home::Here { is_sure: false });
}
