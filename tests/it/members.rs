//! Members over the socket: who may do what to whom, who owns a room when its owner goes, and that
//! whoever has gone sees and keeps nothing.

use crate::http::call;
use crate::rooms::{fresh, group, two};
use rookery_engine::store::{Log, Range, Rooms, Store};
use rookery_engine::{FaultStore, MemoryStore};
use rookery_protocol::{RoomId, Seq};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn draft(room: &Value, text: &str) -> Value {
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": text } })
}

pub(crate) async fn user(node: &TestNode, handle: &str) -> (TestUser, Wire) {
    let user = node.user(handle).await;
    let wire = Wire::log_in(node.http(), user.token()).await;
    (user, wire)
}

/// Makes a room of `kind` and returns its id.
pub(crate) async fn room(wire: &mut Wire, kind: &str, members: &[&TestUser]) -> Value {
    let members: Vec<_> = members.iter().map(|user| user.id()).collect();
    let create = json!({ "client_id": uuid::Uuid::from_u128(fresh()), "kind": kind, "title": "Tea", "members": members });
    wire.ok("room.create", create).await["id"].take()
}

async fn leave(wire: &mut Wire, who: &TestUser, room: &Value) -> Value {
    wire.ok("member.remove", json!({ "room": room, "user": who.id() })).await
}

async fn give(wire: &mut Wire, room: &Value, to: &TestUser, role: &str) -> Result<Value, Value> {
    wire.call("member.role", json!({ "room": room, "user": to.id(), "role": role })).await
}

fn change(event: &Value) -> (&Value, &Value) {
    (&event["body"]["change"], &event["body"]["user"])
}

#[tokio::test]
async fn when_the_last_owner_goes_the_first_admin_owns_the_room() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let ((carol, mut c), (dave, _)) = (user(&node, "carol").await, user(&node, "dave").await);
    let room = room(&mut a, "group", &[&bob]).await;
    a.ok("member.add", json!({ "room": room, "users": [carol.id(), dave.id()] })).await;
    give(&mut a, &room, &dave, "admin").await.unwrap();
    give(&mut a, &room, &carol, "admin").await.unwrap();
    b.ok("room.open", json!({ "room": room })).await;
    a.ok("room.open", json!({ "room": room })).await;
    let first = carol.id().min(dave.id());
    let left = leave(&mut a, &alice, &room).await;

    // Two events in one draft: nobody ever sees a room with members and without an owner.
    let (handed, gone) = (b.room_event().await, b.room_event().await);
    assert_eq!(change(&handed), (&json!("role"), &json!(first)));
    assert_eq!(handed["body"]["role"], "owner");
    assert_eq!((change(&gone), &gone["seq"]), ((&json!("left"), &json!(alice.id())), &left["seq"]));
    assert_eq!(handed["by"], json!(alice.id()));
    // She hears both, then that she is out.
    assert_eq!((a.room_event().await, a.room_event().await), (handed, gone));
    assert_eq!(a.event().await["ev"], "room.removed");
    let listed = c.ok("member.list", json!({ "room": room })).await;
    let owners: Vec<_> =
        listed["members"].as_array().unwrap().iter().filter(|member| member["role"] == "owner").collect();
    assert_eq!((owners.len(), &owners[0]["user"]["id"]), (1, &json!(first)));
    assert_eq!(b.ok("room.get", json!({ "room": room })).await["members"], 3);
    assert_eq!(a.refused("room.get", json!({ "room": room })).await, "not_found");
}

#[tokio::test]
async fn without_an_admin_the_first_member_owns_it_and_then_a_reader() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let (carol, mut c) = user(&node, "carol").await;
    let room = room(&mut a, "group", &[]).await;
    a.ok("member.add", json!({ "room": room, "users": [bob.id()], "role": "reader" })).await;
    a.ok("member.add", json!({ "room": room, "users": [carol.id()] })).await;
    leave(&mut a, &alice, &room).await;
    assert_eq!(c.ok("room.get", json!({ "room": room })).await["me"]["role"], "owner");
    leave(&mut c, &carol, &room).await;
    assert_eq!(b.ok("room.get", json!({ "room": room })).await["me"]["role"], "owner");
    b.ok("message.send", draft(&room, "mine at last")).await;
}

