//! Signals, heads and notices reach whoever is on another node.

use super::{Cluster, texts, within};
use crate::chat::{heard, say};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

/// Waits for an event of this name, past others, and returns its content.
async fn event(wire: &mut Wire, name: &str) -> Value {
    loop {
        let mut event = wire.event().await;
        if event["ev"] == name {
            return event["d"].take();
        }
    }
}

#[tokio::test]
async fn who_types_is_seen_on_every_node_and_so_is_that_it_stops() {
    let cluster = Cluster::start(3).await;
    for home in 0..3 {
        let handles = ["alice", "bob", "carol"].map(|name| format!("{name}{home}"));
        let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
        let (users, mut wires, room) = cluster.group_at(home, &handles).await;
        for on in [true, false] {
            wires[1].ok("typing.set", json!({ "room": room, "on": on })).await;
            for number in [0, 2] {
                let expected = json!({ "room": room, "user": users[1].id(), "on": on, "kind": "text" });
                assert_eq!(
                    event(&mut wires[number], "typing").await,
                    expected,
                    "home {home}, heard by {number}"
                );
            }
        }
        assert_eq!(heard(&mut wires[1]).await, Vec::<Value>::new(), "not by who types");
        // It is over on every node six seconds after the last word, whoever hears of that.
        wires[1].ok("typing.set", json!({ "room": room, "on": true })).await;
        assert_eq!(event(&mut wires[0], "typing").await["on"], true);
        cluster.nodes[0].advance(Duration::from_secs(6));
        assert_eq!(event(&mut wires[0], "typing").await["on"], false);
    }
}

#[tokio::test]
async fn how_far_members_have_read_is_told_on_every_node() {
    let cluster = Cluster::start(3).await;
    for home in 0..3 {
        let handles = ["alice", "bob", "carol"].map(|name| format!("{name}{home}"));
        let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
        let (users, mut wires, room) = cluster.group_at(home, &handles).await;
        let seq = say(&mut wires[0], &room, "read this").await;
        for wire in &mut wires {
            texts(wire, 1).await;
        }
        for (op, ev) in [("delivered.mark", "delivered"), ("read.mark", "read")] {
            wires[1].ok(op, json!({ "room": room, "seq": seq })).await;
            let expected = json!({ "room": room, "marks": [{ "user": users[1].id(), "seq": seq }] });
            for number in [0, 2] {
                assert_eq!(event(&mut wires[number], ev).await, expected, "home {home}, heard by {number}");
            }
        }
        // Whoever opens the room later is told too.
        let opened = wires[2].ok("room.open", json!({ "room": room })).await;
        let read =
            opened["reads"].as_array().unwrap().iter().find(|read| read["user"] == json!(users[1].id()));
        assert_eq!(read.unwrap()["seq"], seq);
    }
}

#[tokio::test]
async fn the_other_devices_of_a_user_hear_what_it_has_read_wherever_they_are() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group(&["alice", "bob", "carol"]).await;
    let mut devices = Vec::new();
    for node in 0..3 {
        // It has no room open but its inbox.
        devices.push(cluster.wire(node, &users[1]).await);
    }
    for round in 0..3 {
        let seq = say(&mut wires[0], &room, &round.to_string()).await;
        wires[1].ok("read.mark", json!({ "room": room, "seq": seq })).await;
        let expected = json!({ "room": room, "read": seq, "unread": 0, "mentions": 0 });
        for (node, device) in devices.iter_mut().enumerate() {
            assert_eq!(event(device, "read.me").await, expected, "on node {node}");
        }
    }
}

#[tokio::test]
async fn members_on_other_nodes_hear_of_rooms_that_they_have_not_open() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group(&["alice", "bob", "carol"]).await;
    let bob = wires.remove(1);
    let mut b = bob.with_background();
    b.ok("room.close", json!({ "room": room })).await;
    for (sender, wire) in wires.iter_mut().enumerate() {
        cluster.nodes.iter().for_each(|node| node.advance(Duration::from_secs(2)));
        heard(&mut b).await;
        let seq = say(wire, &room, &format!("by {sender}")).await;
        let mut head = event(&mut b, "room.head").await;
        while head["head"]["seq"].as_u64() < Some(seq) {
            // The one before may have come late, and this one has to wait for its turn.
            cluster.nodes.iter().for_each(|node| node.advance(Duration::from_secs(2)));
            head = event(&mut b, "room.head").await;
        }
        assert_eq!((&head["room"], &head["preview"]["text"]), (&room, &json!(format!("by {sender}"))));
    }
}

#[tokio::test]
async fn a_room_is_active_only_where_somebody_needs_it() {
    let cluster = Cluster::start(3).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[0].user("bob").await);
    let (mut a, _b) = (cluster.wire(0, &alice).await, cluster.wire(0, &bob).await);
    let mut rooms = Vec::new();
    for number in 0..12 {
        let room = crate::rooms::group(&mut a, &number.to_string(), &[&bob]).await;
        say(&mut a, &room, "hello").await;
        rooms.push(room);
    }
    for node in 1..3 {
        let own = rooms.iter().filter(|room| cluster.home(room).is_none_or(|home| home == node)).count();
        // The homes of the rooms, and of the two inboxes at most.
        assert!(cluster.nodes[node].node().active_rooms() <= own + 2, "node {node}");
    }
}

#[tokio::test]
async fn notices_are_in_the_inbox_once_wherever_it_is_heard() {
    let cluster = Cluster::start(3).await;
    let (users, wires, room) = cluster.group(&["alice", "bob", "carol"]).await;
    let mut wires: Vec<Wire> = wires.into_iter().map(Wire::with_background).collect();
    for round in 0..5 {
        for wire in &mut wires {
            let body = json!({ "kind": "text", "text": format!("{round}"), "mentions": ["all"] });
            wire.ok("message.send", crate::chat::draft(&room, &body)).await;
        }
    }
    let is_mention = |event: &Value| event["d"]["body"]["kind"] == "x.notice.mention";
    for (number, wire) in wires.iter_mut().enumerate() {
        let mut heard = Vec::new();
        while heard.len() < 10 {
            let event = wire.event().await;
            if is_mention(&event) {
                heard.push(event["d"]["body"]["meta"]["seq"].as_u64().unwrap());
            }
        }
        heard.sort_unstable();
        heard.dedup();
        assert_eq!(heard.len(), 10, "of {:?}", users[number].id());
    }
    let none_left = || {
        cluster.stores.iter().all(|store| {
            use rookery_engine::store::Notices;
            futures_util::FutureExt::now_or_never(store.notices(None, 10))
                .is_some_and(|left| left == Ok(Vec::new()))
        })
    };
    within("the notices to be forgotten", none_left).await;
    for wire in &mut wires {
        assert!(!heard(wire).await.iter().any(is_mention), "a notice came twice");
    }
    // Nobody is busy with what others have done.
    let reads: Vec<u64> = cluster.stores.iter().map(|store| store.reads()).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for (store, before) in cluster.stores.iter().zip(reads) {
        assert!(store.reads() < before + 50, "{} reads in half a second", store.reads() - before);
    }
}
