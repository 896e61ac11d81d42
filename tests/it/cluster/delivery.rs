//! What is sent on one node is heard on all of them, once and in order.

use super::{Cluster, id, send, texts, within};
use crate::chat::{heard, say};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn every_send_on_any_node_is_heard_on_every_node_once_and_in_order() {
    // Long enough that no home is late, however busy the machine is.
    let cluster = Cluster::with_beat(3, Duration::from_secs(2)).await;
    for home in 0..3 {
        let handles = ["alice", "bob", "carol"].map(|name| format!("{name}{home}"));
        let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
        let (_, mut wires, room) = cluster.group_at(home, &handles).await;
        let mut expected = Vec::new();
        for round in 0..10 {
            for (sender, handle) in handles.iter().enumerate() {
                let said = format!("{round} of {handle}");
                expected.push((say(&mut wires[sender], &room, &said).await, said));
            }
        }
        for wire in &mut wires {
            assert_eq!(texts(wire, expected.len()).await, expected);
            assert_eq!(heard(wire).await, Vec::<Value>::new());
        }
    }
    // All of it went by way of the homes, and nobody had to ask the store for what was missing.
    for node in 0..3 {
        let counted = cluster.counted(node).await;
        let of = |name: &str| counted.get(name).copied().unwrap_or_default();
        assert!(of("rookery_forwards_total{outcome=\"answered\"}") >= 20.0, "node {node}: {counted:?}");
        for outcome in ["late", "not_taken", "moved", "unknown"] {
            assert!(of(&format!("rookery_forwards_total{{outcome=\"{outcome}\"}}")) < 1.0, "node {node}");
        }
    }
}

#[tokio::test]
async fn pipelined_sends_of_one_sender_keep_their_order_on_every_node() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    for (sender, wire) in wires.iter_mut().enumerate() {
        let mut ids = Vec::new();
        for number in 0..32 {
            ids.push(send(wire, &room, &format!("{sender}:{number}")).await);
        }
        let mut last = 0;
        for id in ids {
            let seq = wire.reply(id).await.unwrap()["seq"].as_u64().unwrap();
            assert!(seq > last);
            last = seq;
        }
    }
    let first = texts(&mut wires[0], 96).await;
    for wire in &mut wires[1..] {
        assert_eq!(texts(wire, 96).await, first);
    }
    for sender in 0..3 {
        let own = first.iter().filter(|(_, text)| text.starts_with(&format!("{sender}:")));
        let numbers: Vec<_> = own.map(|(_, text)| text[2..].parse::<u64>().unwrap()).collect();
        assert_eq!(numbers, (0..32).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_client_resumes_on_another_node_from_its_position() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    let mut last = 0;
    for number in 0..5 {
        last = say(&mut wires[2], &room, &number.to_string()).await;
    }
    assert_eq!(texts(&mut wires[1], 5).await.last().unwrap().0, last);
    for node in [2, 0, 1] {
        wires[1] = cluster.wire(node, &users[1]).await;
        let more = say(&mut wires[0], &room, "more").await;
        let opened = wires[1].ok("room.open", json!({ "room": room, "after": last })).await;
        assert_eq!((&opened["status"], &opened["head"]["seq"]), (&json!("replayed"), &json!(more)));
        assert_eq!(texts(&mut wires[1], 1).await, [(more, "more".to_owned())]);
        last = more;
    }
}

#[tokio::test]
async fn what_was_acked_on_one_node_is_there_for_whoever_opens_the_room_on_another() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    for round in 0..30 {
        let sender = round % 3;
        let seq = say(&mut wires[sender], &room, "x").await;
        for wire in &mut wires {
            let opened = wire.ok("room.open", json!({ "room": room })).await;
            assert!(opened["head"]["seq"].as_u64().unwrap() >= seq, "round {round}: {opened}");
        }
        for wire in &mut wires {
            wire.unasked();
        }
    }
}

#[tokio::test]
async fn who_is_removed_on_one_node_hears_it_on_another_and_nothing_after_it() {
    let cluster = Cluster::start(3).await;
    for home in 0..3 {
        let handles = ["alice", "bob", "carol"].map(|name| format!("{name}{home}"));
        let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
        let (users, mut wires, room) = cluster.group_at(home, &handles).await;
        let gone = wires[0].ok("member.remove", json!({ "room": room, "user": users[1].id() })).await;
        say(&mut wires[0], &room, "after").await;
        assert_eq!(wires[1].room_event().await["seq"], gone["seq"]);
        let removed = json!({ "ev": "room.removed", "d": { "room": room, "seq": gone["seq"] } });
        assert_eq!(wires[1].event().await, removed);
        assert_eq!(heard(&mut wires[1]).await, Vec::<Value>::new());
        assert_eq!(wires[1].refused("room.open", json!({ "room": room })).await, "not_found");
        let d = crate::chat::draft(&room, &crate::chat::text("still here?"));
        assert_eq!(wires[1].refused("message.send", d).await, "not_found");
        wires[0].ok("member.add", json!({ "room": room, "users": [users[1].id()] })).await;
        wires[1].ok("room.open", json!({ "room": room })).await;
        say(&mut wires[1], &room, "back").await;
    }
}

#[tokio::test]
async fn a_room_that_sleeps_on_a_node_is_woken_by_what_is_said_on_another() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    for sleepers in [vec![1], vec![0, 2], vec![0, 1, 2]] {
        for node in &sleepers {
            cluster.nodes[*node].advance(Duration::from_secs(61));
            within("the rooms to go", || cluster.nodes[*node].node().active_rooms() == 0).await;
        }
        for sender in [2, 1, 0] {
            let said = format!("{sender} to {sleepers:?}");
            let seq = say(&mut wires[sender], &room, &said).await;
            for wire in &mut wires {
                assert_eq!(texts(wire, 1).await, [(seq, said.clone())]);
            }
        }
    }
}

#[tokio::test]
async fn a_node_that_drains_gives_its_rooms_away() {
    let mut cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(2, &["alice", "bob", "carol"]).await;
    let mut expected = vec![(say(&mut wires[1], &room, "before").await, "before".to_owned())];
    let draining = cluster.nodes.pop().unwrap();
    draining.node().begin_drain();
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push((send(&mut wires[1], &room, &number.to_string()).await, number.to_string()));
    }
    let mut there = wires.pop().unwrap();
    let closed = async move { there.closed().await };
    let (code, ()) = tokio::join!(closed, draining.stop());
    assert_eq!(code, 4000);
    for (id, said) in ids {
        expected.push((wires[1].reply(id).await.unwrap()["seq"].as_u64().unwrap(), said));
    }
    within("the room to move", || cluster.nodes[0].node().home_of(super::room_id(&room)) != id(2)).await;
    expected.push((say(&mut wires[0], &room, "after").await, "after".to_owned()));
    for wire in &mut wires {
        assert_eq!(texts(wire, expected.len()).await, expected);
    }
}

#[tokio::test]
async fn a_room_that_two_nodes_make_at_once_is_one() {
    let cluster = Cluster::start(3).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let (mut a, mut b): (Wire, Wire) = (cluster.wire(0, &alice).await, cluster.wire(1, &bob).await);
    let (x, y) = (
        a.send("room.direct", json!({ "user": bob.id() })).await,
        b.send("room.direct", json!({ "user": alice.id() })).await,
    );
    assert_eq!(a.reply(x).await.unwrap()["id"], b.reply(y).await.unwrap()["id"]);
}