#[tokio::test]
async fn an_owner_hands_over_and_steps_down() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let (carol, mut c) = user(&node, "carol").await;
    let room = room(&mut a, "channel", &[&bob, &carol]).await;
    assert_eq!(give(&mut a, &room, &alice, "member").await.unwrap_err()["code"], "conflict");
    give(&mut a, &room, &bob, "owner").await.unwrap();
    let seq = give(&mut a, &room, &alice, "reader").await.unwrap()["seq"].clone();
    // Twice is once; a reader gives nobody anything, not even its own role back.
    assert_eq!(give(&mut b, &room, &alice, "reader").await.unwrap()["seq"], seq);
    assert_eq!(give(&mut a, &room, &alice, "owner").await.unwrap_err()["code"], "forbidden");
    assert_eq!(a.refused("message.send", draft(&room, "x")).await, "forbidden");
    b.ok("message.send", draft(&room, "x")).await;
    // With a second owner nobody inherits.
    give(&mut b, &room, &carol, "owner").await.unwrap();
    leave(&mut b, &bob, &room).await;
    assert_eq!(c.ok("room.get", json!({ "room": room })).await["head"]["seq"], 9);
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["me"]["role"], "reader");
}

#[tokio::test]
async fn a_room_that_everybody_has_left_is_seen_by_nobody() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let create = json!({ "client_id": uuid::Uuid::from_u128(fresh()), "kind": "group", "title": "Tea", "members": [bob.id()] });
    let room = a.ok("room.create", create.clone()).await["id"].take();
    leave(&mut b, &bob, &room).await;
    let invite = a.ok("invite.create", json!({ "room": room })).await["invite"].take();
    leave(&mut a, &alice, &room).await;
    for wire in [&mut a, &mut b] {
        assert_eq!(wire.refused("room.get", json!({ "room": room })).await, "not_found");
        assert_eq!(wire.refused("room.open", json!({ "room": room, "after": 0 })).await, "not_found");
        assert_eq!(wire.refused("invite.accept", json!({ "invite": invite })).await, "not_found");
        assert_eq!(wire.ok("room.list", json!({})).await["rooms"], json!([]));
    }
    assert_eq!(a.refused("room.create", create).await, "not_found", "nor made again");
}

#[tokio::test]
async fn rights_follow_the_roles_whoever_asks_for_what() {
    let node = TestNode::start().await;
    let (alice, mut owner, bob, mut admin) = two(&node).await;
    let (carol, mut member) = user(&node, "carol").await;
    let (dave, mut reader) = user(&node, "dave").await;
    let (erin, mut stranger) = user(&node, "erin").await;
    let room = room(&mut owner, "group", &[&bob, &carol, &dave]).await;
    give(&mut owner, &room, &bob, "admin").await.unwrap();
    give(&mut owner, &room, &dave, "reader").await.unwrap();
    let asks = |user: &TestUser, role: &str| {
        [
            ("member.remove", json!({ "room": room, "user": user.id() })),
            ("member.role", json!({ "room": room, "user": user.id(), "role": role })),
        ]
    };
    let add = ("member.add", json!({ "room": room, "users": [erin.id()] }));
    for (op, d) in [add.clone()].into_iter().chain(asks(&bob, "reader")).chain(asks(&alice, "member")) {
        assert_eq!(member.refused(op, d.clone()).await, "forbidden", "{op} {d} of a member");
        assert_eq!(reader.refused(op, d.clone()).await, "forbidden", "{op} {d} of a reader");
        assert_eq!(stranger.refused(op, d.clone()).await, "not_found", "{op} {d} of a stranger");
    }
    for (op, d) in asks(&alice, "member").into_iter().chain(asks(&carol, "admin").into_iter().skip(1)) {
        assert_eq!(admin.refused(op, d.clone()).await, "forbidden", "{op} {d} of an admin");
    }
    // Somebody who is not there: not a member, or no user at all.
    let nobody = uuid::Uuid::from_u128(99);
    for user in [json!(erin.id()), json!(nobody)] {
        assert_eq!(owner.refused("member.remove", json!({ "room": room, "user": user })).await, "not_found");
        let role = json!({ "room": room, "user": user, "role": "admin" });
        assert_eq!(owner.refused("member.role", role).await, "not_found");
    }
    assert_eq!(owner.refused("member.add", json!({ "room": room, "users": [nobody] })).await, "not_found");
    assert_eq!(owner.refused("member.add", json!({ "room": room, "users": [] })).await, "invalid");
    // Removed twice: the second finds nobody.
    admin.ok("member.remove", json!({ "room": room, "user": carol.id() })).await;
    assert_eq!(
        admin.refused("member.remove", json!({ "room": room, "user": carol.id() })).await,
        "not_found"
    );
}

