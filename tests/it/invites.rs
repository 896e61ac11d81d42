//! Invites: who makes them, whom they let in, as what, how often and how long.

use crate::http::{call, with};
use crate::members::{draft, room, user};
use crate::rooms::two;
use rookery_engine::limits::INVITES_PER_ROOM;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn invite(wire: &mut Wire, room: &Value, more: Value) -> Value {
    let mut d = more;
    d["room"] = room.clone();
    wire.ok("invite.create", d).await["invite"].take()
}

async fn accept(wire: &mut Wire, invite: &Value) -> Result<Value, String> {
    let answer = wire.call("invite.accept", json!({ "invite": invite })).await;
    answer.map_err(|error| error["code"].as_str().unwrap().to_owned())
}

async fn now(wire: &mut Wire) -> i64 {
    wire.ok("ping", json!({})).await["time"].as_i64().unwrap()
}

fn gone() -> Result<Value, String> {
    Err("not_found".to_owned())
}

#[tokio::test]
async fn an_invite_lets_whoever_has_it_into_a_group() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = room(&mut a, "group", &[]).await;
    a.ok("message.send", draft(&room, "before")).await;
    a.ok("room.open", json!({ "room": room })).await;
    let invited = a.ok("invite.create", json!({ "room": room })).await;
    let text = invited["invite"].as_str().unwrap();
    assert_eq!(text.len(), 22);
    assert_eq!(invited["url"], json!(format!("http://{}/i/{text}", node.http())));

    let joined = accept(&mut b, &invited["invite"]).await.unwrap();
    assert_eq!(
        (&joined["id"], &joined["members"], &joined["me"]["role"]),
        (&room, &json!(2), &json!("member"))
    );
    let event = a.room_event().await;
    assert_eq!(event["by"], json!(bob.id()), "it came by itself");
    assert_eq!(event["body"], json!({ "user": bob.id(), "change": "added", "role": "member" }));
    // It writes, and sees nothing from before it came.
    b.ok("message.send", draft(&room, "hello")).await;
    let seen = b.ok("room.history", json!({ "room": room })).await;
    assert_eq!(seen["messages"][0]["seq"], event["seq"]);
    // Twice is once, for whoever is there in whatever role.
    assert_eq!(accept(&mut b, &invited["invite"]).await.unwrap()["me"]["role"], "member");
    assert_eq!(accept(&mut a, &invited["invite"]).await.unwrap()["me"]["role"], "owner");
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["head"]["seq"], 5, "nothing was written");
    assert_ne!(alice.id(), bob.id());
}

#[tokio::test]
async fn who_comes_into_a_channel_reads() {
    let node = TestNode::start().await;
    let (_, mut a, _, mut b) = two(&node).await;
    let room = room(&mut a, "channel", &[]).await;
    let text = invite(&mut a, &room, json!({})).await;
    assert_eq!(accept(&mut b, &text).await.unwrap()["me"]["role"], "reader");
    assert_eq!(b.refused("message.send", draft(&room, "x")).await, "forbidden");
}

#[tokio::test]
async fn an_invite_is_used_as_often_as_it_says_and_once_by_each() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let (carol, mut c) = user(&node, "carol").await;
    let (_, mut dave) = user(&node, "dave").await;
    let room = room(&mut a, "group", &[&carol]).await;
    let text = invite(&mut a, &room, json!({ "uses": 2 })).await;
    accept(&mut c, &text).await.unwrap();
    accept(&mut b, &text).await.unwrap();
    accept(&mut b, &text).await.unwrap();
    // A member took no use, so there is one left.
    accept(&mut dave, &text).await.unwrap();
    let (_, mut erin) = user(&node, "erin").await;
    assert_eq!(accept(&mut erin, &text).await, gone());
    // Whoever has used it comes back by it, as long as it is not taken back.
    b.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    accept(&mut b, &text).await.unwrap();
    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    a.ok("invite.revoke", json!({ "room": room, "invite": text })).await;
    assert_eq!(accept(&mut b, &text).await, gone());
}

#[tokio::test]
async fn of_many_at_once_as_many_come_in_as_it_says() {
    let node = TestNode::start().await;
    let (_, mut a, _, _) = two(&node).await;
    let room = room(&mut a, "group", &[]).await;
    let text = invite(&mut a, &room, json!({ "uses": 3 })).await;
    let mut wires = Vec::new();
    for number in 0..8 {
        wires.push(user(&node, &format!("user{number}")).await.1);
    }
    let accepts = wires.iter_mut().map(|wire| accept(wire, &text));
    let answers = futures_util::future::join_all(accepts).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["members"], 4);
}

#[tokio::test]
async fn an_invite_ends_with_its_time_or_when_it_is_taken_back() {
    let node = TestNode::start().await;
    let (_, mut a, _, mut b) = two(&node).await;
    let room = room(&mut a, "group", &[]).await;
    let time = now(&mut a).await;
    let expiring = invite(&mut a, &room, json!({ "expires_at": time + 60_000 })).await;
    let revoked = invite(&mut a, &room, json!({})).await;
    for _ in 0..2 {
        assert_eq!(a.ok("invite.revoke", json!({ "room": room, "invite": revoked })).await, json!({}));
    }
    node.advance(Duration::from_secs(60));
    for text in [&expiring, &revoked, &json!("AAAAAAAAAAAAAAAAAAAAAA"), &json!(""), &json!("x".repeat(9000))]
    {
        assert_eq!(accept(&mut b, text).await, gone());
    }
    // To a member it is the way to its room all the same.
    assert_eq!(accept(&mut a, &expiring).await.unwrap()["id"], room);
    assert_eq!(a.refused("invite.revoke", json!({ "room": room, "invite": "none" })).await, "not_found");
}

