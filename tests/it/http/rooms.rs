//! Rooms, members and messages over HTTP: the same code as the socket's, other words around it.

use super::{RawAnswer, call};
use rookery_tests::node::{TestNode, TestUser};
use serde_json::{Value, json};

pub(super) async fn ask(node: &TestNode, who: &TestUser, method: &str, path: &str, body: Value) -> RawAnswer {
    let token = format!("Bearer {}", who.token());
    call(node.http(), method, path, &[("authorization", &token)], &body).await
}

pub(super) async fn say(node: &TestNode, who: &TestUser, room: &str, key: &str, text: &str) -> RawAnswer {
    let token = format!("Bearer {}", who.token());
    let headers = [("authorization", token.as_str()), ("idempotency-key", key)];
    let body = json!({"body": {"kind": "text", "text": text}});
    call(node.http(), "POST", &format!("/v1/rooms/{room}/messages"), &headers, &body).await
}

/// Makes a room and returns its id.
pub(super) async fn tea(node: &TestNode, owner: &TestUser, members: &[&TestUser]) -> String {
    let members: Vec<_> = members.iter().map(|user| user.id().to_string()).collect();
    let body = json!({
        "client_id": "00000000-0000-7000-8000-00000000000a", "kind": "group", "title": "Tea", "members": members,
    });
    let made = ask(node, owner, "POST", "/v1/rooms", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().expect("a room has an id").to_owned()
}

#[tokio::test]
async fn a_room_is_made_found_changed_and_listed() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    assert_eq!(ask(&node, &alice, "GET", "/v1/me", Value::Null).await.json()["handle"], "alice");
    let room = tea(&node, &alice, &[&bob]).await;
    // The same again is the same room.
    assert_eq!(tea(&node, &alice, &[&bob]).await, room);

    let path = format!("/v1/rooms/{room}");
    let found = ask(&node, &bob, "GET", &path, Value::Null).await.json();
    assert_eq!((&found["title"], &found["members"]), (&json!("Tea"), &json!(2)));
    let changed = ask(&node, &alice, "PATCH", &path, json!({"title": "Coffee"})).await;
    assert_eq!((changed.status, &changed.json()["title"]), (200, &json!("Coffee")));
    assert_eq!(ask(&node, &bob, "PATCH", &path, json!({"title": "Milk"})).await.status, 403);
    let listed = ask(&node, &bob, "GET", "/v1/rooms?limit=10", Value::Null).await.json();
    assert_eq!(listed["rooms"].as_array().unwrap().len(), 1);
    assert_eq!(listed["rooms"][0]["title"], "Coffee");

    let direct = json!({"user": bob.id().to_string()});
    let one = ask(&node, &alice, "POST", "/v1/rooms/direct", direct).await.json();
    let other =
        ask(&node, &bob, "POST", "/v1/rooms/direct", json!({"user": alice.id().to_string()})).await.json();
    assert_eq!(one["id"], other["id"]);
}

#[tokio::test]
async fn members_come_change_and_go() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let room = tea(&node, &alice, &[]).await;
    let members = format!("/v1/rooms/{room}/members");
    let bob_there = format!("{members}/{}", bob.id());

    assert_eq!(ask(&node, &bob, "GET", &members, Value::Null).await.problem().0, 404);
    let added = ask(&node, &alice, "POST", &members, json!({"users": [bob.id().to_string()]})).await;
    assert!(added.status == 200 && added.json()["seq"].is_u64(), "{}", added.text());
    let changed = ask(&node, &alice, "PATCH", &bob_there, json!({"role": "reader"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let listed = ask(&node, &bob, "GET", &members, Value::Null).await.json();
    let roles: Vec<_> =
        listed["members"].as_array().unwrap().iter().map(|member| member["role"].clone()).collect();
    assert!(roles.contains(&json!("owner")) && roles.contains(&json!("reader")), "{listed}");
    assert_eq!(ask(&node, &bob, "DELETE", &bob_there, Value::Null).await.status, 200);
    assert_eq!(ask(&node, &bob, "GET", &members, Value::Null).await.problem().0, 404);
}

#[tokio::test]
async fn a_message_is_written_once_however_often_it_is_posted() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let key = "00000000-0000-7000-8000-0000000000b1";
    let first = say(&node, &alice, &room, key, "hello").await;
    let again = say(&node, &alice, &room, &format!("\"{key}\""), "hello").await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(
        (first.json()["seq"].clone(), again.json()["duplicate"].clone()),
        (again.json()["seq"].clone(), json!(true))
    );
    for bad in ["", "not a uuid"] {
        assert_eq!(say(&node, &alice, &room, bad, "x").await.problem(), (422, "invalid".to_owned()), "{bad}");
    }
    let page = ask(&node, &alice, "GET", &format!("/v1/rooms/{room}/messages"), Value::Null).await.json();
    let texts: Vec<_> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|message| message["body"]["text"].as_str())
        .collect();
    assert_eq!(texts, ["hello"]);
}

#[tokio::test]
async fn what_is_no_position_is_refused_and_not_left_out() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    for (field, value) in
        [("after", "9007199254740992"), ("around", "-1"), ("before", "%zz"), ("limit", "%ff")]
    {
        let path = format!("/v1/rooms/{room}/messages?{field}={value}");
        let answer = ask(&node, &alice, "GET", &path, Value::Null).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{field}={value}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn polling_costs_a_page_only_when_something_happened() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let path = format!("/v1/rooms/{room}/messages?limit=5");
    let first = ask(&node, &alice, "GET", &path, Value::Null).await;
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let tag = first.header("etag").unwrap().to_owned();
    let token = format!("Bearer {}", alice.token());
    let poll = async || {
        let headers = [("authorization", token.as_str()), ("if-none-match", tag.as_str())];
        call(node.http(), "GET", &path, &headers, &Value::Null).await
    };
    assert_eq!((poll().await.status, poll().await.body.len()), (304, 0));
    say(&node, &alice, &room, "00000000-0000-7000-8000-0000000000c1", "news").await;
    let changed = poll().await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn somebody_else_s_room_is_not_there() {
    let node = TestNode::start().await;
    let (alice, mallory) = (node.user("alice").await, node.user("mallory").await);
    let room = tea(&node, &alice, &[]).await;
    let user = alice.id();
    for (method, path, body) in [
        ("GET", format!("/v1/rooms/{room}"), Value::Null),
        ("PATCH", format!("/v1/rooms/{room}"), json!({"title": "Mine"})),
        ("GET", format!("/v1/rooms/{room}/members"), Value::Null),
        ("POST", format!("/v1/rooms/{room}/members"), json!({"users": [mallory.id().to_string()]})),
        ("PATCH", format!("/v1/rooms/{room}/members/{user}"), json!({"role": "reader"})),
        ("DELETE", format!("/v1/rooms/{room}/members/{user}"), Value::Null),
        ("GET", format!("/v1/rooms/{room}/messages"), Value::Null),
    ] {
        let answer = ask(&node, &mallory, method, &path, body).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{method} {path}");
    }
    let key = "00000000-0000-7000-8000-0000000000d1";
    assert_eq!(say(&node, &mallory, &room, key, "let me in").await.problem().0, 404);
    assert_eq!(ask(&node, &alice, "GET", "/v1/rooms/not-an-id", Value::Null).await.problem().0, 404);
}