#[tokio::test]
async fn a_removed_member_hears_nothing_later_on_any_of_its_connections() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let mut second = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut b, &mut second] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    let removed = a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    a.ok("message.send", draft(&room, "the secret")).await;
    for wire in [&mut b, &mut second] {
        assert_eq!(change(&wire.room_event().await), (&json!("removed"), &json!(bob.id())));
        let notice = json!({ "ev": "room.removed", "d": { "room": room, "seq": removed["seq"] } });
        assert_eq!(wire.event().await, notice);
        wire.settle().await;
        assert_eq!(wire.unasked(), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_removed_member_is_refused_on_every_way() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let seq = b.ok("message.send", draft(&room, "mine")).await["seq"].clone();
    let invite = a.ok("invite.create", json!({ "room": room })).await["invite"].take();
    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    a.ok("message.send", draft(&room, "the secret")).await;
    let asks = [
        ("room.get", json!({ "room": room })),
        ("room.update", json!({ "room": room, "title": "Mine" })),
        ("room.open", json!({ "room": room })),
        ("room.open", json!({ "room": room, "after": 0 })),
        ("room.history", json!({ "room": room })),
        ("room.history", json!({ "room": room, "before": seq })),
        ("member.list", json!({ "room": room })),
        ("member.add", json!({ "room": room, "users": [bob.id()] })),
        ("member.remove", json!({ "room": room, "user": bob.id() })),
        ("member.role", json!({ "room": room, "user": bob.id(), "role": "owner" })),
        ("invite.create", json!({ "room": room })),
        ("invite.revoke", json!({ "room": room, "invite": invite })),
        ("message.send", draft(&room, "still here")),
    ];
    for (op, d) in asks {
        assert_eq!(b.refused(op, d.clone()).await, "not_found", "{op} {d}");
    }
    b.ok("room.close", json!({ "room": room })).await;
    assert_eq!(b.ok("room.list", json!({})).await["total_unread"], 0);

    let token = format!("Bearer {}", bob.token());
    let tag = a.ok("room.get", json!({ "room": room })).await["head"]["seq"].to_string();
    let tag = format!("\"{tag}\"");
    let headers = [("authorization", token.as_str()), ("if-none-match", tag.as_str())];
    let room = room.as_str().unwrap();
    for path in ["", "/messages", "/members"] {
        let path = format!("/v1/rooms/{room}{path}");
        let answer = call(node.http(), "GET", &path, &headers, &Value::Null).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
    }
    // And nothing of it was done.
    let newest = Range::Before(Seq(u64::MAX >> 1));
    let newest = node.node().store().read(room.parse().unwrap(), newest, 1).await.unwrap();
    assert_eq!(newest[0].by, alice.id());
}

#[tokio::test]
async fn what_was_sent_before_a_removal_counts_and_what_comes_behind_it_does_not() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    // Leaving and writing in one go: the order of sending decides.
    let before = b.send("message.send", draft(&room, "goodbye")).await;
    let leave = b.send("member.remove", json!({ "room": room, "user": bob.id() })).await;
    let behind = [
        b.send("message.send", draft(&room, "one more thing")).await,
        b.send("room.open", json!({ "room": room, "after": 0 })).await,
        b.send("room.history", json!({ "room": room })).await,
        b.send("member.list", json!({ "room": room })).await,
    ];
    let said = b.reply(before).await.unwrap();
    assert_eq!(b.reply(leave).await.unwrap()["seq"].as_u64(), said["seq"].as_u64().map(|seq| seq + 1));
    for id in behind {
        assert_eq!(b.reply(id).await.unwrap_err()["code"], "not_found");
    }
    b.settle().await;
    assert_eq!(b.unasked(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_removal_that_is_not_durable_yet_lets_nothing_behind_it_through() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    store.hold();
    let removal = a.send("member.remove", json!({ "room": room, "user": bob.id() })).await;
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    // The room orders nothing while the removal is on its way to the disk.
    let late = b.send("message.send", draft(&room, "too late")).await;
    let open = b.send("room.open", json!({ "room": room, "after": 0 })).await;
    store.release();
    a.reply(removal).await.unwrap();
    assert_eq!(b.reply(late).await.unwrap_err()["code"], "not_found");
    assert_eq!(b.reply(open).await.unwrap_err()["code"], "not_found");
    let id = room.as_str().unwrap().parse::<RoomId>().unwrap();
    assert_eq!(store.inner().room_state(id, bob.id()).await.unwrap(), None);
    let events = store.inner().read(id, Range::After(Seq::ZERO), 100).await.unwrap();
    assert_eq!(events.len(), 4, "created, two members, a removal");
}

#[tokio::test]
async fn a_room_takes_fifty_at_once_and_no_more() {
    let node = TestNode::start().await;
    let (_, mut a, bob, _) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let nobody: Vec<_> = (0..51).map(uuid::Uuid::from_u128).collect();
    assert_eq!(a.refused("member.add", json!({ "room": room, "users": nobody })).await, "invalid");
    let twice = json!({ "room": room, "users": [bob.id(), bob.id()] });
    a.ok("member.add", twice).await;
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["members"], 2, "named twice, added once");
}