#[tokio::test]
async fn what_is_wrong_with_an_invite_is_named() {
    let node = TestNode::start().await;
    let (_, mut a, _, _) = two(&node).await;
    let room = room(&mut a, "group", &[]).await;
    let time = now(&mut a).await;
    for (field, value) in [("expires_at", json!(time)), ("expires_at", json!(-1)), ("uses", json!(0))] {
        let mut d = json!({ "room": room });
        d[field] = value;
        let error = a.call("invite.create", d).await.unwrap_err();
        assert_eq!((&error["code"], &error["details"]["field"]), (&json!("invalid"), &json!(field)));
    }
    for _ in 0..INVITES_PER_ROOM {
        invite(&mut a, &room, json!({ "expires_at": time + 1000, "uses": u32::MAX })).await;
    }
    assert_eq!(a.refused("invite.create", json!({ "room": room })).await, "too_large");
    node.advance(Duration::from_secs(1));
    invite(&mut a, &room, json!({})).await;
}

#[tokio::test]
async fn only_admins_of_groups_and_channels_invite() {
    let node = TestNode::start().await;
    let (_, mut owner, bob, mut b) = two(&node).await;
    let (carol, mut reader) = user(&node, "carol").await;
    let (_, mut stranger) = user(&node, "dave").await;
    let own = room(&mut owner, "group", &[&bob, &carol]).await;
    owner.ok("member.role", json!({ "room": own, "user": carol.id(), "role": "reader" })).await;
    let text = invite(&mut owner, &own, json!({})).await;
    let revoke = json!({ "room": own, "invite": text });
    for (wire, code) in [(&mut b, "forbidden"), (&mut reader, "forbidden"), (&mut stranger, "not_found")] {
        assert_eq!(wire.refused("invite.create", json!({ "room": own })).await, code);
        assert_eq!(wire.refused("invite.revoke", revoke.clone()).await, code);
    }
    let direct = owner.ok("room.direct", json!({ "user": bob.id() })).await["id"].take();
    assert_eq!(owner.refused("invite.create", json!({ "room": direct })).await, "forbidden");
    // Made an admin, and then another one's admin: an invite is its room's, whoever made it.
    owner.ok("member.role", json!({ "room": own, "user": bob.id(), "role": "admin" })).await;
    let elsewhere = room(&mut b, "group", &[]).await;
    assert_eq!(b.refused("invite.revoke", json!({ "room": elsewhere, "invite": text })).await, "not_found");
    b.ok("invite.revoke", revoke).await;
    assert_eq!(accept(&mut stranger, &text).await, gone());
}

async fn ask(node: &TestNode, who: &TestUser, method: &str, path: &str, body: Value) -> (u16, Value) {
    let token = format!("Bearer {}", who.token());
    let answer = call(node.http(), method, path, &[("authorization", &token)], &body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn invites_over_http_are_the_same_and_begin_with_the_public_address() {
    let node = with(&[("ROOKERY_SERVER__PUBLIC_URL", "https://chat.example.org")]).await;
    let (alice, mut a, bob, _) = two(&node).await;
    let room = room(&mut a, "group", &[]).await;
    let path = format!("/v1/rooms/{}/invites", room.as_str().unwrap());
    assert_eq!(ask(&node, &bob, "POST", &path, json!({})).await.0, 404);
    assert_eq!(ask(&node, &alice, "POST", &path, json!({ "uses": 0 })).await.0, 422);
    let (status, invited) = ask(&node, &alice, "POST", &path, Value::Null).await;
    assert_eq!(status, 201, "{invited}");
    let text = invited["invite"].as_str().unwrap();
    assert_eq!(invited["url"], json!(format!("https://chat.example.org/i/{text}")));
    let accepting = format!("/v1/invites/{text}/accept");
    let (status, joined) = ask(&node, &bob, "POST", &accepting, Value::Null).await;
    assert_eq!((status, &joined["id"]), (200, &room), "{joined}");
    assert_eq!(ask(&node, &bob, "DELETE", &format!("{path}/{text}"), Value::Null).await.0, 403);
    assert_eq!(ask(&node, &alice, "DELETE", &format!("{path}/{text}"), Value::Null).await, (200, json!({})));
    let carol = node.user("carol").await;
    assert_eq!(ask(&node, &carol, "POST", &accepting, Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_join_that_the_store_refuses_can_be_tried_again() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (_, mut a, _, mut b) = two(&node).await;
    let room = room(&mut a, "group", &[]).await;
    let text = invite(&mut a, &room, json!({ "uses": 1 })).await;
    store.hold();
    // Its use is taken, its join waits for the disk, and then the disk is full.
    let id = b.send("invite.accept", json!({ "invite": text })).await;
    while store.held() == 0 {
        tokio::task::yield_now().await;
    }
    store.refuse_all("the disk is full");
    store.release();
    assert_eq!(b.reply(id).await.unwrap_err()["code"], "store_unavailable");
    store.heal();
    assert_eq!(accept(&mut b, &text).await.unwrap()["members"], 2);
}
