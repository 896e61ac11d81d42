//! A bus that loses, cuts and goes away: what was acked stays, everybody hears everything once and in
//! order, and soon.

use super::{Cluster, id, send, texts, within};
use crate::chat::{heard, say, soon};
use rookery_engine::bus::{Bus, Peer};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest that a message may take from node to node by way of the store.
const BY_STORE: Duration = Duration::from_secs(3);

/// Has each say something, and everybody hear all of it.
async fn all_are_heard(wires: &mut [Wire], room: &Value, what: &str) {
    let mut expected = Vec::new();
    for (sender, wire) in wires.iter_mut().enumerate() {
        let said = format!("{what}:{sender}");
        expected.push((say(wire, room, &said).await, said));
    }
    for (number, wire) in wires.iter_mut().enumerate() {
        let heard = tokio::time::timeout(BY_STORE, texts(wire, expected.len())).await;
        assert_eq!(heard.as_ref(), Ok(&expected), "{what}, heard by {number}");
    }
}

/// Has a wire say many things, and returns what was said with the ids of the commands.
async fn burst(wire: &mut Wire, room: &Value, name: &str, count: usize) -> Vec<(u64, String)> {
    let mut sent = Vec::new();
    for number in 0..count {
        let said = format!("{name}:{number}");
        sent.push((send(wire, room, &said).await, said));
    }
    sent
}

/// Takes the replies to a burst, all of which must be acked in their order.
async fn acked(wire: &mut Wire, sent: Vec<(u64, String)>) -> Vec<(u64, String)> {
    let mut acked: Vec<(u64, String)> = Vec::new();
    for (id, said) in sent {
        let seq = wire.reply(id).await.unwrap()["seq"].as_u64().unwrap();
        assert!(acked.last().is_none_or(|(last, _)| *last < seq), "{said} is before what was sent before it");
        acked.push((seq, said));
    }
    acked
}

/// Everybody hears exactly this.
async fn hear_exactly(wires: &mut [Wire], mut expected: Vec<(u64, String)>) {
    expected.sort_unstable();
    for (number, wire) in wires.iter_mut().enumerate() {
        assert_eq!(texts(wire, expected.len()).await, expected, "heard by {number}");
    }
    for wire in wires {
        assert_eq!(heard(wire).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn pipelined_sends_keep_their_order_through_a_home_that_goes() {
    let mut cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(2, &["alice", "bob", "carol"]).await;
    let mut first = Vec::new();
    for (number, wire) in wires[..2].iter_mut().enumerate() {
        first.push(burst(wire, &room, &number.to_string(), 16).await);
    }
    // Killed: nobody says goodbye, and its lease ends later.
    drop(wires.pop());
    drop(cluster.nodes.pop());
    cluster.buses.away(id(2));
    let mut second = Vec::new();
    for (number, wire) in wires.iter_mut().enumerate() {
        second.push(burst(wire, &room, &format!("{number}+"), 8).await);
    }
    cluster.buses.expire(id(2));
    let mut expected = Vec::new();
    for (wire, (first, second)) in wires.iter_mut().zip(first.into_iter().zip(second)) {
        expected.extend(acked(wire, first.into_iter().chain(second).collect()).await);
    }
    hear_exactly(&mut wires, expected).await;
}

#[tokio::test]
async fn a_lease_that_ends_in_the_middle_of_a_burst_costs_nothing() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    let mut expected = Vec::new();
    for round in 0..4 {
        let mut sent = Vec::new();
        for (number, wire) in wires.iter_mut().enumerate() {
            sent.push(burst(wire, &room, &format!("{round}:{number}"), 10).await);
        }
        match round {
            0 => cluster.buses.expire(id(0)),
            1 => cluster.buses.back(id(0)),
            2 => cluster.buses.expire(id(1)),
            _ => cluster.buses.back(id(1)),
        }
        for (wire, sent) in wires.iter_mut().zip(sent) {
            expected.extend(acked(wire, sent).await);
        }
    }
    hear_exactly(&mut wires, expected).await;
    cluster.agree().await;
}

#[tokio::test]
async fn without_the_bus_everybody_is_heard_by_way_of_the_store() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    all_are_heard(&mut wires, &room, "before").await;
    for node in 0..3 {
        cluster.buses.away(id(node));
    }
    for round in 0..3 {
        all_are_heard(&mut wires, &room, &format!("without {round}")).await;
    }
    for node in 0..3 {
        cluster.buses.back(id(node));
    }
    all_are_heard(&mut wires, &room, "after").await;
    cluster.agree().await;
    all_are_heard(&mut wires, &room, "at rest").await;
}

#[tokio::test]
async fn a_node_alone_without_its_bus_hears_and_is_heard() {
    let cluster = Cluster::start(3).await;
    for home in 0..3 {
        let handles = ["alice", "bob", "carol"].map(|name| format!("{name}{home}"));
        let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
        let (_, mut wires, room) = cluster.group_at(home, &handles).await;
        cluster.buses.away(id(1));
        cluster.buses.expire(id(1));
        for round in 0..2 {
            all_are_heard(&mut wires, &room, &format!("{home}: without {round}")).await;
        }
        cluster.buses.back(id(1));
        all_are_heard(&mut wires, &room, &format!("{home}: after")).await;
        cluster.agree().await;
    }
}

#[tokio::test]
async fn a_cut_in_either_direction_is_healed_by_the_store() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    for (from, to) in [(0, 1), (1, 0), (1, 2)] {
        cluster.buses.cut(id(from), id(to));
        for round in 0..3 {
            all_are_heard(&mut wires, &room, &format!("{from} to {to} is cut {round}")).await;
        }
        cluster.heal();
        all_are_heard(&mut wires, &room, "healed").await;
        cluster.agree().await;
    }
}

