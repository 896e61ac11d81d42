//! The office: what operators and admins of the server do with users and rooms, that all of it is written down, and
//! that nobody else may.

mod archive;
mod erase;
mod reports;
mod retention;
mod statistics;

pub(crate) use erase::{erase, found};

use crate::chat::{say, text};
use crate::http::{RawAnswer, call};
use crate::members::user;
use crate::rooms::{group, two};
use rookery_protocol::CloseCode;
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

async fn ask(node: &TestNode, token: &str, method: &str, path: &str, body: Value) -> RawAnswer {
    let header = format!("Bearer {token}");
    call(node.admin(), method, path, &[("authorization", &header)], &body).await
}

/// Asks as the operator what must be done.
pub(crate) async fn operate(node: &TestNode, method: &str, path: &str, body: Value) -> Value {
    let answer = ask(node, node.operator(), method, path, body).await;
    assert!(answer.status < 300, "{method} {path}: {}", answer.text());
    answer.json()
}

fn because(reason: &str) -> Value {
    json!({ "reason": reason })
}

/// Makes a user an admin of the server.
pub(crate) async fn grant(node: &TestNode, who: &TestUser) {
    let standing = operate(node, "PUT", &format!("/admin/admins/{}", who.id()), because("helps")).await;
    assert_eq!(standing["is_admin"], true);
}

async fn login(node: &TestNode, handle: &str) -> RawAnswer {
    let body = json!({ "email": format!("{handle}@example.org"), "password": "correct horse battery" });
    call(node.http(), "POST", "/v1/auth/login", &[], &body).await
}

#[tokio::test]
async fn an_admin_is_made_by_the_operator_and_by_nobody_else() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let users = async |token: &str| ask(&node, token, "GET", "/admin/users?query=a", Value::Null).await;
    assert_eq!(users("nonsense").await.problem().0, 401);
    assert_eq!(users(alice.token()).await.problem(), (403, "forbidden".to_owned()));
    grant(&node, &alice).await;
    assert_eq!(users(alice.token()).await.json()["users"][0]["email"], "alice@example.org");
    let path = format!("/admin/admins/{}", bob.id());
    assert_eq!(ask(&node, alice.token(), "PUT", &path, because("x")).await.problem().0, 403);
    let withdrawn = operate(&node, "DELETE", &format!("/admin/admins/{}", alice.id()), because("gone")).await;
    assert_eq!(withdrawn["is_admin"], false);
    assert_eq!(users(alice.token()).await.problem().0, 403);
}

#[tokio::test]
async fn a_ban_closes_every_socket_at_once_and_holds_until_it_is_over() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    grant(&node, &alice).await;
    let path = format!("/admin/users/{}/ban", bob.id());
    let now = node.node().clock().now();
    let body = json!({ "reason": "spam", "until": now.plus_millis(60_000) });
    let banned = ask(&node, alice.token(), "PUT", &path, body).await.json();
    assert_eq!(banned["ban"]["reason"], "spam");
    let closed = tokio::time::timeout(Duration::from_secs(1), b.closed()).await;
    assert_eq!(closed, Ok(CloseCode::AccountDisabled.as_u16()));
    assert_eq!(login(&node, "bob").await.problem(), (403, "forbidden".to_owned()));
    let header = format!("Bearer {}", bob.token());
    let me = [("authorization", header.as_str())];
    assert_eq!(call(node.http(), "GET", "/v1/me", &me, &Value::Null).await.problem().0, 401);
    let bans = operate(&node, "GET", "/admin/bans", Value::Null).await;
    assert_eq!((&bans["bans"][0]["user"], bans["bans"].as_array().unwrap().len()), (&json!(bob.id()), 1));
    node.pass(Duration::from_secs(61));
    assert_eq!(login(&node, "bob").await.status, 200, "its time is over");
    ask(&node, alice.token(), "PUT", &path, because("for good")).await;
    assert_eq!(login(&node, "bob").await.status, 403);
    operate(&node, "DELETE", &path, because("forgiven")).await;
    assert_eq!(login(&node, "bob").await.status, 200);
    a.settle().await;
}

#[tokio::test]
async fn logins_are_listed_and_ended_one_by_one_and_all_at_once() {
    let node = TestNode::start().await;
    let (bob, mut first) = user(&node, "bob").await;
    let second = node.login("bob").await;
    let mut other = Wire::log_in(node.http(), second.token()).await;
    let path = format!("/admin/users/{}/sessions", bob.id());
    let listed = operate(&node, "GET", &path, Value::Null).await;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
    operate(&node, "DELETE", &format!("{path}/{}", bob.session()), because("stolen")).await;
    assert_eq!(first.closed().await, CloseCode::SessionRevoked.as_u16());
    other.settle().await;
    operate(&node, "DELETE", &path, because("all of them")).await;
    assert_eq!(other.closed().await, CloseCode::SessionRevoked.as_u16());
    let listed = operate(&node, "GET", &path, Value::Null).await;
    assert_eq!(listed["sessions"], json!([]));
}

