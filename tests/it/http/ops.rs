//! Every op over HTTP: `Idempotency-Key` is its `client_id`, and a key that is none is refused before
//! anything is done.

use super::rooms::{ask, tea};
use super::{RawAnswer, call};
use rookery_tests::node::{TestNode, TestUser};
use serde_json::{Value, json};

/// Asks with a key; an empty one is none.
pub(super) async fn keyed(
    node: &TestNode,
    who: &TestUser,
    (method, path): (&str, &str),
    key: &str,
    body: &Value,
) -> RawAnswer {
    let token = format!("Bearer {}", who.token());
    let mut headers = vec![("authorization", token.as_str())];
    if !key.is_empty() {
        headers.push(("idempotency-key", key));
    }
    call(node.http(), method, path, &headers, body).await
}

#[tokio::test]
async fn a_room_is_made_once_for_a_key_wherever_it_stands() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let key = "00000000-0000-7000-8000-0000000000f1";
    let create = json!({"kind": "group", "title": "Tea"});
    let both = json!({"client_id": key, "kind": "group", "title": "Tea"});
    let by_header = keyed(&node, &alice, ("POST", "/v1/rooms"), key, &create).await;
    let by_body = keyed(&node, &alice, ("POST", "/v1/rooms"), "", &both).await;
    let by_both = keyed(&node, &alice, ("POST", "/v1/rooms"), key, &both).await;
    assert_eq!(by_header.status, 201, "{}", by_header.text());
    assert_eq!((by_body.json(), by_both.json()), (by_header.json(), by_header.json()));
    let other = "00000000-0000-7000-8000-0000000000f2";
    for (key, body) in [("", &create), (other, &both)] {
        let answer = keyed(&node, &alice, ("POST", "/v1/rooms"), key, body).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()));
        assert_eq!(answer.json()["errors"][0]["field"], "client_id");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_on_every_route_that_takes_one() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let message = format!("/v1/rooms/{room}/messages/1");
    let body = json!({"body": {"kind": "text", "text": "x"}});
    for (method, path, body) in [
        ("POST", "/v1/rooms".to_owned(), json!({"kind": "group", "title": "Tea"})),
        ("POST", format!("/v1/rooms/{room}/messages"), body.clone()),
        ("PATCH", message.clone(), body),
        ("DELETE", message.clone(), Value::Null),
        ("PUT", format!("{message}/reactions/%2B1"), Value::Null),
        ("DELETE", format!("{message}/reactions/%2B1"), Value::Null),
        ("PUT", format!("{message}/pin"), Value::Null),
        ("DELETE", format!("{message}/pin"), Value::Null),
    ] {
        let answer = keyed(&node, &alice, (method, &path), "once", &body).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{method} {path}");
        assert_eq!(answer.json()["errors"][0]["field"], "Idempotency-Key", "{method} {path}");
    }
    let page = ask(&node, &alice, "GET", &format!("/v1/rooms/{room}"), Value::Null).await.json();
    assert_eq!(page["head"]["seq"], 2);
}

#[tokio::test]
async fn a_message_without_a_key_is_refused() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    let body = json!({"body": {"kind": "text", "text": "x"}});
    let path = format!("/v1/rooms/{room}/messages");
    let answer = keyed(&node, &alice, ("POST", &path), "", &body).await;
    assert_eq!(answer.problem(), (422, "invalid".to_owned()));
    assert_eq!(answer.json()["errors"][0]["field"], "Idempotency-Key");
}

#[tokio::test]
async fn what_is_no_position_or_no_text_is_nothing_that_exists() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let room = tea(&node, &alice, &[]).await;
    for (method, path) in [
        ("DELETE", "messages/x"),
        ("DELETE", "messages/-1"),
        ("GET", "messages/9007199254740992/readers"),
        ("PUT", "messages/1/reactions/%ff"),
        ("PUT", "messages/1/reactions/%4"),
    ] {
        let path = format!("/v1/rooms/{room}/{path}");
        assert_eq!(ask(&node, &alice, method, &path, Value::Null).await.problem().0, 404, "{method} {path}");
    }
}
