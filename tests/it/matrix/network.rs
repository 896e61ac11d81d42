//! Connections that die without a word, and clients that come back from elsewhere.

use crate::chat::say;
use crate::rooms::{group, two};
use rookery_tests::node::TestNode;
use rookery_tests::proxy::{FaultProxy, Way};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Opens a room where its reader stopped, and hears exactly what it has missed.
async fn resume(wire: &mut Wire, room: &Value, after: u64, missed: &[(u64, String)]) {
    let opened = wire.ok("room.open", json!({ "room": room, "after": after })).await;
    assert_eq!((&opened["status"], &opened["from"]), (&json!("replayed"), &json!(after + 1)));
    for (seq, said) in missed {
        let event = wire.room_event().await;
        assert_eq!((&event["seq"], &event["body"]["text"]), (&json!(seq), &json!(said)));
    }
    wire.settle().await;
    assert_eq!(wire.unasked(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_connection_that_is_half_open_is_given_up_after_a_ping_and_its_client_misses_nothing() {
    let node = TestNode::start().await;
    let proxy = FaultProxy::start(node.http()).await;
    let (_, mut a, bob, b) = two(&node).await;
    drop(b);
    let mut half_open = Wire::log_in(proxy.address(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    half_open.ok("room.open", json!({ "room": room })).await;
    while node.node().connections().len() > 2 {
        tokio::task::yield_now().await;
    }
    // Nobody is told: neither side hears anything of the other any more.
    proxy.set_both(Way::Lost);
    let mut missed = Vec::new();
    for number in 0..5 {
        missed.push((say(&mut a, &room, &number.to_string()).await, number.to_string()));
    }
    node.advance(Duration::from_secs(25));
    a.settle().await;
    assert_eq!(node.node().connections().len(), 2, "it has been asked whether it is there");
    node.advance(Duration::from_secs(10));
    while node.node().connections().len() > 1 {
        a.settle().await;
        node.advance(Duration::from_secs(1));
    }
    missed.push((say(&mut a, &room, "and nobody waits for it").await, "and nobody waits for it".to_owned()));
    let mut back = Wire::log_in(node.http(), bob.token()).await;
    resume(&mut back, &room, 3, &missed).await;
    drop(half_open);
}

#[tokio::test]
async fn a_client_whose_address_has_changed_resumes_by_its_token_from_the_new_one() {
    let node = TestNode::start().await;
    let proxy = FaultProxy::start(node.http()).await;
    let (_, mut a, bob, b) = two(&node).await;
    drop(b);
    let mut moving = Wire::log_in(proxy.address(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    moving.ok("room.open", json!({ "room": room })).await;
    let mut last = say(&mut a, &room, "here").await;
    assert_eq!(moving.room_event().await["seq"], last);
    for host in 2..5 {
        proxy.reset();
        assert_eq!(moving.closed().await, 1006);
        let said = format!("while it was on its way to {host}");
        let missed = [(say(&mut a, &room, &said).await, said)];
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, host));
        // The next time it comes through the network that breaks again.
        let mut elsewhere = Wire::log_in_from(from, node.http(), bob.token()).await;
        resume(&mut elsewhere, &room, last, &missed).await;
        last = missed[0].0;
        moving = Wire::log_in(proxy.address(), bob.token()).await;
        resume(&mut moving, &room, last, &[]).await;
    }
}
