//! What a server has been told before it is backed up, and what is seen of it.

use crate::http::{Raw, call};
use crate::rooms::fresh;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Somebody with a login.
pub(super) struct Person {
    id: Value,
    pub(super) token: String,
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
    pub(super) async fn refresh(&mut self, server: SocketAddr) {
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

pub(super) async fn bytes(server: SocketAddr, token: &str, file: &Value) -> Vec<u8> {
    let path = format!("/v1/files/{}", file["id"].as_str().unwrap());
    let bearer = format!("Bearer {token}");
    let found = call(server, "GET", &path, &[("authorization", &bearer)], &Value::Null).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.body
}

pub(super) fn named(mut draft: Value) -> Value {
    draft["client_id"] = json!(uuid::Uuid::from_u128(fresh()));
    draft
}

/// A server with a story in it.
pub(super) struct Talk {
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) room: Value,
    pub(super) file: Value,
    pub(super) content: Vec<u8>,
}

impl Talk {
    pub(super) async fn tell(server: SocketAddr) -> Self {
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
    pub(super) async fn seen(&self, server: SocketAddr) -> Vec<Value> {
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
