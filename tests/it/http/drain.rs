//! Going down in good order: first `/readyz` says no, then nobody new comes in, and what was asked
//! before is answered.

use super::{Raw, call, with};
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::yield_now;

#[tokio::test]
async fn a_drain_answers_what_is_in_flight_and_lets_nobody_new_in() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(store.clone()).await;
    let alice = node.user("alice").await;
    let token = format!("Bearer {}", alice.token());
    let http = node.http();
    let auth = [("authorization", token.as_str())];
    let create =
        json!({"client_id": "00000000-0000-7000-8000-0000000000e1", "kind": "group", "title": "Tea"});
    let room =
        call(http, "POST", "/v1/rooms", &auth, &create).await.json()["id"].as_str().unwrap().to_owned();
    let mut idle = Raw::connect(http).await;
    idle.request("GET", "/livez", &[], &Value::Null).await;
    assert_eq!(idle.answer().await.unwrap().status, 200);

    store.hold();
    let mut in_flight = Raw::connect(http).await;
    let headers =
        [("authorization", token.as_str()), ("idempotency-key", "00000000-0000-7000-8000-0000000000e2")];
    let message = json!({"body": {"kind": "text", "text": "last words"}});
    in_flight.request("POST", &format!("/v1/rooms/{room}/messages"), &headers, &message).await;
    while store.held() == 0 {
        yield_now().await;
    }
    let meanwhile = async {
        idle.rest().await;
        while TcpStream::connect(http).await.is_ok() {
            yield_now().await;
        }
        store.release();
        let answer = in_flight.answer().await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(in_flight.rest().await, b"");
    };
    tokio::join!(node.stop(), meanwhile);
}

#[tokio::test]
async fn before_it_drains_the_node_says_so_and_still_serves() {
    let node = with(&[("ROOKERY_SERVER__DRAIN_DELAY_SECONDS", "1")]).await;
    let alice = node.user("alice").await;
    let (http, admin) = (node.http(), node.admin());
    let token = format!("Bearer {}", alice.token());
    let meanwhile = async {
        let mut ready = call(admin, "GET", "/readyz", &[], &Value::Null).await;
        while ready.status == 200 {
            ready = call(admin, "GET", "/readyz", &[], &Value::Null).await;
        }
        assert!(ready.status == 503 && ready.text().contains("draining"), "{}", ready.text());
        assert_eq!(call(http, "GET", "/livez", &[], &Value::Null).await.status, 200);
        assert_eq!(call(http, "GET", "/v1/me", &[("authorization", &token)], &Value::Null).await.status, 200);
    };
    tokio::join!(node.stop(), meanwhile);
}
