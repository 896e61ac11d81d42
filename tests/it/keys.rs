//! The keys that sign access tokens change under a server that runs, and nobody is refused for it.

use crate::folder::Folder;
use crate::http::call;
use rookery_tests::server::{Server, rookery};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Runs `rookery keys` on a data folder, and returns what it prints.
fn keys(data_dir: &Path, action: &[&str]) -> String {
    let output = rookery().arg("keys").args(action).arg("--data-dir").arg(data_dir).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

async fn me(server: &Server, token: &str) -> u16 {
    let header = format!("Bearer {token}");
    call(server.http, "GET", "/v1/me", &[("authorization", &header)], &Value::Null).await.status
}

/// Logs alice in.
async fn login(server: &Server) -> String {
    let body = json!({"email": "alice@example.org", "password": Server::PASSWORD});
    let answer = call(server.http, "POST", "/v1/auth/login", &[], &body).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Waits until something is so; a test in which it never is does not end well.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .unwrap_or_else(|_| panic!("it never came to be: {what}"));
}

/// Names the published keys.
async fn published(server: &Server) -> Vec<String> {
    let answer = call(server.http, "GET", "/.well-known/jwks.json", &[], &Value::Null).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let set = answer.json();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"]),
            (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
        );
        assert!(key.get("d").is_none(), "the private half stays here");
        key["kid"].as_str().unwrap().to_owned()
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_and_no_token_is_refused() {
    let folder = Folder::new("keys");
    let server = Server::start(&folder.0, &[]);
    let mut tokens = vec![server.user("alice")];
    let first = published(&server).await;
    assert_eq!(first.len(), 1);

    let said = keys(&folder.0, &["rotate", "--in", "2s"]);
    let next = said.split(' ').next().unwrap().to_owned();
    server.hang_up();
    until("the next key is published", async || published(&server).await.len() == 2).await;
    assert!(keys(&folder.0, &["list"]).contains(&format!("{next} from ")));
    // Whichever key signed it, a token is good from its first moment on, and so are all before it.
    until("the next key signs", async || {
        tokens.push(login(&server).await);
        for token in &tokens {
            assert_eq!(me(&server, token).await, 200);
        }
        published(&server).await[0] == next
    })
    .await;
    tokens.push(login(&server).await);
    assert_eq!(
        published(&server).await.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([first[0].clone(), next])
    );

    // The first one may have signed a moment ago, so it stays, over a restart too.
    assert!(keys(&folder.0, &["prune"]).starts_with("0 keys dropped"));
    let server = server.kill_and_restart();
    for token in &tokens {
        assert_eq!(me(&server, token).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_key_that_is_taken_away_are_refused_at_once() {
    let folder = Folder::new("keys-away");
    let server = Server::start(&folder.0, &[]);
    let token = server.user("alice");
    assert_eq!(me(&server, &token).await, 200);
    let first = published(&server).await;
    std::fs::remove_file(folder.at("signing.key")).unwrap();
    keys(&folder.0, &["rotate", "--now"]);
    server.hang_up();
    until("the key is another one", async || published(&server).await != first).await;
    assert_eq!(me(&server, &token).await, 401);
    assert_eq!(me(&server, &login(&server).await).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_read_change_nothing() {
    let folder = Folder::new("keys-broken");
    let server = Server::start(&folder.0, &[]);
    let token = server.user("alice");
    let text = std::fs::read_to_string(folder.at("signing.key")).unwrap();
    std::fs::write(folder.at("signing.key"), format!("{text}no key\n")).unwrap();
    server.hang_up();
    until("it says so", async || server.log().iter().any(|line| line.contains("line 2"))).await;
    assert!(!server.log().iter().any(|line| line.contains(text.trim())), "a key is in no line");
    assert_eq!(me(&server, &token).await, 200);
}
