//! What proves who somebody is, over HTTP and over a socket alike, and when it stops to.

use crate::http::call;
use rookery_engine::limits::REFRESH_AGAIN_MS;
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

async fn me(node: &TestNode, token: &str) -> u16 {
    let header = format!("Bearer {token}");
    call(node.http(), "GET", "/v1/me", &[("authorization", &header)], &Value::Null).await.status
}

/// The code that `auth` on a fresh socket gets for a token.
async fn auth(node: &TestNode, token: &str) -> String {
    Wire::open(node.http()).await.refused("auth", json!({ "token": token })).await
}

async fn post(node: &TestNode, path: &str, who: &TestUser) -> Value {
    let header = format!("Bearer {}", who.token());
    let answer = call(node.http(), "POST", path, &[("authorization", &header)], &Value::Null).await;
    assert!(answer.status < 300, "{path}: {}", answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

#[tokio::test]
async fn a_good_token_is_good_everywhere() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    assert_eq!(me(&node, alice.token()).await, 200);
    let mut wire = Wire::open(node.http()).await;
    let who = wire.ok("auth", json!({ "token": alice.token() })).await;
    assert_eq!(who["user"]["handle"], "alice");
    assert_eq!(who["session"], alice.session().to_string());
}

#[tokio::test]
async fn a_token_that_another_key_signed_is_refused() {
    let node = TestNode::start().await;
    let other = TestNode::with(TestNodeOptions { seed: 2, ..TestNodeOptions::default() }).await;
    let foreign = other.user("alice").await;
    assert_eq!(me(&node, foreign.token()).await, 401);
    assert_eq!(auth(&node, foreign.token()).await, "unauthenticated");
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let parts: Vec<&str> = alice.token().split('.').collect();
    // {"typ":"at+jwt","alg":"none"}, {"typ":"at+jwt","alg":"HS256"}
    let unsigned = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0";
    let hs256 = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9";
    let mut claims = parts[1].to_owned();
    claims.replace_range(20..21, if &claims[20..21] == "A" { "B" } else { "A" });
    for token in [
        format!("{unsigned}.{}.", parts[1]),
        format!("{unsigned}.{}.{}", parts[1], parts[2]),
        format!("{hs256}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{claims}.{}", parts[0], parts[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}x", alice.token()),
        "x".repeat(5000),
        "not-a-token".to_owned(),
    ] {
        assert_eq!(me(&node, &token).await, 401, "{token:.60}");
        assert_eq!(auth(&node, &token).await, "unauthenticated", "{token:.60}");
    }
    assert_eq!(me(&node, alice.token()).await, 200);
}

#[tokio::test]
async fn a_token_ends_after_ten_minutes_and_says_so() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    node.advance(Duration::from_secs(599));
    assert_eq!(me(&node, alice.token()).await, 200);
    node.advance(Duration::from_secs(6));
    let header = format!("Bearer {}", alice.token());
    let answer = call(node.http(), "GET", "/v1/me", &[("authorization", &header)], &Value::Null).await;
    assert_eq!(answer.problem(), (401, "token_expired".to_owned()));
    assert_eq!(auth(&node, alice.token()).await, "token_expired");
}

#[tokio::test]
async fn a_token_of_the_right_key_for_a_login_that_is_not_there_is_refused() {
    // One seed, so one key; two stores.
    let (node, other) = (TestNode::start().await, TestNode::start().await);
    let alice = node.user("alice").await;
    assert_eq!(me(&other, alice.token()).await, 401);
}

#[tokio::test]
async fn logging_out_closes_the_sockets_of_that_login_at_once() {
    let node = TestNode::start().await;
    let phone = node.user("alice").await;
    let laptop = node.login("alice").await;
    let mut on_phone = Wire::log_in(node.http(), phone.token()).await;
    let mut on_laptop = Wire::log_in(node.http(), laptop.token()).await;
    post(&node, "/v1/auth/logout", &phone).await;
    assert_eq!(on_phone.closed().await, 4503);
    assert_eq!(auth(&node, phone.token()).await, "unauthenticated");
    on_laptop.settle().await;
}

#[tokio::test]
async fn the_reuse_of_a_refresh_token_closes_the_sockets_of_its_login() {
    let node = TestNode::start().await;
    node.user("alice").await;
    let body = json!({"email": "alice@example.org", "password": "correct horse battery"});
    let tokens = call(node.http(), "POST", "/v1/auth/login", &[], &body).await.json();
    let mut socket = Wire::log_in(node.http(), tokens["access_token"].as_str().unwrap()).await;
    let spent = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(call(node.http(), "POST", "/v1/auth/refresh", &[], &spent).await.status, 200);
    socket.settle().await;
    node.pass(Duration::from_millis(REFRESH_AGAIN_MS.unsigned_abs()));
    assert_eq!(call(node.http(), "POST", "/v1/auth/refresh", &[], &spent).await.status, 401);
    assert_eq!(socket.closed().await, 4503);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_no_second() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let ticket = post(&node, "/v1/auth/ticket", &alice).await["ticket"].as_str().unwrap().to_owned();
    let path = format!("/v1/ws?ticket={ticket}");
    let mut wire = Wire::dial(node.http(), &path).await;
    assert_eq!(wire.event().await["ev"], "hello");
    let ready = wire.event().await;
    assert_eq!((&ready["ev"], &ready["d"]["user"]["handle"]), (&json!("ready"), &json!("alice")));
    wire.ok("room.list", json!({})).await;

    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let again = call(node.http(), "GET", &path, &upgrade, &Value::Null).await;
    assert_eq!(again.problem(), (401, "unauthenticated".to_owned()));
    let late = post(&node, "/v1/auth/ticket", &alice).await["ticket"].as_str().unwrap().to_owned();
    node.advance(Duration::from_secs(31));
    let path = format!("/v1/ws?ticket={late}");
    assert_eq!(call(node.http(), "GET", &path, &upgrade, &Value::Null).await.problem().0, 401);
}

#[tokio::test]
async fn an_access_token_in_the_url_opens_nothing() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut wire = Wire::dial(node.http(), &format!("/v1/ws?token={}", alice.token())).await;
    assert_eq!(wire.event().await["ev"], "hello");
    assert_eq!(wire.refused("room.list", json!({})).await, "unauthenticated");
    let path = format!("/v1/me?access_token={}", alice.token());
    assert_eq!(call(node.http(), "GET", &path, &[], &Value::Null).await.status, 401);
}
