//! The second factor, over the wire: set up, asked for, met once, taken off.

mod sealed;

use crate::http::{RawAnswer, call, with};
use rookery_tests::node::{PASSWORD, TestNode};
use serde_json::{Value, json};
use std::time::Duration;
use totp_rs::{Builder, Secret, Totp};

/// An app that knows one secret.
pub(crate) struct App(Totp);

impl App {
    /// Returns the code that it shows at the node's present.
    fn code(&self, node: &TestNode) -> String {
        self.0.generate(u64::try_from(node.now().0 / 1000).unwrap()).to_string()
    }

    /// Returns what it knows, in base32.
    fn secret(&self) -> String {
        self.0.secret().to_base32()
    }

    /// Returns the next code: the one of half a minute later.
    pub(crate) fn next(&self, node: &TestNode) -> String {
        node.advance(Duration::from_secs(30));
        self.code(node)
    }

    fn wrong(&self, node: &TestNode) -> String {
        let near: Vec<_> = (-2..=2)
            .map(|late| self.0.generate(u64::try_from(node.now().0 / 1000 + late * 30).unwrap()).to_string())
            .collect();
        (0..=near.len()).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

async fn post(node: &TestNode, path: &str, token: &str, body: Value) -> RawAnswer {
    let header = format!("Bearer {token}");
    let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("authorization", &header)] };
    call(node.http(), "POST", path, headers, &body).await
}

async fn standing(node: &TestNode, token: &str) -> Value {
    let header = format!("Bearer {token}");
    call(node.http(), "GET", "/v1/me/factor", &[("authorization", &header)], &Value::Null).await.json()
}

/// Begins a login of alice with her password.
async fn log_in(node: &TestNode) -> RawAnswer {
    let body = json!({"email": "alice@example.org", "password": PASSWORD, "device": {"name": "laptop"}});
    post(node, "/v1/auth/login", "", body).await
}

/// Begins a login that is asked for a code, and returns what names it.
async fn challenge(node: &TestNode) -> String {
    let answer = log_in(node).await;
    assert_eq!(answer.status, 202);
    let body = answer.json();
    assert!(body.get("access_token").is_none() && body["expires_in"] == 300, "{body}");
    body["challenge"].as_str().unwrap().to_owned()
}

async fn meet(node: &TestNode, challenge: &str, code: &str) -> RawAnswer {
    post(node, "/v1/auth/login/factor", "", json!({"challenge": challenge, "code": code})).await
}

