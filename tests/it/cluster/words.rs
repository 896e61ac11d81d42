//! What one node says to all: logins that are over, profiles and blocks that have changed.

use super::{Cluster, within};
use crate::chat::say;
use crate::http::call;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_login_that_ends_on_one_node_closes_its_sockets_on_the_others_within_a_second() {
    let cluster = Cluster::start(3).await;
    let alice = cluster.nodes[0].user("alice").await;
    let other = cluster.nodes[1].login("alice").await;
    let mut wires = Vec::new();
    for node in 0..3 {
        wires.push(cluster.wire(node, &alice).await);
    }
    let mut stays = cluster.wire(2, &other).await;
    let bearer = format!("Bearer {}", alice.token());
    let headers = [("authorization", bearer.as_str())];
    for node in &cluster.nodes {
        let me = call(node.http(), "GET", "/v1/me", &headers, &Value::Null).await;
        assert_eq!(me.status, 200, "{}", me.text());
    }
    let out = call(cluster.nodes[0].http(), "POST", "/v1/auth/logout", &headers, &json!({})).await;
    assert!(out.status < 300, "{}", out.text());
    for wire in &mut wires {
        let closed = tokio::time::timeout(Duration::from_secs(1), wire.closed()).await;
        assert_eq!(closed, Ok(4503));
    }
    for node in &cluster.nodes {
        let me = call(node.http(), "GET", "/v1/me", &headers, &Value::Null).await;
        assert_eq!(me.status, 401, "a token that was remembered is looked up again");
    }
    stays.settle().await;
}

#[tokio::test]
async fn a_user_whose_logins_all_end_is_closed_on_every_node_within_a_second() {
    let cluster = Cluster::start(3).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let again = cluster.nodes[1].login("alice").await;
    let mut wires =
        vec![cluster.wire(0, &alice).await, cluster.wire(1, &again).await, cluster.wire(2, &alice).await];
    let mut stays = cluster.wire(2, &bob).await;
    cluster.nodes[0].node().end_logins_of(alice.id(), rookery_protocol::CloseCode::AccountDisabled);
    for wire in &mut wires {
        let closed = tokio::time::timeout(Duration::from_secs(1), wire.closed()).await;
        assert_eq!(closed, Ok(4504));
    }
    stays.settle().await;
}

#[tokio::test]
async fn a_login_that_ended_while_the_bus_was_away_is_found_when_it_is_back() {
    let cluster = Cluster::start(2).await;
    let alice = cluster.nodes[0].user("alice").await;
    let other = cluster.nodes[1].login("alice").await;
    let (mut over, mut stays) = (cluster.wire(1, &alice).await, cluster.wire(1, &other).await);
    cluster.buses.away(super::id(1));
    let bearer = format!("Bearer {}", alice.token());
    let headers = [("authorization", bearer.as_str())];
    call(cluster.nodes[0].http(), "POST", "/v1/auth/logout", &headers, &json!({})).await;
    over.settle().await;
    cluster.buses.back(super::id(1));
    assert_eq!(over.closed().await, 4503);
    stays.settle().await;
}

#[tokio::test]
async fn a_block_on_one_node_holds_on_the_others() {
    let cluster = Cluster::start(3).await;
    let (alice, bob) = (cluster.nodes[0].user("alice").await, cluster.nodes[1].user("bob").await);
    let (mut a, mut b) = (cluster.wire(0, &alice).await, cluster.wire(1, &bob).await);
    let room = a.ok("room.direct", json!({ "user": bob.id() })).await["id"].take();
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    for on in [true, false, true] {
        a.ok("user.block", json!({ "user": bob.id(), "on": on })).await;
        let expected = if on { Err("forbidden".to_owned()) } else { Ok(()) };
        // The word is on its way when the block is answered.
        let mut last = Ok(());
        for _ in 0..200 {
            let said = b.call("message.send", crate::chat::draft(&room, &crate::chat::text("hello"))).await;
            last = said.map(drop).map_err(|error| error["code"].as_str().unwrap().to_owned());
            if last == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(last, expected);
    }
}

#[tokio::test]
async fn a_profile_that_changes_on_one_node_is_seen_on_the_others() {
    let cluster = Cluster::start(2).await;
    let alice = cluster.nodes[0].user("alice").await;
    let bearer = format!("Bearer {}", alice.token());
    let headers = [("authorization", bearer.as_str())];
    let name = || async {
        let me = call(cluster.nodes[1].http(), "GET", "/v1/me", &headers, &Value::Null).await;
        serde_json::from_str::<Value>(&me.text()).unwrap()["name"].clone()
    };
    assert_eq!(name().await, "alice");
    let mut a = cluster.wire(0, &alice).await;
    a.ok("profile.update", json!({ "name": "Alice" })).await;
    for _ in 0..200 {
        if name().await == "Alice" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the other node remembers the old name");
}

#[tokio::test]
async fn a_node_that_comes_is_taken_in_and_knows_what_was_heard_before() {
    let mut cluster = Cluster::start(1).await;
    let (_, mut wires, room) = cluster.group(&["alice", "bob"]).await;
    say(&mut wires[0], &room, "alone").await;
    for wire in &mut wires {
        wire.room_event().await;
    }
    // Its rooms go to sleep, and those who hear them do not know.
    cluster.nodes[0].advance(Duration::from_secs(61));
    within("the rooms to go", || cluster.nodes[0].node().active_rooms() == 0).await;
    cluster.join().await;
    let carol = cluster.nodes[1].user("carol").await;
    let mut c = cluster.wire(1, &carol).await;
    wires[0].ok("member.add", json!({ "room": room, "users": [carol.id()] })).await;
    c.ok("room.open", json!({ "room": room })).await;
    let seq = say(&mut c, &room, "hello").await;
    for wire in &mut wires {
        assert_eq!(wire.room_event().await["type"], "member");
        assert_eq!(wire.room_event().await["seq"], seq);
    }
}
