//! The logins of a user: seen, ended, and gone everywhere within a second.

use super::people::{PASSWORD, Person, login, post, register};
use rookery_engine::MemoryStore;
use rookery_engine::bus::MemoryBuses;
use rookery_engine::store::Store;
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Starts two nodes over one store.
async fn two() -> [TestNode; 2] {
    let (buses, store) = (MemoryBuses::new(), MemoryStore::new());
    let node = async |number| {
        let store = Arc::new(store.again()) as Arc<dyn Store>;
        TestNode::with(TestNodeOptions::of_cluster(store, &buses, number)).await
    };
    [node(1).await, node(2).await]
}

async fn closed_within_a_second(wire: &mut Wire) {
    assert_eq!(tokio::time::timeout(Duration::from_secs(1), wire.closed()).await, Ok(4503));
}

#[tokio::test]
async fn a_user_sees_its_logins_and_ends_one_on_every_node() {
    let [here, there] = two().await;
    let phone = Person::fresh(&here, "alice").await;
    let device = json!({ "id": "018f5b2e-7c1a-7000-8000-000000000001", "name": "Laptop" });
    let body = json!({ "email": "alice@example.org", "password": PASSWORD, "device": device });
    let laptop = post(&there, "/v1/auth/login", body).await.json();
    let mut wires = Vec::new();
    for node in [&here, &there] {
        wires.push(Wire::log_in(node.http(), laptop["access_token"].as_str().unwrap()).await);
    }
    let mut stays = phone.wire(&there).await;

    let listed = phone.call(here.http(), "GET", "/v1/auth/sessions", Value::Null).await.json();
    let listed = listed["sessions"].as_array().unwrap().clone();
    let found = |session: &str| listed.iter().find(|one| one["session"] == session).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(found(&phone.session)["current"], true);
    let other = found(laptop["session"].as_str().unwrap());
    assert_eq!((&other["current"], &other["device"]), (&json!(false), &device["id"]));
    assert_eq!(other["device_name"], "Laptop");
    assert!(other["created_at"].as_i64() < other["expires_at"].as_i64());

    let path = format!("/v1/auth/sessions/{}", laptop["session"].as_str().unwrap());
    assert_eq!(phone.call(here.http(), "DELETE", &path, Value::Null).await.status, 204);
    for wire in &mut wires {
        closed_within_a_second(wire).await;
    }
    stays.settle().await;
    let again = post(&there, "/v1/auth/refresh", json!({ "refresh_token": laptop["refresh_token"] })).await;
    assert_eq!(again.status, 401);
    assert_eq!(phone.call(here.http(), "DELETE", &path, Value::Null).await.status, 404, "it is over");
}

#[tokio::test]
async fn nobody_ends_another_s_login() {
    let node = TestNode::start().await;
    let (alice, bob) = (Person::fresh(&node, "alice").await, Person::fresh(&node, "bob").await);
    let path = format!("/v1/auth/sessions/{}", alice.session);
    assert_eq!(bob.call(node.http(), "DELETE", &path, Value::Null).await.problem().0, 404);
    let listed = bob.call(node.http(), "GET", "/v1/auth/sessions", Value::Null).await.json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
    assert!(alice.is_in(&node).await);
}

#[tokio::test]
async fn ending_the_others_leaves_the_one_that_asks() {
    let [here, there] = two().await;
    let phone = Person::fresh(&here, "alice").await;
    let (tv, car) = (Person::of(&here, "alice", PASSWORD).await, Person::of(&there, "alice", PASSWORD).await);
    let (mut on_tv, mut in_car, mut stays) =
        (tv.wire(&there).await, car.wire(&there).await, phone.wire(&there).await);
    assert_eq!(phone.call(here.http(), "DELETE", "/v1/auth/sessions", Value::Null).await.status, 204);
    closed_within_a_second(&mut on_tv).await;
    closed_within_a_second(&mut in_car).await;
    stays.settle().await;
    assert_eq!((tv.is_in(&here).await, phone.is_in(&here).await), (false, true));
    let listed = phone.call(here.http(), "GET", "/v1/auth/sessions", Value::Null).await.json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_answered_the_same_by_any_node_for_ten_seconds() {
    let [here, there] = two().await;
    register(&here, "alice").await;
    let first = login(&here, "alice@example.org", PASSWORD).await.json();
    let body = json!({ "refresh_token": first["refresh_token"] });
    let refresh = async |node: &TestNode| post(node, "/v1/auth/refresh", body.clone()).await;
    let (lost, again) = (refresh(&here).await.json(), refresh(&there).await.json());
    assert_eq!(lost["refresh_token"], again["refresh_token"]);
    assert_ne!(lost["refresh_token"], first["refresh_token"]);
    let access = lost["access_token"].as_str().unwrap();
    let mut wire = Wire::log_in(there.http(), access).await;
    here.pass(Duration::from_secs(10));
    assert_eq!(refresh(&here).await.status, 401, "somebody has copied it");
    closed_within_a_second(&mut wire).await;
    let next = json!({ "refresh_token": lost["refresh_token"] });
    assert_eq!(post(&there, "/v1/auth/refresh", next).await.status, 401);
}

#[tokio::test]
async fn a_refresh_token_is_not_answered_again_once_what_it_was_spent_for_is_spent_too() {
    let [here, there] = two().await;
    register(&here, "alice").await;
    let first = login(&here, "alice@example.org", PASSWORD).await.json();
    let refresh = async |node: &TestNode, tokens: &Value| {
        post(node, "/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await
    };
    let second = refresh(&here, &first).await.json();
    let third = refresh(&there, &second).await.json();
    // An answer that was lost may still be had again,
    let again = refresh(&here, &second).await.json();
    assert_eq!(again["refresh_token"], third["refresh_token"]);
    let mut wire = Wire::log_in(there.http(), again["access_token"].as_str().unwrap()).await;
    // but who has spent the second one has it, so it is somebody else who asks for it.
    assert_eq!(refresh(&here, &first).await.status, 401);
    closed_within_a_second(&mut wire).await;
    assert_eq!(refresh(&there, &third).await.status, 401);
}

#[tokio::test]
async fn a_login_that_nobody_uses_ends_and_one_that_is_used_goes_on() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let node = crate::http::with(&[("ROOKERY_AUTH__LOGIN_IDLE_DAYS", "7")]).await;
    register(&node, "alice").await;
    let body = json!({ "email": "alice@example.org", "password": PASSWORD, "cookie": true });
    let in_browser = post(&node, "/v1/auth/login", body).await;
    assert!(in_browser.header("set-cookie").unwrap().contains("; Max-Age=604800;"));
    let refresh = async |tokens: &Value| {
        post(&node, "/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await
    };
    let unused = login(&node, "alice@example.org", PASSWORD).await.json();
    let mut used = login(&node, "alice@example.org", PASSWORD).await.json();
    for _ in 0..2 {
        node.advance(6 * DAY);
        let answer = refresh(&used).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        used = answer.json();
    }
    assert_eq!(refresh(&unused).await.problem(), (401, "unauthenticated".to_owned()));
    node.advance(7 * DAY);
    assert_eq!(refresh(&used).await.problem(), (401, "unauthenticated".to_owned()));
}
