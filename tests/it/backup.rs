//! The real binary: backed up while it serves, killed, restored elsewhere, and nobody notices.

use crate::folder::Folder;
use crate::http::{Raw, call};
use crate::rooms::fresh;
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

/// Somebody with a login.
struct Person {
    id: Value,
    token: String,
    refresh: Value,
}

impl Person {
    async fn register(server: SocketAddr, name: &str) -> Self {
        let (email, password) = (format!("{name}@example.org"), "correct horse battery");
        let register = json!({ "email": email, "password": password, "handle": name, "name": name });
        let made = call(server, "POST", "/v1/auth/register", &[], &register).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let login = json!({ "email": email, "password": password });
        let login = call(server, "POST", "/v1/auth/login", &[], &login).await.json();
        let token = login["access_token"].as_str().unwrap().to_owned();
        let me = get(server, &token, "/v1/me").await;
        Self { id: me["id"].clone(), token, refresh: login["refresh_token"].clone() }
    }

    /// Goes on with its login, which it can do once.
    async fn refresh(&mut self, server: SocketAddr) {
        let refresh = json!({ "refresh_token": self.refresh });
        let login = call(server, "POST", "/v1/auth/refresh", &[], &refresh).await;
        assert_eq!(login.status, 200, "{}", login.text());
        let login = login.json();
        login["access_token"].as_str().unwrap().clone_into(&mut self.token);
        self.refresh = login["refresh_token"].clone();
    }
}

async fn get(server: SocketAddr, token: &str, path: &str) -> Value {
    let found =
        call(server, "GET", path, &[("authorization", &format!("Bearer {token}"))], &Value::Null).await;
    assert_eq!(found.status, 200, "{path}: {}", found.text());
    found.json()
}