/// Sets a second factor up for alice; returns her token, the app and the recovery codes.
pub(crate) async fn set_up(node: &TestNode) -> (String, App, Vec<String>) {
    let token = node.user("alice").await.token().to_owned();
    let begun = post(node, "/v1/me/factor", &token, json!({ "password": PASSWORD })).await;
    assert_eq!(begun.status, 201);
    let secret = begun.json()["secret"].as_str().unwrap().to_owned();
    let address = begun.json()["address"].as_str().unwrap().to_owned();
    assert!(address.starts_with("otpauth://totp/Rookery:alice?secret=") && address.contains(&secret));
    let app = App(Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap());
    let confirmed = post(node, "/v1/me/factor/confirm", &token, json!({ "code": app.code(node) })).await;
    assert_eq!(confirmed.status, 200);
    let codes = confirmed.json()["recovery_codes"].as_array().unwrap().clone();
    (token, app, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_login_asks_for_a_code_once_the_factor_is_confirmed() {
    let node = TestNode::start().await;
    let token = node.user("alice").await.token().to_owned();
    let begun = post(&node, "/v1/me/factor", &token, json!({ "password": PASSWORD })).await;
    assert_eq!((begun.status, log_in(&node).await.status), (201, 200), "begun is not on");
    assert_eq!(standing(&node, &token).await, json!({"recovery_codes": 0}));
    let refused = post(&node, "/v1/me/factor/confirm", &token, json!({"code": "000000x"})).await;
    assert_eq!(refused.problem(), (403, "forbidden".to_owned()));
    // Ten minutes, and it is over.
    node.advance(Duration::from_secs(590));
    let late = node.login("alice").await.token().to_owned();
    node.advance(Duration::from_secs(11));
    let gone = post(&node, "/v1/me/factor/confirm", &late, json!({"code": "123456"})).await;
    assert_eq!(gone.problem().0, 404);

    let other = TestNode::start().await;
    let (token, app, codes) = set_up(&other).await;
    assert_eq!(codes.len(), 10);
    for code in &codes {
        // Five bits a character: more than 128.
        let characters = code.chars().filter(|c| c.is_ascii_lowercase() || ('2'..='7').contains(c)).count();
        assert_eq!((characters, code.len()), (28, 31), "four groups with hyphens between them");
    }
    let on = standing(&other, &token).await;
    assert_eq!((&on["on_since"], &on["recovery_codes"]), (&json!(other.now().0), &json!(10)));
    let waiting = challenge(&other).await;
    let tokens = meet(&other, &waiting, &app.next(&other)).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(tokens.json()["user"]["handle"], "alice");
    assert_eq!(meet(&other, &waiting, &app.next(&other)).await.problem().0, 404, "it was met");
    let again = post(&other, "/v1/me/factor", &token, json!({ "password": PASSWORD })).await;
    assert_eq!(again.problem(), (409, "conflict".to_owned()));
}

#[tokio::test]
async fn a_code_is_good_once_and_of_many_at_once_for_one() {
    let node = TestNode::start().await;
    let (_, app, codes) = set_up(&node).await;
    let same = challenge(&node).await;
    assert_eq!(meet(&node, &same, &app.code(&node)).await.problem().0, 401, "it has confirmed the factor");
    for code in [app.next(&node), codes[3].clone()] {
        let mut waiting = Vec::new();
        for _ in 0..10 {
            waiting.push(challenge(&node).await);
        }
        let tries = waiting.iter().map(|challenge| meet(&node, challenge, &code));
        let answers = futures_util::future::join_all(tries).await;
        let met = answers.iter().filter(|answer| answer.status == 200).count();
        let refused = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!((met, refused), (1, 9), "{code}");
    }
    // An earlier code than the last one is not good either, though its time has not passed.
    let (earlier, later) = (app.next(&node), app.next(&node));
    assert_eq!(meet(&node, &challenge(&node).await, &later).await.status, 200);
    assert_eq!(meet(&node, &challenge(&node).await, &earlier).await.problem().0, 401);
}

#[tokio::test]
async fn a_challenge_takes_five_codes_and_five_minutes_and_one_password() {
    let node = TestNode::start().await;
    let (_, app, _) = set_up(&node).await;
    let waiting = challenge(&node).await;
    let wrong = app.wrong(&node);
    let tries = (0..20).map(|_| meet(&node, &waiting, &wrong));
    let answers = futures_util::future::join_all(tries).await;
    assert!(answers.iter().all(|answer| [401, 404].contains(&answer.status)));
    while meet(&node, &waiting, &wrong).await.status == 401 {}
    assert_eq!(meet(&node, &waiting, &app.next(&node)).await.problem().0, 404, "it was tried too often");

    let waiting = challenge(&node).await;
    node.advance(Duration::from_secs(300));
    assert_eq!(meet(&node, &waiting, &app.next(&node)).await.problem().0, 404, "it is over");
    assert_eq!(meet(&node, "no such thing", &app.code(&node)).await.problem().0, 404);
}

#[tokio::test]
async fn recovery_codes_are_good_once_each_and_are_renewed() {
    let node = TestNode::start().await;
    let (token, app, codes) = set_up(&node).await;
    for code in [codes[0].clone(), codes[1].to_uppercase().replace('-', " ")] {
        assert_eq!(meet(&node, &challenge(&node).await, &code).await.status, 200, "{code}");
        assert_eq!(meet(&node, &challenge(&node).await, &code).await.problem().0, 401, "{code}");
    }
    assert_eq!(standing(&node, &token).await["recovery_codes"], 8);
    let renew = async |code: &str| {
        post(&node, "/v1/me/factor/recovery", &token, json!({"password": PASSWORD, "code": code})).await
    };
    assert_eq!(renew(&app.wrong(&node)).await.problem().0, 403);
    let renewed = renew(&app.next(&node)).await.json();
    assert_eq!(renewed["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(meet(&node, &challenge(&node).await, &codes[2]).await.problem().0, 401);
    let new = renewed["recovery_codes"][0].as_str().unwrap();
    assert_eq!(meet(&node, &challenge(&node).await, new).await.status, 200);
}

#[tokio::test]
async fn it_is_taken_off_with_the_password_and_a_code() {
    let node = TestNode::start().await;
    let (token, app, _) = set_up(&node).await;
    let disable = async |password: &str, code: &str| {
        post(&node, "/v1/me/factor/disable", &token, json!({"password": password, "code": code})).await
    };
    let code = app.next(&node);
    assert_eq!(disable("another password", &code).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(disable(PASSWORD, &app.wrong(&node)).await.problem().0, 403);
    assert_eq!(disable("", &code).await.problem().0, 403);
    assert_eq!(challenge(&node).await.len(), 43, "it is still on");
    // A code that came with a wrong password was not spent.
    assert_eq!(disable(PASSWORD, &code).await.status, 204);
    assert_eq!(disable(PASSWORD, &app.next(&node)).await.problem().0, 404);
    assert_eq!(standing(&node, &token).await, json!({"recovery_codes": 0}));
    assert_eq!(log_in(&node).await.status, 200);
    // And set up anew, by another secret.
    let begun = post(&node, "/v1/me/factor", &token, json!({ "password": PASSWORD })).await;
    assert_eq!(begun.status, 201);
    let wrong = post(&node, "/v1/me/factor", &token, json!({"password": "another password"})).await;
    assert_eq!(wrong.problem().0, 403);
}

#[tokio::test]
async fn codes_are_limited_by_account() {
    let node = with(&[
        ("ROOKERY_LIMITS__RELAXED", "false"),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "7168"),
        ("ROOKERY_AUTH__ARGON2_PASSES", "5"),
    ])
    .await;
    let (_, app, codes) = set_up(&node).await;
    let waiting = challenge(&node).await;
    // Two tries have set it up.
    for _ in 0..3 {
        assert_eq!(meet(&node, &waiting, &app.wrong(&node)).await.problem().0, 401);
    }
    let refused = meet(&node, &waiting, &codes[0]).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert!(refused.header("ratelimit-policy").unwrap().starts_with("\"factor-account\""));
    node.advance(Duration::from_secs(120));
    assert_eq!(meet(&node, &waiting, &codes[0]).await.status, 200);
}