#[tokio::test]
async fn what_is_done_is_written_down_before_and_read_in_pages() {
    let node = TestNode::start().await;
    let (alice, _, bob, _) = two(&node).await;
    grant(&node, &alice).await;
    for number in 0..5 {
        let path = format!("/admin/users/{}/sessions", bob.id());
        ask(&node, alice.token(), "DELETE", &path, because(&format!("reason {number}"))).await;
    }
    let (mut entries, mut before) = (Vec::new(), String::new());
    loop {
        let mut page = operate(&node, "GET", &format!("/admin/audit?limit=2{before}"), Value::Null).await;
        entries.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["next"].take().as_str().map(str::to_owned) else { break };
        before = format!("&before={next}");
    }
    let told: Vec<_> = entries
        .iter()
        .map(|entry| ["who", "did", "whom", "reason"].map(|name| entry[name].as_str().unwrap().to_owned()))
        .collect();
    let who = alice.id().to_string();
    let mut wanted: Vec<_> = (0..5)
        .rev()
        .map(|number| [who.clone(), "sessions.end".into(), bob.id().to_string(), format!("reason {number}")])
        .collect();
    wanted.push(["operator".into(), "admin.grant".into(), who, "helps".into()]);
    assert_eq!(told, wanted);
    for (body, status) in [(json!({}), 422), (because(" "), 422), (json!({ "reason": "x", "more": 1 }), 422)]
    {
        let path = format!("/admin/users/{}/ban", bob.id());
        assert_eq!(ask(&node, alice.token(), "PUT", &path, body).await.problem().0, status);
    }
    let audit = operate(&node, "GET", "/admin/audit", Value::Null).await;
    assert_eq!(audit["entries"].as_array().unwrap().len(), 6, "what was refused was not begun");
}

#[tokio::test]
async fn the_server_takes_down_messages_removes_members_and_closes_rooms() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    let seq = say(&mut b, &room, "buy my tea").await;
    assert_eq!(a.room_event().await["seq"], seq);
    let at = format!("/admin/rooms/{}", room.as_str().unwrap());
    for _ in 0..2 {
        operate(&node, "DELETE", &format!("{at}/messages/{seq}"), because("spam")).await;
    }
    let taken_down = a.room_event().await;
    assert_eq!((&taken_down["type"], &taken_down["target"]), (&json!("delete"), &json!(seq)));
    assert_eq!(taken_down["by"], uuid::Uuid::nil().to_string(), "nobody of the room");
    assert_eq!(crate::chat::shown(&mut a, &room, seq).await["body"], json!({}));

    // Alice owns the room; when the server removes her somebody else does.
    let alice = a.ok("room.get", json!({ "room": room })).await["me"]["role"].take();
    assert_eq!(alice, "owner");
    let who = node.login("alice").await;
    operate(&node, "DELETE", &format!("{at}/members/{}", who.id()), because("gone")).await;
    assert_eq!(a.refused("room.get", json!({ "room": room })).await, "not_found");
    assert_eq!(b.ok("room.get", json!({ "room": room })).await["me"]["role"], "owner");
    operate(&node, "DELETE", &at, because("closed")).await;
    assert_eq!(b.refused("message.send", crate::chat::draft(&room, &text("x"))).await, "not_found");
    let answer = ask(&node, node.operator(), "DELETE", &format!("{at}/messages/999"), because("x")).await;
    assert_eq!(answer.problem().0, 404);
}

#[tokio::test]
async fn a_direct_room_is_no_hiding_place() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = a.ok("room.direct", json!({ "user": bob.id() })).await["id"].take();
    let seq = say(&mut b, &room, "a threat").await;
    let path = format!("/admin/rooms/{}/messages/{seq}", room.as_str().unwrap());
    operate(&node, "DELETE", &path, because("a threat")).await;
    assert_eq!(crate::chat::shown(&mut a, &room, seq).await["body"], json!({}));
}

#[tokio::test]
async fn a_large_room_is_closed_whole() {
    let node = TestNode::start().await;
    let (_, mut a) = user(&node, "alice").await;
    let mut members = Vec::new();
    for number in 0..40 {
        members.push(node.user(&format!("member{number}")).await);
    }
    let room = group(&mut a, "Tea", &members.iter().collect::<Vec<_>>()).await;
    let path = format!("/admin/rooms/{}", room.as_str().unwrap());
    for _ in 0..2 {
        operate(&node, "DELETE", &path, because("closed")).await;
    }
    assert_eq!(a.refused("room.get", json!({ "room": room })).await, "not_found");
    let mut one = Wire::log_in(node.http(), members[39].token()).await;
    assert_eq!(one.refused("room.get", json!({ "room": room })).await, "not_found");
}
