//! Accounts over HTTP: registering, logging in, refreshing, logging out, and what none of it tells.

mod browser;
mod letters;
mod logins;
mod notices;
mod people;
mod postman;
mod timing;

use crate::http::{RawAnswer, call, with};
use rookery_engine::store::Accounts;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "correct horse";

async fn post(node: &TestNode, path: &str, headers: &[(&str, &str)], body: Value) -> RawAnswer {
    call(node.http(), "POST", path, headers, &body).await
}

async fn register(node: &TestNode, email: &str, handle: &str) -> RawAnswer {
    let body = json!({"email": email, "password": PASSWORD, "handle": handle, "name": "A Name"});
    post(node, "/v1/auth/register", &[], body).await
}

async fn login(node: &TestNode, email: &str, password: &str) -> RawAnswer {
    post(node, "/v1/auth/login", &[], json!({"email": email, "password": password})).await
}

async fn alice(node: &TestNode) -> Value {
    assert_eq!(register(node, "alice@example.org", "alice").await.status, 201);
    let answer = login(node, "alice@example.org", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn me(node: &TestNode, token: &Value) -> u16 {
    let header = format!("Bearer {}", token.as_str().expect("a token is text"));
    call(node.http(), "GET", "/v1/me", &[("authorization", &header)], &Value::Null).await.status
}

async fn refresh(node: &TestNode, token: &Value) -> RawAnswer {
    post(node, "/v1/auth/refresh", &[], json!({"refresh_token": token})).await
}

#[tokio::test]
async fn registering_and_logging_in_gives_tokens_that_work() {
    let node = TestNode::start().await;
    let tokens = alice(&node).await;
    assert_eq!(tokens["expires_in"], 600);
    assert_eq!(tokens["user"]["handle"], "alice");
    assert_eq!(me(&node, &tokens["access_token"]).await, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named() {
    let node = TestNode::start().await;
    let good = json!({"email": "a@example.org", "password": PASSWORD, "handle": "abc", "name": "A"});
    for (field, value) in [
        ("email", json!("no address")),
        ("password", json!("seven77")),
        ("password", json!("x".repeat(1025))),
        ("handle", json!("Ab")),
        ("handle", json!("with space")),
        ("name", json!("  ")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = post(&node, "/v1/auth/register", &[], body).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{field}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    assert_eq!(post(&node, "/v1/auth/register", &[], good).await.status, 201);
}

#[tokio::test]
async fn people_behind_one_trusted_proxy_are_limited_each_for_themselves() {
    let node = with(&[
        ("ROOKERY_LIMITS__RELAXED", "false"),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "7168"),
        ("ROOKERY_AUTH__ARGON2_PASSES", "5"),
        ("ROOKERY_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    let register = async |from: &str, number: u32| {
        let body = json!({
            "email": format!("u{number}@example.org"), "password": PASSWORD, "handle": format!("u{number}"),
            "name": "A Name",
        });
        post(&node, "/v1/auth/register", &[("x-forwarded-for", from)], body).await.status
    };
    let mut statuses = Vec::new();
    for number in 100..111 {
        statuses.push(register("198.51.100.7", number).await);
    }
    assert_eq!(statuses, [[201; 10].as_slice(), &[429]].concat());
    assert_eq!(register("198.51.100.8", 111).await, 201);
    // A client that puts another address in front is still the one that the proxy saw.
    assert_eq!(register("203.0.113.1, 198.51.100.7", 112).await, 429);
}

#[tokio::test]
async fn registering_tells_nobody_whether_an_address_has_an_account() {
    let node = TestNode::start().await;
    let first = register(&node, "alice@example.org", "alice").await;
    let second = register(&node, "ALICE@EXAMPLE.ORG".replace("ALICE", "alice").as_str(), "alice2").await;
    assert_eq!((first.status, second.status), (201, 201));
    let shape = |answer: &RawAnswer| {
        let json = answer.json();
        let user = json["user"].as_object().unwrap().clone();
        (json.as_object().unwrap().len(), user.keys().cloned().collect::<Vec<_>>(), answer.body.len())
    };
    // One letter more in the handle, nothing else.
    let (length, keys, bytes) = shape(&first);
    assert_eq!(shape(&second), (length, keys, bytes + 1));
    let names = |answer: &RawAnswer| answer.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    // And the account is still the first one.
    assert_eq!(login(&node, "alice@example.org", PASSWORD).await.json()["user"]["handle"], "alice");
    assert_eq!(register(&node, "other@example.org", "alice").await.problem(), (409, "conflict".to_owned()));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_one_answer() {
    let node = TestNode::start().await;
    alice(&node).await;
    let wrong = login(&node, "alice@example.org", "wrong horse").await;
    let unknown = login(&node, "nobody@example.org", PASSWORD).await;
    assert_eq!(wrong.problem(), (401, "unauthenticated".to_owned()));
    let without_id = |answer: &RawAnswer| {
        let mut json = answer.json();
        json.as_object_mut().unwrap().remove("request_id");
        json
    };
    assert_eq!(without_id(&wrong), without_id(&unknown));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_login() {
    let node = TestNode::start().await;
    let first = alice(&node).await;
    let second = refresh(&node, &first["refresh_token"]).await.json();
    assert_eq!(second["session"], first["session"]);
    assert_eq!(me(&node, &second["access_token"]).await, 200);
    node.pass(Duration::from_secs(10));
    assert_eq!(refresh(&node, &first["refresh_token"]).await.problem(), (401, "unauthenticated".to_owned()));
    assert_eq!(me(&node, &second["access_token"]).await, 401);
    assert_eq!(refresh(&node, &second["refresh_token"]).await.status, 401);
}

#[tokio::test]
async fn logging_out_ends_one_login_at_once() {
    let node = TestNode::start().await;
    let phone = alice(&node).await;
    let laptop = login(&node, "alice@example.org", PASSWORD).await.json();
    let header = format!("Bearer {}", phone["access_token"].as_str().unwrap());
    let answer = post(&node, "/v1/auth/logout", &[("authorization", &header)], Value::Null).await;
    assert_eq!(answer.status, 204);
    assert_eq!(me(&node, &phone["access_token"]).await, 401);
    assert_eq!(refresh(&node, &phone["refresh_token"]).await.status, 401);
    assert_eq!(me(&node, &laptop["access_token"]).await, 200);

    let body = json!({"refresh_token": laptop["refresh_token"]});
    assert_eq!(post(&node, "/v1/auth/logout", &[], body).await.status, 204);
    assert_eq!(me(&node, &laptop["access_token"]).await, 401);
    assert_eq!(post(&node, "/v1/auth/logout", &[], Value::Null).await.status, 401);
}

#[tokio::test]
async fn a_browser_keeps_the_refresh_token_where_no_script_and_no_other_site_gets_it() {
    let node = TestNode::start().await;
    assert_eq!(register(&node, "alice@example.org", "alice").await.status, 201);
    let body = json!({"email": "alice@example.org", "password": PASSWORD, "cookie": true});
    let answer = post(&node, "/v1/auth/login", &[], body).await;
    assert!(answer.json().get("refresh_token").is_none());
    let set = answer.header("set-cookie").unwrap().to_owned();
    let attributes: Vec<_> = set.split("; ").skip(1).collect();
    assert_eq!(attributes, ["Max-Age=2592000", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"]);
    let cookie = set.split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-rookery-refresh="));

    let call_with = async |path: &str, more: &[(&str, &str)]| {
        let headers: Vec<_> = [("cookie", cookie.as_str())].into_iter().chain(more.iter().copied()).collect();
        post(&node, path, &headers, Value::Null).await
    };
    // Other sites, and whoever does not say where it comes from, cannot use the cookie.
    for foreign in [&[][..], &[("sec-fetch-site", "cross-site")], &[("origin", "https://evil.example")]] {
        assert_eq!(call_with("/v1/auth/refresh", foreign).await.problem(), (403, "forbidden".to_owned()));
        assert_eq!(call_with("/v1/auth/logout", foreign).await.problem(), (403, "forbidden".to_owned()));
    }
    let own = [("sec-fetch-site", "same-origin"), ("origin", "http://test")];
    let refreshed = call_with("/v1/auth/refresh", &own).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    assert!(refreshed.json().get("refresh_token").is_none() && refreshed.header("set-cookie").is_some());
    node.pass(Duration::from_secs(10));
    // The old cookie is spent now: the login ends and the browser forgets it.
    let reused = call_with("/v1/auth/refresh", &own).await;
    assert_eq!(reused.status, 401);
    assert!(reused.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_ticket_needs_a_token_and_is_a_secret_of_its_own() {
    let node = TestNode::start().await;
    let tokens = alice(&node).await;
    assert_eq!(post(&node, "/v1/auth/ticket", &[], Value::Null).await.status, 401);
    let header = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let one = post(&node, "/v1/auth/ticket", &[("authorization", &header)], Value::Null).await.json();
    let two = post(&node, "/v1/auth/ticket", &[("authorization", &header)], Value::Null).await.json();
    assert_eq!(one["expires_in"], 30);
    assert_ne!(one["ticket"], two["ticket"]);
    assert_eq!(one["ticket"].as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_told_when_to_go_on() {
    let strict = [
        ("ROOKERY_LIMITS__RELAXED", "false"),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "7168"),
        ("ROOKERY_AUTH__ARGON2_PASSES", "5"),
    ];
    let node = with(&strict).await;
    for _ in 0..10 {
        assert_eq!(login(&node, "alice@example.org", "guess guess").await.status, 401);
    }
    let refused = login(&node, "alice@example.org", "guess guess").await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"login-account\";q=10;w=300"));
    assert_eq!(refused.header("ratelimit"), Some("\"login-account\";r=0;t=30"));
    // Others of the same address still may.
    assert_eq!(login(&node, "bob@example.org", "guess guess").await.status, 401);
}

#[tokio::test]
async fn a_store_that_refuses_is_told_and_nothing_is_half_done() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(store.clone()).await;
    let tokens = alice(&node).await;
    store.refuse_all("the disk is full");
    assert_eq!(
        register(&node, "bob@example.org", "bob").await.problem(),
        (503, "store_unavailable".to_owned())
    );
    let refused = refresh(&node, &tokens["refresh_token"]).await;
    assert_eq!(refused.problem(), (503, "store_unavailable".to_owned()));
    assert!(refused.header("retry-after").is_some());
    store.heal();
    // The token was not spent by the try that failed.
    assert_eq!(refresh(&node, &tokens["refresh_token"]).await.status, 200);
    assert_eq!(register(&node, "bob@example.org", "bob").await.status, 201);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_settled_before_the_client_hears() {
    // Half of all writes are answered "unknown", applied or not.
    let faults = Faults { lost: 0.25, unheard: 0.25, ..Faults::default() };
    for seed in 0..8 {
        let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), seed, faults));
        let node = TestNode::over(store.clone()).await;
        let mut registered = register(&node, "alice@example.org", "alice").await;
        while registered.status == 503 {
            registered = register(&node, "alice@example.org", "alice").await;
        }
        // Tried again with other ids, an account that was made meanwhile has its handle already.
        assert!([201, 409].contains(&registered.status), "seed {seed}: {}", registered.text());
        let account = store.inner().account_by_email("alice@example.org").await.unwrap();
        assert_eq!(account.unwrap().user.handle, "alice", "seed {seed}");
        let mut tokens = login(&node, "alice@example.org", PASSWORD).await;
        while tokens.status == 503 {
            tokens = login(&node, "alice@example.org", PASSWORD).await;
        }
        let refreshed = refresh(&node, &tokens.json()["refresh_token"]).await;
        // A rotation is sent again with the same successor, so it is never taken for a reuse.
        assert!([200, 503].contains(&refreshed.status), "seed {seed}: {}", refreshed.text());
    }
}
