//! What goes wrong when a test says so, and how it ends.

use super::*;

fn peer(number: u128) -> Peer {
    Peer {
        id: NodeId(Uuid::from_u128(number)),
        name: format!("n{number}"),
        url: String::new(),
        connections: 0,
        capacity: 100,
        is_draining: false,
    }
}

/// Returns two nodes and what joins them.
fn pair() -> (MemoryBuses, Arc<MemoryBus>, Arc<MemoryBus>) {
    let buses = MemoryBuses::new();
    let (one, two) = (buses.join(peer(1)), buses.join(peer(2)));
    (buses, one, two)
}

fn frame(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// Returns all that waits to be heard, a loss as an empty text.
async fn waiting(bus: &MemoryBus) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        tokio::select! {
            biased;
            heard = bus.hear() => all.push(match heard {
                Heard::Frame { frame, .. } => String::from_utf8_lossy(&frame).into_owned(),
                Heard::Lost => String::new(),
            }),
            () = ready(()) => return all,
        }
    }
}

fn names(bus: &MemoryBus) -> (bool, Vec<String>) {
    let peers = Arc::clone(&bus.peers().borrow());
    (peers.is_connected, peers.nodes.iter().map(|peer| peer.name.clone()).collect())
}

#[tokio::test]
async fn a_lost_frame_is_heard_of_with_the_next_one() {
    let (buses, one, two) = pair();
    buses.lose_next(one.id(), two.id());
    for text in ["a", "b", "c"] {
        assert!(one.send(two.id(), frame(text)));
    }
    assert_eq!(waiting(&two).await, ["", "b", "c"]);
    buses.lose_next(one.id(), two.id());
    assert!(one.broadcast(frame("d")));
    assert_eq!(waiting(&two).await, [""; 0]);
    buses.renew();
    assert_eq!(waiting(&two).await, [""]);
}

#[tokio::test]
async fn a_cut_is_of_one_direction() {
    let (buses, one, two) = pair();
    buses.cut(one.id(), two.id());
    assert!(one.send(two.id(), frame("lost")) && two.send(one.id(), frame("heard")));
    buses.renew();
    assert_eq!(waiting(&one).await, ["heard"]);
    assert_eq!(waiting(&two).await, [""; 0]);
    buses.heal(one.id(), two.id());
    assert!(one.send(two.id(), frame("healed")));
    assert_eq!(waiting(&two).await, ["", "healed"]);
}

#[tokio::test]
async fn a_node_without_its_bus_is_told_what_it_lost() {
    let (buses, one, two) = pair();
    let key = Uuid::from_u128(9);
    one.put(key, Some(frame("before")));
    buses.away(one.id());
    assert_eq!(names(&one), (false, vec!["n1".to_owned(), "n2".to_owned()]));
    assert!(!one.send(two.id(), frame("not sent")) && !one.broadcast(frame("not sent")));
    assert!(two.send(one.id(), frame("lost")));
    assert!(one.get(&[key]).await.is_err());
    one.put(key, Some(frame("after")));
    one.announce(Peer { connections: 7, ..peer(1) });
    assert_eq!(two.get(&[key]).await, Ok(vec![vec![(one.id(), frame("before"))]]));
    buses.back(one.id());
    assert_eq!(waiting(&one).await, [""]);
    assert_eq!(two.get(&[key]).await, Ok(vec![vec![(one.id(), frame("after"))]]));
    assert_eq!(two.peers().borrow().nodes[0].connections, 7);
    assert!(two.send(one.id(), frame("heard")));
    assert_eq!(waiting(&one).await, ["heard"]);
    assert!(one.send(two.id(), frame("again")));
    assert_eq!(waiting(&two).await, ["", "again"], "what was not sent is a loss as well");
}

#[tokio::test]
async fn a_lease_ends_for_the_others_first() {
    let (buses, one, two) = pair();
    let key = Uuid::from_u128(9);
    one.put(key, Some(frame("kept")));
    buses.expire(one.id());
    assert_eq!(names(&two), (true, vec!["n2".to_owned()]));
    assert_eq!(names(&one), (true, vec!["n1".to_owned(), "n2".to_owned()]));
    assert_eq!(two.get(&[key]).await, Ok(vec![vec![]]));
    buses.back(one.id());
    assert_eq!(names(&two), (true, vec!["n1".to_owned(), "n2".to_owned()]));
    assert_eq!(two.get(&[key]).await, Ok(vec![vec![(one.id(), frame("kept"))]]));
}

#[tokio::test]
async fn what_is_too_large_does_not_pass() {
    let (_, one, two) = pair();
    assert!(!one.send(two.id(), Bytes::from(vec![0; BUS_FRAME + 1])));
    assert!(one.send(two.id(), Bytes::from(vec![0; BUS_FRAME])));
    let key = Uuid::from_u128(9);
    one.put(key, Some(frame("small")));
    one.put(key, Some(Bytes::from(vec![0; BUS_VALUE + 1])));
    assert_eq!(two.get(&[key]).await, Ok(vec![vec![]]));
}
