//! Everything about a user, given out and taken away: nothing of what it said is left in any file of the store.

use crate::chat::{name, text};
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::group;
use rookery_api::SigningKeys;
use rookery_tests::node::TestNode;
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// What is looked for, in whatever the user says, is called and sends.
const CANARY: &str = "canaryzwitscher";

/// Asks the operators' listener what must be done.
async fn ask(admin: SocketAddr, token: &str, method: &str, path: &str, body: &Value) -> Value {
    let header = format!("Bearer {token}");
    let answer = call(admin, method, path, &[("authorization", &header)], body).await;
    assert!(answer.status < 300, "{method} {path}: {}", answer.text());
    answer.json()
}

/// Waits until a job is done, and returns it.
pub(super) async fn done(admin: SocketAddr, token: &str, id: &Value) -> Value {
    let path = format!("/admin/jobs/{}", id.as_str().unwrap());
    for _ in 0..600 {
        let job = ask(admin, token, "GET", &path, &Value::Null).await;
        if job["done_at"].is_number() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the job is not done in a minute");
}

/// Returns the files under `folder` in which `canary` stands.
fn found(folder: &Path, canary: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What was mailed has left the house.
        if path.ends_with("outbox") {
            continue;
        }
        if path.is_dir() {
            found.extend(self::found(&path, canary));
            continue;
        }
        // A file may go while it is looked for.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        if bytes.windows(canary.len()).any(|window| window.eq_ignore_ascii_case(canary.as_bytes())) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn an_archive_has_everything_that_a_user_wrote_and_sent() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = crate::rooms::two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    crate::chat::say(&mut a, &room, CANARY).await;
    crate::chat::say(&mut b, &room, "not hers").await;
    let begun = super::operate(
        &node,
        "POST",
        &format!("/admin/users/{}/export", alice.id()),
        json!({ "reason": "she has asked" }),
    )
    .await;
    let job = done(node.admin(), node.operator(), &begun["id"]).await;
    let path = format!("/admin/jobs/{}/archive", begun["id"].as_str().unwrap());
    let header = format!("Bearer {}", node.operator());
    let mut raw = crate::http::Raw::connect(node.admin()).await;
    let headers = [("authorization", &*header), ("connection", "close")];
    raw.request("GET", &path, &headers, &Value::Null).await;
    let answer = raw.answer().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut archive = answer.body;
    while let Some(chunk) = raw.chunk().await {
        archive.extend(chunk);
    }
    assert_eq!(job["count"].as_u64().unwrap(), archive.len() as u64);
    let archive = String::from_utf8(archive).unwrap();
    let lines: Vec<Value> = archive.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parts = |part: &str| lines.iter().filter(|line| line["part"] == part).count();
    assert_eq!((parts("archive"), parts("account"), parts("login"), parts("end")), (1, 1, 1, 1));
    assert!(archive.contains(CANARY) && archive.contains("alice@example.org"));
    assert!(!archive.contains("not hers") && !archive.contains("bob@example.org"));
    assert!(lines.iter().any(|line| line["event"]["body"]["text"] == CANARY), "what she said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_user_leaves_nothing_in_the_store_even_through_kills() {
    let folder = Folder::new("erased");
    let mut server = Server::start(&folder.0, &[]);
    let register = json!({
        "email": format!("{CANARY}@example.org"), "password": Server::PASSWORD,
        "handle": CANARY, "name": format!("Name {CANARY}"),
    });
    let registered = call(server.http, "POST", "/v1/auth/register", &[], &register).await;
    assert!(registered.status < 300, "{}", registered.text());
    let login = json!({
        "email": format!("{CANARY}@example.org"), "password": Server::PASSWORD, "device": { "name": CANARY },
    });
    let login = call(server.http, "POST", "/v1/auth/login", &[], &login).await.json();
    let (token, user) = (login["access_token"].as_str().unwrap(), login["user"]["id"].clone());
    let bob = server.user("bob");
    let mut b = Wire::log_in(server.http, &bob).await;
    let mut a = Wire::log_in(server.http, token).await;
    let room = group(&mut b, "Tea", &[]).await;
    b.ok("member.add", json!({ "room": room, "users": [user] })).await;
    b.ok("room.open", json!({ "room": room })).await;
    a.ok("profile.update", json!({ "about": format!("I am {CANARY}") })).await;
    let header = format!("Bearer {token}");
    let authorized = [("authorization", header.as_str())];
    let content = json!(format!("a file of {CANARY}"));
    let announced = json!({ "name": format!("{CANARY}.txt"), "size": content.to_string().len() });
    let file = call(server.http, "POST", "/v1/uploads", &authorized, &announced).await.json();
    let path = file["upload_url"].as_str().unwrap();
    let file = call(server.http, "PUT", path, &authorized, &content).await.json();
    let mut sent = Vec::new();
    for number in 0..300 {
        let mut body = text(&format!("{CANARY} {number}"));
        if number == 7 {
            body["attachments"] = json!([file]);
        }
        let draft = json!({ "room": room, "client_id": name(), "body": body });
        sent.push(a.ok("message.send", draft).await["seq"].as_u64().unwrap());
    }
    let edit = json!({
        "room": room, "client_id": name(), "target": sent[0], "body": text(&format!("edited {CANARY}")),
    });
    a.ok("message.edit", edit).await;
    assert!(!found(&folder.0, CANARY).is_empty(), "it is found while it is there");

    let key = SigningKeys::open(&folder.0.join("signing.key")).unwrap();
    let operator = secrecy::ExposeSecret::expose_secret(&key.operator_token().unwrap()).to_owned();
    let path = format!("/admin/users/{}/erase", user.as_str().unwrap());
    let asked = json!({ "reason": "it was asked for" });
    let begun = ask(server.admin, &operator, "POST", &path, &asked).await;
    // Killed again and again while it goes on.
    for _ in 0..2 {
        let before = b.ok("room.get", json!({ "room": room })).await["head"]["seq"].as_u64().unwrap();
        for _ in 0..100 {
            let now = b.ok("room.get", json!({ "room": room })).await["head"]["seq"].as_u64().unwrap();
            if now > before + 20 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server = server.kill_and_restart();
        b = Wire::log_in(server.http, &bob).await;
    }
    let job = done(server.admin, &operator, &begun["id"]).await;
    assert!(job["trouble"].is_null(), "{job}");

    // Its positions are there, without what it said, and the log has no gap.
    let page = b.ok("room.history", json!({ "room": room, "around": sent[7], "limit": 10 })).await;
    let there: Vec<_> = page["messages"].as_array().unwrap().iter().collect();
    assert!(there.iter().all(|message| message["body"] == json!({})), "{page}");
    assert!(there.iter().any(|message| message["seq"] == sent[7] && message["by"] == user));
    let profile = b.ok("user.get", json!({ "user": user })).await;
    assert_eq!(profile["name"], "Deleted account");
    let hits = b.ok("message.search", json!({ "query": CANARY })).await;
    assert_eq!(hits["messages"], json!([]));
    assert!(!format!("{profile}{page}").contains(CANARY));
    let gone = json!({ "email": format!("{CANARY}@example.org"), "password": Server::PASSWORD });
    assert_eq!(call(server.http, "POST", "/v1/auth/login", &[], &gone).await.status, 401);

    // The bytes of the file go with the next round of the janitor.
    let bytes = folder.0.join("files");
    let is_gone = || !bytes.exists() || found(&bytes, CANARY).is_empty();
    for _ in 0..300 {
        if is_gone() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // At its end the process folds the write-ahead log into the database.
    assert_eq!(server.terminate(), 0);
    assert_eq!(found(&folder.0, CANARY), [""; 0]);
}