#[tokio::test]
async fn frames_that_are_lost_are_missed_by_nobody() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    let mut expected = Vec::new();
    for round in 0..12 {
        let mut sent = Vec::new();
        for (number, wire) in wires.iter_mut().enumerate() {
            let (from, to) = [(0, 1), (1, 0), (0, 2), (2, 0)][(round + number) % 4];
            cluster.buses.lose_next(id(from), id(to));
            sent.push(burst(wire, &room, &format!("{round}:{number}"), 3).await);
        }
        for (wire, sent) in wires.iter_mut().zip(sent) {
            expected.extend(acked(wire, sent).await);
        }
    }
    hear_exactly(&mut wires, expected).await;
}

#[tokio::test]
async fn a_home_that_was_paused_wakes_and_does_no_harm() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    let mut expected = vec![(say(&mut wires[1], &room, "before").await, "before".to_owned())];
    // Its store stands still with a batch in its hands, and it has drafts of others that wait.
    cluster.stores[0].hold();
    let own = burst(&mut wires[0], &room, "own", 4).await;
    assert!(soon(|| cluster.stores[0].held() > 0).await);
    let others = burst(&mut wires[1], &room, "others", 4).await;
    let removal =
        wires[1].send("member.role", json!({ "room": room, "user": users[2].id(), "role": "admin" })).await;
    let behind = burst(&mut wires[1], &room, "behind", 4).await;
    cluster.cut_off(0);
    cluster.buses.expire(id(0));
    expected.extend(acked(&mut wires[1], others).await);
    // Bob may not do that; who has it done elsewhere is not told of it twice.
    assert!(
        ["busy", "forbidden"].contains(&wires[1].reply(removal).await.unwrap_err()["code"].as_str().unwrap())
    );
    expected.extend(acked(&mut wires[1], behind).await);
    expected.push((say(&mut wires[2], &room, "meanwhile").await, "meanwhile".to_owned()));
    // It wakes, and tries to append what it had in its hands.
    cluster.stores[0].release();
    cluster.heal();
    cluster.buses.back(id(0));
    expected.extend(acked(&mut wires[0], own).await);
    hear_exactly(&mut wires, expected).await;
    let refused = cluster.counted(0).await["rookery_appends_total{outcome=\"stale\"}"];
    assert!(refused >= 1.0, "it has not tried: the test shows nothing");
    cluster.agree().await;
    all_are_heard(&mut wires, &room, "at rest").await;
}

#[tokio::test]
async fn a_home_and_a_node_that_order_the_same_at_once_do_it_once() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    // The home has the first in its hands; it has the others too, until nobody waits for them.
    cluster.stores[0].hold();
    let mut sent = burst(&mut wires[1], &room, "first", 1).await;
    assert!(soon(|| cluster.stores[0].held() > 0).await);
    cluster.stores[1].hold();
    sent.extend(burst(&mut wires[1], &room, "more", 2).await);
    // Now Bob's node orders all three for itself.
    within("the node to order for itself", || cluster.stores[1].held() > 0).await;
    // The home is faster with the first: the same event at the same place.
    cluster.stores[0].release();
    let first = texts(&mut wires[0], 1).await;
    cluster.stores[1].release();
    let expected = acked(&mut wires[1], sent).await;
    assert_eq!(expected[0], first[0]);
    assert_eq!(texts(&mut wires[0], 2).await, expected[1..]);
    hear_exactly(&mut wires[1..], expected).await;
}

#[tokio::test]
async fn what_a_home_has_done_and_could_not_say_is_not_said_to_be_refused() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    // Bob's words reach the home, and its answers do not reach him.
    cluster.buses.cut(id(0), id(1));
    let sent = send(&mut wires[1], &room, "done").await;
    let done = texts(&mut wires[0], 1).await;
    assert_eq!(done[0].1, "done");
    // Before his node has waited long enough, he is removed.
    wires[0].ok("member.remove", json!({ "room": room, "user": users[1].id() })).await;
    let error = wires[1].reply(sent).await.unwrap_err();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("busy"), &json!(true)));
}

