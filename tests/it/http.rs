//! The HTTP edge as bytes on a socket: what it serves, what it refuses, and that a bad request
//! changes nothing and disturbs nobody.

mod drain;
mod event_source;
mod hostile;
mod messages;
mod ops;
mod polling;
mod raw;
mod rooms;
mod sse;

pub(crate) use raw::{Raw, RawAnswer, call};

use rookery_api::route_infos;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Starts a node with settings of its own.
pub(crate) async fn with(settings: &[(&'static str, &'static str)]) -> TestNode {
    TestNode::with(TestNodeOptions { settings: settings.to_vec(), ..TestNodeOptions::default() }).await
}

/// Puts an id in place of every name.
fn concrete(path: &str) -> String {
    let id = "00000000-0000-7000-8000-000000000001";
    path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_that_needs_a_token_says_so() {
    let node = TestNode::start().await;
    for route in route_infos().filter(|route| route.needs_token) {
        let answer = call(node.http(), route.method, &concrete(route.path), &[], &Value::Null).await;
        assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{}", route.operation);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", route.operation);
    }
}

#[tokio::test]
async fn every_path_answers_another_method_with_the_ones_it_has() {
    let node = TestNode::start().await;
    let paths: BTreeSet<_> = route_infos().filter(|route| route.is_public).map(|route| route.path).collect();
    for path in paths {
        let answer = call(node.http(), "TRACE", &concrete(path), &[], &Value::Null).await;
        assert_eq!(answer.problem(), (405, "unsupported".to_owned()), "{path}");
        let told: BTreeSet<_> =
            answer.header("allow").unwrap().split(", ").filter(|name| *name != "HEAD").collect();
        let there: BTreeSet<_> =
            route_infos().filter(|route| route.path == path).map(|route| route.method).collect();
        assert_eq!(told, there, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_problem_with_the_request_s_id() {
    let node = TestNode::start().await;
    let answer = call(node.http(), "GET", "/v1/nowhere", &[("x-request-id", "my-id.1")], &Value::Null).await;
    assert_eq!(answer.status, 404);
    let problem = answer.json();
    assert_eq!(answer.header("x-request-id"), Some("my-id.1"));
    assert_eq!(
        problem,
        json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
            "detail": "there is nothing at this path", "instance": "/v1/nowhere",
            "request_id": "my-id.1", "errors": [],
        })
    );
}

#[tokio::test]
async fn a_request_id_that_could_harm_a_log_is_replaced() {
    let node = TestNode::start().await;
    for bad in ["a b", "a\"b", &"x".repeat(65), "é"] {
        let answer = call(node.http(), "GET", "/livez", &[("x-request-id", bad)], &Value::Null).await;
        let id = answer.header("x-request-id").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{bad}: {id}");
    }
}

#[tokio::test]
async fn every_answer_forbids_what_browsers_would_do_with_it() {
    let node = TestNode::start().await;
    for path in ["/livez", "/v1/me", "/nowhere"] {
        let answer = call(node.http(), "GET", path, &[], &Value::Null).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        for nothing in ["default-src", "base-uri", "form-action", "frame-ancestors"] {
            assert!(policy.contains(&format!("{nothing} 'none'")), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn probes_answer_on_both_listeners_and_metrics_on_one() {
    let node = TestNode::start().await;
    for address in [node.http(), node.admin()] {
        for path in ["/livez", "/readyz", "/healthz", "/version"] {
            let answer = call(address, "GET", path, &[], &Value::Null).await;
            assert_eq!(answer.status, 200, "{path}");
        }
        let head = call(address, "HEAD", "/livez", &[], &Value::Null).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
    }
    let verbose = call(node.admin(), "GET", "/readyz?verbose", &[], &Value::Null).await;
    assert!(verbose.text().contains("[+]store ok") && verbose.text().ends_with("ok\n"), "{}", verbose.text());
    let json = call(node.admin(), "GET", "/readyz", &[("accept", "application/json")], &Value::Null).await;
    assert_eq!(json.json()["ok"], true);

    assert_eq!(call(node.http(), "GET", "/metrics", &[], &Value::Null).await.status, 404);
    assert_eq!(call(node.admin(), "GET", "/v1/me", &[], &Value::Null).await.status, 404);
    let metrics = call(node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
    assert!(
        metrics.contains("rookery_http_requests_total{method=\"GET\",route=\"/livez\",class=\"2xx\"}"),
        "{metrics}"
    );
    assert!(metrics.contains("rookery_http_request_duration_seconds_bucket"), "{metrics}");
}

#[tokio::test]
async fn a_body_is_json_of_the_right_shape_or_refused() {
    let node = TestNode::start().await;
    let post = async |content_type: &str, body: &str| {
        let mut raw = Raw::connect(node.http()).await;
        let head = format!("POST /v1/auth/login HTTP/1.1\r\nhost: t\r\ncontent-type: {content_type}\r\n");
        raw.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await;
        raw.answer().await.unwrap()
    };
    let good = r#"{"email":"a@example.org","password":"12345678"}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        assert_eq!(
            post(content_type, good).await.problem(),
            (415, "unsupported".to_owned()),
            "{content_type}"
        );
    }
    // Understood, and then refused for what it says.
    assert_eq!(
        post("application/JSON; charset=utf-8", good).await.problem(),
        (401, "unauthenticated".to_owned())
    );
    let unknown_field = r#"{"email":"a@example.org","password":"12345678","colour":"red"}"#;
    assert_eq!(post("application/json", unknown_field).await.status, 401);
    for broken in ["", "{", "not json", &format!("{good} trailing")] {
        assert_eq!(
            post("application/json", broken).await.problem(),
            (400, "bad_request".to_owned()),
            "{broken}"
        );
    }
    for wrong in
        [r#"{"email":7,"password":"12345678"}"#, "[]", "null", r#"{"email":"a","email":"b","password":"c"}"#]
    {
        assert_eq!(post("application/json", wrong).await.problem(), (422, "invalid".to_owned()), "{wrong}");
    }
    let missing = post("application/json", r#"{"email":"a@example.org"}"#).await;
    assert_eq!(missing.json()["errors"][0]["field"], "password");
}

#[tokio::test]
async fn a_connection_serves_many_requests_in_order() {
    let node = TestNode::start().await;
    let mut raw = Raw::connect(node.http()).await;
    let request = |id: u32| format!("GET /livez HTTP/1.1\r\nhost: t\r\nx-request-id: {id}\r\n\r\n");
    let pipelined: String = (0..20).map(request).collect();
    raw.send(pipelined).await;
    for id in 0..20 {
        assert_eq!(raw.answer().await.unwrap().header("x-request-id"), Some(id.to_string().as_str()));
    }
}

#[tokio::test]
async fn a_store_that_refuses_fails_readiness_and_says_why() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(store.clone()).await;
    store.refuse_all("the disk is full");
    let answer = call(node.admin(), "GET", "/readyz", &[], &Value::Null).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("the disk is full"), "{}", answer.text());
    assert_eq!(call(node.admin(), "GET", "/livez", &[], &Value::Null).await.status, 200);
    store.heal();
    assert_eq!(call(node.admin(), "GET", "/readyz", &[], &Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket() {
    let node = with(&[]).await;
    let list = with(&[("ROOKERY_SERVER__ALLOWED_ORIGINS", "https://app.example.org")]).await;
    let open = async |node: &TestNode, origin: &str| {
        let upgrade = [
            ("origin", origin),
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        call(node.http(), "GET", "/v1/ws", &upgrade, &Value::Null).await
    };
    assert_eq!(open(&node, "https://evil.example").await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(open(&node, "null").await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(open(&node, "http://test").await.status, 101);
    assert_eq!(open(&list, "http://test").await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(open(&list, "https://app.example.org").await.status, 101);
}