async fn upload(server: SocketAddr, token: &str, content: &[u8]) -> Value {
    let bearer = format!("Bearer {token}");
    let announced = json!({ "name": "tea.txt", "size": content.len() });
    let begun = call(server, "POST", "/v1/uploads", &[("authorization", &bearer)], &announced).await.json();
    let mut raw = Raw::connect(server).await;
    let id = begun["id"].as_str().unwrap();
    let length = content.len();
    raw.send(format!(
        "PUT /v1/uploads/{id} HTTP/1.1\r\nhost: t\r\nauthorization: {bearer}\r\ncontent-length: {length}\r\n\r\n"
    ))
    .await;
    raw.send(content).await;
    let answer = raw.answer().await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn bytes(server: SocketAddr, token: &str, file: &Value) -> Vec<u8> {
    let path = format!("/v1/files/{}", file["id"].as_str().unwrap());
    let bearer = format!("Bearer {token}");
    let found = call(server, "GET", &path, &[("authorization", &bearer)], &Value::Null).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.body
}

fn named(mut draft: Value) -> Value {
    draft["client_id"] = json!(uuid::Uuid::from_u128(fresh()));
    draft
}

/// Runs `rookery` with these arguments on the data in `dir`.
fn run(dir: &Path, arguments: &[&str]) -> Output {
    rookery().args(arguments).arg("--data-dir").arg(dir).stdin(Stdio::null()).output().unwrap()
}

fn done(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

fn failed(output: &Output, why: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(why), "{told}");
}

/// A server with a story in it.
struct Talk {
    alice: Person,
    bob: Person,
    room: Value,
    file: Value,
    content: Vec<u8>,
}

impl Talk {
    async fn tell(server: SocketAddr) -> Self {
        let (alice, bob) = (Person::register(server, "alice").await, Person::register(server, "bob").await);
        let carol = Person::register(server, "carol").await;
        let mut a = Wire::log_in(server, &alice.token).await;
        let mut b = Wire::log_in(server, &bob.token).await;
        let group = json!({ "kind": "group", "title": "Tea", "members": [bob.id, carol.id] });
        let room = a.ok("room.create", named(group)).await["id"].take();
        let content = b"the kettle is on\n".repeat(20_000);
        let file = upload(server, &alice.token, &content).await;
        let say = |text: &str| named(json!({ "room": room, "body": { "kind": "text", "text": text } }));
        let first = a.ok("message.send", say("first")).await["seq"].clone();
        let second = a.ok("message.send", say("second")).await["seq"].clone();
        let body = json!({ "kind": "document", "attachments": [file], "mentions": [bob.id] });
        a.ok("message.send", named(json!({ "room": room, "body": body }))).await;
        b.ok("room.open", json!({ "room": room })).await;
        let edit = json!({ "room": room, "target": first, "body": { "kind": "text", "text": "the first" } });
        a.ok("message.edit", named(edit)).await;
        a.ok("message.delete", named(json!({ "room": room, "target": second }))).await;
        let reaction = json!({ "room": room, "target": first, "emoji": "\u{2615}", "on": true });
        b.ok("reaction.set", named(reaction)).await;
        b.ok("read.mark", json!({ "room": room, "seq": first })).await;
        a.ok("member.remove", named(json!({ "room": room, "user": carol.id }))).await;
        Self { alice, bob, room, file, content }
    }

    /// What both see: pages, lists with unread messages, who has read how far.
    async fn seen(&self, server: SocketAddr) -> Vec<Value> {
        let mut seen = Vec::new();
        for person in [&self.alice, &self.bob] {
            let room = self.room.as_str().unwrap();
            for path in
                [format!("/v1/rooms/{room}/messages"), format!("/v1/rooms/{room}"), "/v1/rooms".to_owned()]
            {
                seen.push(get(server, &person.token, &path).await);
            }
        }
        seen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_backed_up_while_it_serves_goes_on_elsewhere_and_nobody_notices() {
    let folder = Folder::new("backup");
    let (here, there, backup) = (folder.at("here"), folder.at("there"), folder.at("a.backup"));
    let file = backup.to_str().unwrap();
    let server = Server::start(&here, &[]);
    let mut talk = Talk::tell(server.http).await;
    let seen = talk.seen(server.http).await;
    assert!(seen.iter().any(|page| page.to_string().contains("the first")), "{seen:?}");

    done(&run(&here, &["backup", "--dry-run", file]));
    assert!(!backup.exists());
    let told = done(&run(&here, &["backup", file]));
    assert!(told.contains("3 accounts") && told.contains("1 files"), "{told}");
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    failed(&run(&here, &["backup", file]), "it is there already");
    failed(&run(&here, &["restore", file]), "another process has this store open");
    drop(server);
    failed(&run(&here, &["restore", file]), "it is not empty");

    done(&run(&there, &["restore", "--dry-run", file]));
    assert!(!there.exists());
    done(&run(&there, &["restore", file]));
    done(&run(&there, &["restore", "--verify", file]));
    let server = Server::start(&there, &[]);
    talk.alice.refresh(server.http).await;
    talk.bob.refresh(server.http).await;
    assert_eq!(talk.seen(server.http).await, seen);
    assert_eq!(bytes(server.http, &talk.bob.token, &talk.file).await, talk.content);

    // And it goes on where it was.
    let mut a = Wire::log_in(server.http, &talk.alice.token).await;
    let head = a.ok("room.open", json!({ "room": talk.room })).await["head"]["seq"].as_u64().unwrap();
    let say = named(json!({ "room": talk.room, "body": { "kind": "text", "text": "on" } }));
    assert_eq!(a.ok("message.send", say).await["seq"], head + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_or_cut_off_serves_nobody_until_it_is_resumed() {
    let folder = Folder::new("resume");
    let (here, there, backup) = (folder.at("here"), folder.at("there"), folder.at("a.backup"));
    let file = backup.to_str().unwrap();
    let server = Server::start(&here, &[]);
    Talk::tell(server.http).await;
    drop(server);
    done(&run(&here, &["backup", file]));
    let whole = std::fs::read(&backup).unwrap();

    let from_pipe = |begin: &[u8], flags: &[&str]| {
        let mut child = rookery()
            .args(["restore", "-", "--data-dir"])
            .arg(&there)
            .args(flags)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // One that was refused does not read to the end.
        pipe.write_all(begin).ok();
        (child, pipe)
    };
    let (child, pipe) = from_pipe(&whole[..whole.len() / 2], &[]);
    drop(pipe);
    failed(&child.wait_with_output().unwrap(), "cut off");
    failed(
        &run(&there, &["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]),
        "has not come to its end",
    );
    failed(&run(&there, &["restore", file]), "--resume");
    failed(&run(&there, &["backup", &format!("{file}2")]), "has not come to its end");
    for part in 1..8 {
        // Wherever it is by then.
        let (mut child, _pipe) = from_pipe(&whole[..whole.len() * part / 8], &["--resume"]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    done(&run(&there, &["restore", "--resume", file]));
    done(&run(&there, &["restore", "--verify", file]));
    assert!(Server::start(&there, &[]).probe("/readyz").0 == 200);

    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&backup, &damaged).unwrap();
    let nowhere = folder.at("nowhere");
    for flags in [&["restore", file][..], &["restore", "--dry-run", file]] {
        failed(&run(&nowhere, flags), "damaged");
        assert!(!nowhere.exists(), "nothing was written");
    }
}
