//! Requests that mean harm, or are broken: each costs its own connection at most.

use super::{Raw, call, with};
use rookery_tests::node::TestNode;
use serde_json::Value;

/// A login that says where it ends, and one that does not fit its route.
const LOGIN: &str = "POST /v1/auth/login HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n";

/// The node still serves others.
async fn is_well(node: &TestNode) {
    assert_eq!(call(node.http(), "GET", "/livez", &[], &Value::Null).await.status, 200);
}

/// Sends `bytes` and returns the statuses of all answers until the connection ends.
async fn statuses(node: &TestNode, bytes: impl AsRef<[u8]>) -> Vec<u16> {
    let mut raw = Raw::connect(node.http()).await;
    raw.send(bytes).await;
    let mut statuses = Vec::new();
    while let Some(answer) = raw.answer().await {
        statuses.push(answer.status);
    }
    statuses
}

#[tokio::test]
async fn what_follows_an_ambiguous_request_is_never_run() {
    let node = TestNode::start().await;
    let hidden = "GET /livez HTTP/1.1\r\nhost: t\r\nx-request-id: smuggled\r\n\r\n";
    let both = format!(
        "{LOGIN}content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
        5 + hidden.len()
    );
    assert_eq!(statuses(&node, &both).await, [400]);
    let swapped = format!("{LOGIN}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n{hidden}");
    assert_eq!(statuses(&node, &swapped).await, [400]);
    let two_lengths = format!("{LOGIN}content-length: 2\r\ncontent-length: 40\r\n\r\n{{}}{hidden}");
    assert_eq!(statuses(&node, &two_lengths).await, [400]);
    let not_last = format!("{LOGIN}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}");
    assert_eq!(statuses(&node, &not_last).await, [400]);
    let old = format!("POST /v1/auth/login HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}");
    assert_eq!(statuses(&node, &old).await, [400]);
    let bad_length = format!("{LOGIN}content-length: +2\r\n\r\n{{}}{hidden}");
    assert_eq!(statuses(&node, &bad_length).await, [400]);
    // A body that its handler does not read does not become the next request.
    let unread =
        format!("GET /livez HTTP/1.1\r\nhost: t\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len());
    let mut raw = Raw::connect(node.http()).await;
    raw.send(unread).await;
    assert_ne!(raw.answer().await.unwrap().header("x-request-id"), Some("smuggled"));
    raw.request("GET", "/livez", &[("x-request-id", "next"), ("connection", "close")], &Value::Null).await;
    if let Some(answer) = raw.answer().await {
        assert_eq!(answer.header("x-request-id"), Some("next"));
    }
    is_well(&node).await;
}

#[tokio::test]
async fn too_many_or_too_large_headers_end_the_connection() {
    let node = TestNode::start().await;
    let many = "x-header: y\r\n".repeat(10_000);
    let sum =
        |statuses: Vec<u16>| statuses.iter().all(|status| [400, 431].contains(status)) && statuses.len() <= 1;
    assert!(sum(statuses(&node, format!("GET /livez HTTP/1.1\r\nhost: t\r\n{many}\r\n")).await));
    let sixty_five = "x-header: y\r\n".repeat(65);
    assert_eq!(statuses(&node, format!("GET /livez HTTP/1.1\r\n{sixty_five}\r\n")).await, [431]);
    let large = "y".repeat(64 * 1024);
    assert!(sum(statuses(&node, format!("GET /livez HTTP/1.1\r\nhost: t\r\nx: {large}\r\n\r\n")).await));
    assert!(sum(statuses(&node, format!("GET /{large} HTTP/1.1\r\nhost: t\r\n\r\n")).await));
    is_well(&node).await;
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection() {
    let node = TestNode::start().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: t\r\n x: folded\r\n\r\n",
        b"GET  /livez  HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let statuses = statuses(&node, bytes).await;
        assert!(
            statuses.is_empty() || statuses == [400],
            "{:?}: {statuses:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    is_well(&node).await;
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_however_it_comes() {
    let node = TestNode::start().await;
    // Said beforehand: refused before a byte of it.
    assert_eq!(statuses(&node, format!("{LOGIN}content-length: 9000000\r\n\r\n")).await, [413]);
    // Not said: refused when it goes over.
    let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
    let chunked = format!("{LOGIN}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}");
    assert_eq!(statuses(&node, &chunked).await, [413]);
    is_well(&node).await;
}

#[tokio::test]
async fn a_request_that_breaks_off_changes_nothing() {
    let node = TestNode::start().await;
    let body = r#"{"email":"half@example.org","password":"correct horse","handle":"half","name":"Half"}"#;
    let head = "POST /v1/auth/register HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n";
    let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    for length in [10, head.len(), whole.len() - 20, whole.len() - 1] {
        let mut raw = Raw::connect(node.http()).await;
        raw.send(&whole[..length]).await;
        drop(raw);
    }
    // The handle is free, so nobody took it.
    let registered = statuses(&node, whole.replace("host: t", "host: t\r\nconnection: close")).await;
    assert_eq!(registered, [201]);
}

#[tokio::test]
async fn slow_headers_and_slow_bodies_are_cut_off() {
    let node = with(&[
        ("ROOKERY_SERVER__HEADER_TIMEOUT_SECONDS", "1"),
        ("ROOKERY_SERVER__BODY_TIMEOUT_SECONDS", "1"),
    ])
    .await;
    let mut headers = Raw::connect(node.http()).await;
    headers.send("GET /livez HTTP/1.1\r\nx: ").await;
    let mut body = Raw::connect(node.http()).await;
    body.send(format!("{LOGIN}content-length: 100\r\n\r\n{{")).await;
    let mut idle = Raw::connect(node.http()).await;
    idle.send("GET /livez HTTP/1.1\r\nhost: t\r\n\r\n").await;
    assert_eq!(idle.answer().await.unwrap().status, 200);

    assert_eq!(body.answer().await.unwrap().problem(), (408, "bad_request".to_owned()));
    for connection in [&mut body, &mut headers, &mut idle] {
        connection.rest().await;
    }
    is_well(&node).await;
}
