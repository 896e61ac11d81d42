//! People: profiles, handles that change hands, and finding somebody without a directory.

use crate::http::{call, with};
use crate::members::user;
use crate::rooms::two;
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings under which limits hold.
pub(crate) const STRICT: [(&str, &str); 3] = [
    ("ROOKERY_LIMITS__RELAXED", "false"),
    ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "7168"),
    ("ROOKERY_AUTH__ARGON2_PASSES", "5"),
];

async fn update(wire: &mut Wire, d: Value) -> Result<Value, (String, Value)> {
    wire.call("profile.update", d)
        .await
        .map_err(|mut error| (error["code"].as_str().unwrap().to_owned(), error["details"]["field"].take()))
}

fn refused(code: &str, field: &str) -> Result<Value, (String, Value)> {
    Err((code.to_owned(), json!(field)))
}

async fn found(wire: &mut Wire, query: &str) -> Vec<String> {
    let found = wire.ok("user.search", json!({ "query": query })).await;
    let users = found["users"].as_array().unwrap();
    users.iter().map(|user| user["handle"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_profile_is_changed_by_its_owner_and_read_by_everybody() {
    let node = TestNode::start().await;
    let (alice, mut a, _, mut b) = two(&node).await;
    let change = json!({ "name": "  Alice L. ", "handle": "alice.l", "about": "tea" });
    let profile = json!({ "id": alice.id(), "handle": "alice.l", "name": "Alice L.", "about": "tea" });
    for _ in 0..2 {
        assert_eq!(update(&mut a, change.clone()).await, Ok(profile.clone()));
    }
    assert_eq!(b.ok("user.get", json!({ "user": alice.id() })).await, profile);
    assert_eq!(update(&mut a, json!({})).await, Ok(profile), "nothing named, nothing changed");
    let cleared = update(&mut a, json!({ "about": "", "avatar": uuid::Uuid::nil() })).await.unwrap();
    assert_eq!((cleared.get("about"), cleared.get("avatar")), (None, None));
    assert_eq!(b.refused("user.get", json!({ "user": uuid::Uuid::from_u128(9) })).await, "not_found");
    // A connection that is open is told what is true now when it proves itself again.
    let again = a.ok("auth", json!({ "token": alice.token() })).await;
    assert_eq!(again["user"]["handle"], "alice.l");
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_is_named_and_nothing_of_it_is_done() {
    let node = TestNode::start().await;
    let (alice, mut a, _, _) = two(&node).await;
    for (field, value) in [
        ("name", json!("  ")),
        ("name", json!("x".repeat(65))),
        ("name", json!("a\u{7}")),
        ("handle", json!("Al")),
        ("handle", json!("with space")),
        ("handle", json!("x".repeat(33))),
        ("about", json!("x".repeat(1025))),
    ] {
        let mut d = json!({ "name": "Other", "about": "other" });
        d[field] = value;
        assert_eq!(update(&mut a, d).await, refused("invalid", field));
    }
    let picture = json!({ "name": "Other", "avatar": uuid::Uuid::from_u128(5) });
    assert_eq!(update(&mut a, picture).await, refused("not_found", "avatar"));
    let taken = json!({ "name": "Other", "handle": "bob" });
    assert_eq!(update(&mut a, taken).await, refused("conflict", "handle"));
    assert_eq!(a.ok("user.get", json!({ "user": alice.id() })).await["name"], "alice");
}

#[tokio::test]
async fn a_handle_that_was_given_up_stays_with_its_former_owner_for_a_month() {
    let node = TestNode::start().await;
    let (_, mut a, _, mut b) = two(&node).await;
    update(&mut a, json!({ "handle": "ada" })).await.unwrap();
    assert_eq!(update(&mut b, json!({ "handle": "alice" })).await, refused("conflict", "handle"));
    let register = async |email: &str| {
        let body = json!({ "email": email, "password": "correct horse", "handle": "alice", "name": "A" });
        call(node.http(), "POST", "/v1/auth/register", &[], &body).await.status
    };
    assert_eq!(register("other@example.org").await, 409);
    // Its owner may come back to it.
    update(&mut a, json!({ "handle": "alice" })).await.unwrap();
    update(&mut a, json!({ "handle": "ada" })).await.unwrap();
    node.advance(30 * DAY);
    assert_eq!(register("other@example.org").await, 201);
    let (_, mut c) = user(&node, "carol").await;
    assert_eq!(update(&mut c, json!({ "handle": "alice" })).await, refused("conflict", "handle"));
}

#[tokio::test]
async fn somebody_is_found_by_the_beginning_of_a_handle() {
    let node = TestNode::start().await;
    let (alice, mut a, _, mut b) = two(&node).await;
    for handle in ["bobby", "bo_b", "carol"] {
        node.user(handle).await;
    }
    assert_eq!(found(&mut a, "bo").await, ["bo_b", "bob", "bobby"]);
    assert_eq!(found(&mut a, " @BOB").await, ["bob", "bobby"]);
    assert_eq!(found(&mut a, "bo_").await, ["bo_b"]);
    assert_eq!(found(&mut a, "obb").await, Vec::<String>::new(), "only its beginning counts");
    for nothing in ["bo%", "b*", "bo b", "дом", &"b".repeat(9000)] {
        assert_eq!(found(&mut a, nothing).await, Vec::<String>::new());
    }
    for short in ["", "b", "@b", " @ ", "@"] {
        let error = a.call("user.search", json!({ "query": short })).await.unwrap_err();
        assert_eq!((&error["code"], &error["details"]["field"]), (&json!("invalid"), &json!("query")));
    }
    let one = a.ok("user.search", json!({ "query": "bo", "limit": 1 })).await;
    assert_eq!(one["users"].as_array().unwrap().len(), 1);
    assert_eq!(one.get("next"), None, "there is no next page");
    for limit in [0, 21] {
        assert_eq!(a.refused("user.search", json!({ "query": "bo", "limit": limit })).await, "invalid");
    }
    // Blocked, neither finds the other.
    b.ok("user.block", json!({ "user": alice.id(), "on": true })).await;
    assert_eq!(found(&mut a, "bo").await, ["bo_b", "bobby"]);
    assert_eq!(found(&mut b, "al").await, Vec::<String>::new());
    b.ok("user.block", json!({ "user": alice.id(), "on": false })).await;
    assert_eq!(found(&mut a, "bob").await, ["bob", "bobby"]);
}

#[tokio::test]
async fn a_search_gives_twenty_at_most() {
    let node = TestNode::start().await;
    let (_, mut a, _, _) = two(&node).await;
    for number in 0..22 {
        node.user(&format!("user{number:02}")).await;
    }
    let all = found(&mut a, "user").await;
    assert_eq!((all.len(), all[19].as_str()), (20, "user19"));
}

async fn ask(
    node: &TestNode,
    who: &TestUser,
    method: &str,
    path: &str,
    body: Value,
) -> crate::http::RawAnswer {
    let token = format!("Bearer {}", who.token());
    call(node.http(), method, path, &[("authorization", &token)], &body).await
}

#[tokio::test]
async fn searching_is_limited_by_user_on_sockets_and_over_http_together() {
    let node = with(&STRICT).await;
    let (alice, mut a, _, mut b) = two(&node).await;
    for _ in 0..29 {
        found(&mut a, "bo").await;
    }
    let path = "/v1/users?query=%40bo&limit=5";
    let last = ask(&node, &alice, "GET", path, Value::Null).await;
    assert_eq!((last.status, &last.json()["users"][0]["handle"]), (200, &json!("bob")));
    let refused = ask(&node, &alice, "GET", path, Value::Null).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"user-search\";q=30;w=60"));
    let error = a.call("user.search", json!({ "query": "bo" })).await.unwrap_err();
    assert_eq!((&error["code"], &error["retry_after_ms"]), (&json!("rate_limited"), &json!(2000)));
    found(&mut b, "al").await;
    node.advance(Duration::from_secs(2));
    found(&mut a, "bo").await;
    assert_eq!(ask(&node, &alice, "GET", "/v1/users", Value::Null).await.problem().0, 422);
}

#[tokio::test]
async fn a_handle_changes_a_few_times_a_day() {
    let node = with(&STRICT).await;
    let (alice, mut a, _, _) = two(&node).await;
    for handle in ["a_1", "a_2", "a_3", "a_3"] {
        update(&mut a, json!({ "handle": handle })).await.unwrap();
    }
    assert_eq!(a.refused("profile.update", json!({ "handle": "a_4" })).await, "rate_limited");
    let refused = ask(&node, &alice, "PATCH", "/v1/me", json!({ "handle": "a_4" })).await;
    assert_eq!(refused.header("ratelimit-policy"), Some("\"handle-change\";q=3;w=86400"));
    // The one that it has, and everything else, may be sent as often as one likes.
    update(&mut a, json!({ "handle": "a_3", "name": "A" })).await.unwrap();
}

#[tokio::test]
async fn profiles_over_http_are_the_same() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let changed = ask(&node, &alice, "PATCH", "/v1/me", json!({ "name": "Alice", "about": "tea" })).await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("Alice")));
    assert_eq!(ask(&node, &alice, "GET", "/v1/me", Value::Null).await.json(), changed.json());
    let seen = ask(&node, &bob, "GET", &format!("/v1/users/{}", alice.id()), Value::Null).await;
    assert_eq!(seen.json(), changed.json());
    let taken = ask(&node, &alice, "PATCH", "/v1/me", json!({ "handle": "bob" })).await;
    assert_eq!(taken.problem(), (409, "conflict".to_owned()));
    assert_eq!(taken.json()["errors"][0]["field"], "handle");
    let nobody = format!("/v1/users/{}", uuid::Uuid::from_u128(9));
    assert_eq!(ask(&node, &bob, "GET", &nobody, Value::Null).await.problem().0, 404);
}
