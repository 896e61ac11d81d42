//! Connections, HTTP, logins and limits.

use super::{Counts, grown};
use crate::http::call;
use rookery_engine::limits::PING_EVERY;
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

#[tokio::test]
async fn a_connection_counts_while_it_is_there_and_by_how_it_ends() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let before = Counts::of(&node).await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let there = [
        (r#"rookery_connections{codec="json"}"#, 1.0),
        (r#"rookery_connections{codec="msgpack"}"#, 0.0),
        ("rookery_connects_total", 1.0),
        ("rookery_frames_received_total", 1.0),
        ("rookery_frames_sent_total", 2.0),
        (r#"rookery_authentications_total{result="ok"}"#, 1.0),
        (r#"rookery_http_requests_total{method="GET",route="/v1/ws",class="1xx"}"#, 1.0),
    ];
    grown(&node, &before, &there).await;

    let mut stranger = Wire::open(node.http()).await;
    stranger.send("auth", json!({ "token": "no such token" })).await;
    assert_eq!(stranger.closed().await, 4501);
    node.node().end_login(alice.session(), rookery_protocol::CloseCode::SessionRevoked);
    assert_eq!(a.closed().await, 4503);
    drop((a, stranger));
    let gone = [
        (r#"rookery_connections{codec="json"}"#, 0.0),
        ("rookery_connects_total", 2.0),
        (r#"rookery_closes_total{code="4501"}"#, 1.0),
        (r#"rookery_closes_total{code="4503"}"#, 1.0),
        (r#"rookery_authentications_total{result="refused"}"#, 1.0),
        (r#"rookery_command_errors_total{code="unauthenticated"}"#, 1.0),
    ];
    grown(&node, &before, &gone).await;
}

#[tokio::test]
async fn a_ping_is_timed_until_the_peer_is_heard() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let before = Counts::of(&node).await;
    node.advance(PING_EVERY);
    // Reading, it answers the ping.
    a.settle().await;
    let wanted = [
        ("rookery_ping_round_trip_seconds_count", 1.0),
        ("rookery_ping_round_trip_seconds_sum", 0.0),
        ("rookery_slow_readers", 0.0),
    ];
    grown(&node, &before, &wanted).await;
}

#[tokio::test]
async fn a_request_counts_by_its_route_and_never_by_its_path() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let token = format!("Bearer {}", alice.token());
    let before = Counts::of(&node).await;
    for (method, path, status) in [
        ("GET", "/v1/me", 200),
        ("GET", "/v1/rooms/01890000-0000-7000-8000-000000000000", 404),
        ("GET", "/v1/rooms/01890000-0000-7000-8000-000000000001", 404),
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/me", 405),
    ] {
        let headers = [("authorization", token.as_str())];
        assert_eq!(call(node.http(), method, path, &headers, &Value::Null).await.status, status, "{path}");
    }
    let wanted = [
        (r#"rookery_http_requests_total{method="GET",route="/v1/me",class="2xx"}"#, 1.0),
        (r#"rookery_http_request_duration_seconds_count{method="GET",route="/v1/me"}"#, 1.0),
        (r#"rookery_http_requests_total{method="GET",route="/v1/rooms/{room}",class="4xx"}"#, 2.0),
        (r#"rookery_http_requests_total{method="any",route="unknown",class="4xx"}"#, 2.0),
        // The page itself is being asked for, each time.
        ("rookery_http_requests_in_flight", 0.0),
        (r#"rookery_token_lookups_total{result="miss"}"#, 1.0),
    ];
    grown(&node, &before, &wanted).await;
}

#[tokio::test]
async fn logins_and_the_limits_that_they_hit_are_counted() {
    let settings = vec![
        ("ROOKERY_LIMITS__RELAXED", "false"),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "7168"),
        ("ROOKERY_AUTH__ARGON2_PASSES", "5"),
    ];
    let node = TestNode::with(TestNodeOptions { settings, ..TestNodeOptions::default() }).await;
    let before = Counts::of(&node).await;
    let register = json!({
        "email": "alice@example.org", "password": "correct horse battery", "handle": "alice", "name": "Alice",
    });
    let post = async |path: &str, body: &Value| call(node.http(), "POST", path, &[], body).await.status;
    assert_eq!(post("/v1/auth/register", &register).await, 201);
    let login = |password: &str| json!({ "email": "alice@example.org", "password": password });
    assert_eq!(post("/v1/auth/login", &login("correct horse battery")).await, 200);
    for _ in 0..9 {
        assert_eq!(post("/v1/auth/login", &login("guess guess")).await, 401);
    }
    assert_eq!(post("/v1/auth/login", &login("guess guess")).await, 429);
    assert_eq!(post("/v1/auth/refresh", &json!({ "refresh_token": "none" })).await, 401);
    let wanted = [
        (r#"rookery_registrations_total{result="ok"}"#, 1.0),
        (r#"rookery_logins_total{result="ok"}"#, 1.0),
        (r#"rookery_logins_total{result="refused"}"#, 10.0),
        (r#"rookery_token_refreshes_total{result="refused"}"#, 1.0),
        (r#"rookery_limits_hit_total{limit="login-account"}"#, 1.0),
        (r#"rookery_limits_hit_total{limit="login-address"}"#, 0.0),
        ("rookery_password_duration_seconds_count", 11.0),
        ("rookery_passwords_waiting", 0.0),
    ];
    grown(&node, &before, &wanted).await;
}
