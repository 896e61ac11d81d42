//! A user taken out: nothing of what it said, sent or was called is left in any file of the store.

use super::archive::send_file;
use super::{because, operate};
use crate::chat::{name, text};
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::group;
use rookery_api::SigningKeys;
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What is looked for, in whatever the user says, is called and sends.
pub(super) const CANARY: &str = "canaryzwitscher";

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

/// Has a user of a node erased.
pub(crate) async fn erase(node: &TestNode, user: &str) {
    let begun = operate(node, "POST", &format!("/admin/users/{user}/erase"), because("asked for")).await;
    let job = done(node.admin(), node.operator(), &begun["id"]).await;
    assert!(job["trouble"].is_null(), "{job}");
}

/// Returns the files under `folder` in which `canary` stands.
pub(crate) fn found(folder: &Path, canary: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
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

/// A server with bob, who stays, and somebody who is everywhere and will go.
struct Stage {
    folder: Folder,
    server: Server,
    operator: String,
    bob: String,
    room: Value,
    /// Who goes: its id and its token.
    user: Value,
    token: String,
    /// The positions of what it said.
    sent: Vec<u64>,
    /// What bob said with a file of it, and the file.
    forwarded: (u64, String),
}

/// Asks the public listener what must be done.
async fn request(http: SocketAddr, token: &str, method: &str, path: &str, body: Value) -> Value {
    let header = format!("Bearer {token}");
    let answer = call(http, method, path, &[("authorization", &header)], &body).await;
    assert!(answer.status < 300, "{method} {path}: {}", answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

impl Stage {
    async fn new() -> Self {
        let folder = Folder::new("erased");
        let server = Server::start(&folder.0, &[]);
        let key = SigningKeys::open(&folder.0.join("signing.key")).unwrap();
        let operator = key.operator_token().unwrap().expose_secret().to_owned();
        let email = format!("{CANARY}@example.org");
        let register = json!({
            "email": email, "password": Server::PASSWORD, "handle": CANARY, "name": format!("Name {CANARY}"),
        });
        let registered = call(server.http, "POST", "/v1/auth/register", &[], &register).await;
        assert!(registered.status < 300, "{}", registered.text());
        let login = json!({ "email": email, "password": Server::PASSWORD, "device": { "name": CANARY } });
        let login = call(server.http, "POST", "/v1/auth/login", &[], &login).await.json();
        let token = login["access_token"].as_str().unwrap().to_owned();
        let bob = server.user("bob");
        let mut b = Wire::log_in(server.http, &bob).await;
        let room = group(&mut b, "Tea", &[]).await;
        b.ok("member.add", json!({ "room": room, "users": [login["user"]["id"]] })).await;
        let (user, sent, forwarded) = (login["user"]["id"].clone(), Vec::new(), (0, String::new()));
        Self { folder, server, operator, bob, room, user, token, sent, forwarded }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        request(self.server.http, &self.token, "POST", path, body).await
    }

    /// Has the user say, send and set what it can.
    async fn live(&mut self) {
        let http = self.server.http;
        let mut a = Wire::log_in(http, &self.token).await;
        a.ok("profile.update", json!({ "about": format!("I am {CANARY}") })).await;
        let content = json!(format!("a file of {CANARY}"));
        let file = send_file(http, &self.token, &format!("{CANARY}.txt"), &content).await;
        let passed_on = send_file(http, &self.token, "notes.txt", &content).await;
        for number in 0..300 {
            let mut body = text(&format!("{CANARY} {number}"));
            match number {
                7 => body["attachments"] = json!([file]),
                8 => body["attachments"] = json!([passed_on]),
                _ => {}
            }
            let draft = json!({ "room": self.room, "client_id": name(), "body": body });
            self.sent.push(a.ok("message.send", draft).await["seq"].as_u64().unwrap());
        }
        let edited = text(&format!("edited {CANARY}"));
        let edit = json!({ "room": self.room, "client_id": name(), "target": self.sent[0], "body": edited });
        a.ok("message.edit", edit).await;

        // Somebody else sends a file on.
        let mut b = Wire::log_in(http, &self.bob).await;
        let mut body = text("look at this");
        body["attachments"] = json!([passed_on]);
        let draft = json!({ "room": self.room, "client_id": name(), "body": body });
        let seq = b.ok("message.send", draft).await["seq"].as_u64().unwrap();
        self.forwarded = (seq, passed_on["id"].as_str().unwrap().to_owned());

        // It was called otherwise before, has a second factor, has a letter and its secret, and reports.
        for handle in [format!("{CANARY}.two"), format!("{CANARY}.three")] {
            a.ok("profile.update", json!({ "handle": handle })).await;
        }
        let begun = self.post("/v1/me/factor", json!({ "password": Server::PASSWORD })).await;
        assert!(begun["secret"].is_string());
        let email = format!("{CANARY}@example.org");
        self.post("/v1/auth/password/forgot", json!({ "email": email })).await;
        let outbox = self.folder.0.join("outbox");
        for _ in 0..200 {
            if outbox.exists() && !found(&outbox, CANARY).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!found(&outbox, CANARY).is_empty(), "the letter was written");
        let said = json!({ "room": self.room, "seq": self.forwarded.0, "reason": format!("says {CANARY}") });
        self.post("/v1/reports", said).await;
        // What others say about it, and what admins have done, who give it no name.
        let about = json!({ "room": self.room, "seq": self.sent[3], "reason": format!("it is {CANARY}") });
        request(http, &self.bob, "POST", "/v1/reports", about).await;
        let path = format!("/admin/users/{}", self.user.as_str().unwrap());
        self.operate("GET", &format!("/admin/users?query={CANARY}"), Value::Null).await;
        let begun = self.operate("POST", &format!("{path}/export"), because("asked for")).await;
        done(self.server.admin, &self.operator, &begun["id"]).await;
        self.operate("PUT", &format!("{path}/ban"), because("spam")).await;
        self.operate("DELETE", &format!("{path}/ban"), because("no spam")).await;
    }

    async fn operate(&self, method: &str, path: &str, body: Value) -> Value {
        ask(self.server.admin, &self.operator, method, path, &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_user_leaves_nothing_in_the_store_even_through_kills() {
    let mut stage = Stage::new().await;
    stage.live().await;
    assert!(!found(&stage.folder.0, CANARY).is_empty(), "it is found while it is there");
    let path = format!("/admin/users/{}/erase", stage.user.as_str().unwrap());
    let begun = stage.operate("POST", &path, because("it was asked for")).await;
    let Stage { folder, mut server, operator, bob, room, user, sent, forwarded, .. } = stage;
    let mut b = Wire::log_in(server.http, &bob).await;
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

    // What somebody else sent on says what it said, and its file is as one that is garbage: not there.
    let (seq, file) = forwarded;
    let kept = crate::chat::shown(&mut b, &room, seq).await;
    let told = (&kept["body"]["text"], &kept["body"]["attachments"][0]["id"]);
    assert_eq!(told, (&json!("look at this"), &json!(file)));
    let header = format!("Bearer {bob}");
    let get = async || {
        let path = format!("/v1/files/{file}");
        call(server.http, "GET", &path, &[("authorization", &header)], &Value::Null).await.status
    };
    assert_eq!(get().await, 404);

    // The bytes of files go with the next round of the janitor.
    let bytes = folder.0.join("files");
    for _ in 0..300 {
        if !bytes.exists() || found(&bytes, CANARY).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // At its end the process folds the write-ahead log into the database.
    assert_eq!(server.terminate(), 0);
    assert_eq!(found(&folder.0, CANARY), [""; 0]);
}

#[tokio::test]
async fn letters_that_wait_are_taken_back_from_whoever_is_erased_and_from_nobody_else() {
    let store = Arc::new(rookery_engine::MemoryStore::new());
    // A mail server that is not there, so that they wait.
    let settings = vec![
        ("ROOKERY_MAIL__TRANSPORT", "smtp"),
        ("ROOKERY_MAIL__SMTP_HOST", "127.0.0.1"),
        ("ROOKERY_MAIL__SMTP_PORT", "9"),
    ];
    let options = TestNodeOptions { store: Arc::clone(&store) as _, settings, ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    node.user("bob").await;
    for handle in ["alice", "bob"] {
        let body = json!({ "email": format!("{handle}@example.org") });
        let asked = call(node.http(), "POST", "/v1/auth/password/forgot", &[], &body).await;
        assert!(asked.status < 300, "{}", asked.text());
    }
    let waiting = async || {
        let letters =
            rookery_engine::store::Mails::mails_due(&*store, rookery_protocol::Timestamp(i64::MAX), 10);
        letters.await.unwrap().iter().map(|mail| mail.letter.clone()).collect::<String>()
    };
    assert!(waiting().await.contains("alice@") && waiting().await.contains("bob@"));
    erase(&node, &alice.id().to_string()).await;
    let left = waiting().await;
    assert!(!left.contains("alice@") && left.contains("bob@"), "{left}");
}