#[tokio::test]
async fn a_home_does_nothing_that_nobody_waits_for_any_longer() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group_at(0, &["carol", "alice", "bob"]).await;
    wires[0].ok("member.role", json!({ "room": room, "user": users[1].id(), "role": "owner" })).await;
    texts(&mut wires[1], 1).await;
    cluster.stores[0].hold();
    let own = send(&mut wires[0], &room, "held").await;
    assert!(soon(|| cluster.stores[0].held() > 0).await);
    // The home has this in its hands behind the batch that stands still. It has no name.
    let removal = json!({ "room": room, "user": users[2].id() });
    assert_eq!(wires[1].refused("member.remove", removal.clone()).await, "busy");
    // So she does it again, and thinks better of it.
    wires[1].ok("member.remove", removal).await;
    let added = json!({ "room": room, "users": [users[2].id()] });
    let back = wires[1].ok("member.add", added).await["seq"].as_u64().unwrap();
    cluster.stores[0].release();
    let seq = wires[0].reply(own).await.unwrap()["seq"].as_u64().unwrap();
    let last = say(&mut wires[2], &room, "still here").await;
    assert_eq!((seq, last), (back + 1, back + 2), "nothing happened in between");
}

#[tokio::test]
async fn who_opens_a_room_behind_a_batch_that_comes_too_late_is_answered() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group_at(0, &["carol", "alice", "bob"]).await;
    wires[0].ok("member.role", json!({ "room": room, "user": users[1].id(), "role": "owner" })).await;
    texts(&mut wires[1], 1).await;
    cluster.stores[0].hold();
    let late = send(&mut wires[0], &room, "too late").await;
    assert!(soon(|| cluster.stores[0].held() > 0).await);
    cluster.cut_off(0);
    cluster.buses.expire(id(0));
    // Elsewhere Carol is removed, so nothing is left of the batch that the store will refuse.
    let removal = json!({ "room": room, "user": users[0].id() });
    let removed = wires[1].ok("member.remove", removal).await["seq"].clone();
    let mut second = cluster.wire(0, &users[1]).await;
    let gaps = "rookery_room_gaps_total";
    let before = cluster.counted(0).await[gaps];
    let opening = second.send("room.open", json!({ "room": room, "after": removed })).await;
    while cluster.counted(0).await[gaps] <= before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cluster.stores[0].release();
    assert_eq!(second.reply(opening).await.unwrap()["status"], "replayed");
    assert_eq!(wires[0].reply(late).await.unwrap_err()["code"], "not_found");
}

#[tokio::test]
async fn what_is_sent_while_homes_move_is_judged_by_what_is_so() {
    let cluster = Cluster::start(3).await;
    let (users, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    for round in 0..6 {
        // Nobody tells anybody anything, and each node is its own home.
        cluster.cut_off(round % 3);
        let d = json!({ "room": room, "user": users[2].id() });
        wires[0].ok("member.remove", d).await;
        let mut d = crate::chat::draft(&room, &crate::chat::text("not mine any more"));
        let mut refused = wires[2].refused("message.send", d.clone()).await;
        for attempt in 2..10 {
            // It is not known whether the home has done it before it fell silent.
            if refused == "busy" {
                d["attempt"] = json!(attempt);
                refused = wires[2].refused("message.send", d.clone()).await;
            }
        }
        assert_eq!(refused, "not_found", "round {round}");
        wires[0].ok("member.add", json!({ "room": room, "users": [users[2].id()] })).await;
        say(&mut wires[2], &room, "mine again").await;
        wires[2].ok("room.open", json!({ "room": room })).await;
        cluster.heal();
        cluster.agree().await;
    }
    within("the nodes to be sure again", || cluster.home(&room) == Some(0)).await;
}

#[tokio::test]
async fn a_node_that_talks_nonsense_or_nothing_costs_trust_and_nothing_else() {
    let cluster = Cluster::start(3).await;
    let (_, mut wires, room) = cluster.group_at(0, &["alice", "bob", "carol"]).await;
    let stranger = cluster.buses.join(Peer {
        id: id(99),
        name: "n100".to_owned(),
        url: String::new(),
        connections: 0,
        capacity: 0,
        is_draining: false,
    });
    let mut chance = fastrand::Rng::with_seed(1);
    for round in 0..4 {
        for kind in 0..40 {
            let length = chance.usize(..80);
            let bytes: Vec<u8> = (0..length).map(|_| chance.u8(..)).collect();
            for version in [1, 2] {
                stranger.broadcast([&[version, kind, 0][..], &bytes].concat().into());
            }
        }
        all_are_heard(&mut wires, &room, &format!("among nonsense {round}")).await;
    }
    // Its lease ends, and all is as before.
    cluster.buses.expire(id(99));
    cluster.agree().await;
    all_are_heard(&mut wires, &room, "at rest").await;
}
