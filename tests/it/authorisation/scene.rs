//! The scene of one cell: a room made for it, whoever asks in its place there, and the question through the wire.

use super::rows::Row;
use crate::chat::{name, text};
use crate::http::{Raw, call};
use crate::office::operate;
use rookery_protocol::CloseCode;
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Who asks; what each is stands in `schemas/authorisation/ops.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anonymous,
    Revoked,
    Stranger,
    Removed,
    Blocked,
    Reader,
    Member,
    Admin,
    Owner,
    ServerAdmin,
}

impl Who {
    /// All of them, in the order of the columns.
    pub(super) const ALL: [Self; 10] = [
        Self::Anonymous,
        Self::Revoked,
        Self::Stranger,
        Self::Removed,
        Self::Blocked,
        Self::Reader,
        Self::Member,
        Self::Admin,
        Self::Owner,
        Self::ServerAdmin,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Revoked => "revoked",
            Self::Stranger => "stranger",
            Self::Removed => "removed",
            Self::Blocked => "blocked",
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::ServerAdmin => "server_admin",
        }
    }

    /// What it is in the room in the end, where it was in it at all.
    const fn role(self) -> Option<&'static str> {
        match self {
            Self::Reader => Some("reader"),
            Self::Member | Self::Removed | Self::Revoked => Some("member"),
            Self::Admin => Some("admin"),
            Self::Owner => Some("owner"),
            Self::Anonymous | Self::Stranger | Self::Blocked | Self::ServerAdmin => None,
        }
    }
}

/// Those who are there in every scene.
pub(super) struct Cast<'a> {
    node: &'a TestNode,
    owner: (TestUser, Wire),
    other: (TestUser, Wire),
    scenes: usize,
}

/// One cell, before it is played.
pub(super) struct Scene {
    /// Whoever asks; nobody where it is anonymous.
    pub(super) wire: Wire,
    token: Option<String>,
    values: BTreeMap<&'static str, Value>,
}

impl<'a> Cast<'a> {
    pub(super) async fn new(node: &'a TestNode) -> Self {
        let owner = crate::members::user(node, "owner").await;
        let other = crate::members::user(node, "other").await;
        Self { node, owner, other, scenes: 0 }
    }

    /// Makes the room of a row and puts `who` in its place.
    pub(super) async fn scene(&mut self, row: &Row, who: Who) -> Scene {
        self.scenes += 1;
        let handle = format!("asks{}", self.scenes);
        let asking = self.node.user(&handle).await;
        let login = json!({ "email": format!("{handle}@example.org"), "password": "correct horse battery" });
        let mut login = call(self.node.http(), "POST", "/v1/auth/login", &[], &login).await.json();
        let mut wire = Wire::log_in(self.node.http(), login["access_token"].as_str().unwrap()).await;
        let mut values = BTreeMap::from([
            ("asks", json!(asking.id())),
            ("email", json!(format!("{handle}@example.org"))),
            ("handle", json!(format!("new{}", self.scenes))),
            ("other", json!(self.other.0.id())),
            ("own_session", login["session"].take()),
            ("refresh", login["refresh_token"].take()),
            ("token", login["access_token"].take()),
        ]);
        let group = self.room(row, &asking, who).await;
        self.desk(&row.text(), who, &asking, &mut values).await;
        let (owner, owners) = &mut self.owner;
        values.insert("invite", owners.ok("invite.create", json!({ "room": group })).await["invite"].take());
        let text = row.text();
        if text.contains("$newcomer") || text.contains("$session") {
            let newcomer = self.node.user(&format!("newcomer{}", self.scenes)).await;
            values.extend([("newcomer", json!(newcomer.id())), ("session", json!(newcomer.session()))]);
        }
        if who == Who::ServerAdmin {
            crate::office::grant(self.node, &asking).await;
        }
        for (upload, whose) in [("upload", &*owner), ("own_upload", &asking)] {
            if text.contains(&format!("${upload}")) {
                values.insert(upload, announce(self.node, whose).await);
            }
        }
        let (room, said) = if who == Who::Blocked {
            let others = &mut self.other.1;
            let room = others.ok("room.direct", json!({ "user": asking.id() })).await["id"].take();
            values.insert("mine", say(&mut wire, &room, None).await);
            let file = file(self.node, &self.other.0, &text).await;
            let said = say(others, &room, file.as_ref()).await;
            values.extend(file.map(|mut file| ("file", file["id"].take())));
            others.ok("user.block", json!({ "user": asking.id(), "on": true })).await;
            (room, said)
        } else {
            let file = file(self.node, owner, &text).await;
            let said = say(owners, &group, file.as_ref()).await;
            values.extend(file.map(|mut file| ("file", file["id"].take())));
            (group, said)
        };
        if let (Some(role), owners) = (who.role(), &mut self.owner.1) {
            values.insert("mine", say(&mut wire, &room, None).await);
            let given = json!({ "room": room, "user": asking.id(), "role": role });
            owners.ok("member.role", given).await;
        }
        if who == Who::Removed {
            let removed = json!({ "room": room, "user": asking.id() });
            self.owner.1.ok("member.remove", removed).await;
        }
        values.entry("mine").or_insert_with(|| said.clone());
        values.extend([("room", room), ("said", said)]);
        let mut token = values["token"].as_str().map(str::to_owned);
        match who {
            Who::Revoked => {
                let header = format!("Bearer {}", token.as_deref().unwrap_or_default());
                let ended = [("authorization", header.as_str())];
                let ended = call(self.node.http(), "POST", "/v1/auth/logout", &ended, &Value::Null).await;
                assert_eq!(ended.status, 204);
            }
            Who::Anonymous => {
                (token, wire) = (None, Wire::open(self.node.http()).await);
                values.extend(["email", "refresh", "token"].map(|known| (known, json!("x@example.org"))));
            }
            _ => {}
        }
        Scene { wire, token, values }
    }

    /// Puts a report and an export on the desk of the office, where a row speaks of them and they may be seen.
    async fn desk(
        &self,
        text: &str,
        who: Who,
        asking: &TestUser,
        values: &mut BTreeMap<&'static str, Value>,
    ) {
        let nothing = json!(uuid::Uuid::nil());
        values.extend([("report", nothing.clone()), ("job", nothing)]);
        if who != Who::ServerAdmin {
            return;
        }
        if text.contains("$report") {
            let header = format!("Bearer {}", asking.token());
            let body = json!({ "user": self.other.0.id(), "reason": "x" });
            let taken =
                call(self.node.http(), "POST", "/v1/reports", &[("authorization", &header)], &body).await;
            values.insert("report", taken.json()["id"].take());
        }
        if text.contains("$job") {
            let path = format!("/admin/users/{}/export", asking.id());
            let job = operate(self.node, "POST", &path, json!({ "reason": "x" })).await["id"].take();
            let path = format!("/admin/jobs/{}", job.as_str().unwrap_or_default());
            while operate(self.node, "GET", &path, Value::Null).await["done_at"].is_null() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            values.insert("job", job);
        }
    }

    /// Makes the room, in which whoever asks may write for now where its role is one of the room's.
    async fn room(&mut self, row: &Row, asking: &TestUser, who: Who) -> Value {
        let mut members = vec![self.other.0.id()];
        members.extend(who.role().map(|_| asking.id()));
        let create = json!({ "client_id": name(), "kind": row.room, "title": "Tea", "members": members });
        let owners = &mut self.owner.1;
        let room = owners.ok("room.create", create).await["id"].take();
        if who.role().is_some() {
            owners.ok("member.role", json!({ "room": room, "user": asking.id(), "role": "admin" })).await;
        }
        room
    }
}

impl Scene {
    /// Asks over the socket and returns `ok`, the code of the refusal, or how the socket was closed.
    pub(super) async fn ask_op(&mut self, row: &Row) -> String {
        let d = self.filled(row.ask.as_deref().unwrap_or("{}"));
        let id = self.wire.send(&row.name, d).await;
        loop {
            match self.wire.heard().await {
                Heard::Said(said) if said["id"] == id => return told(&said["err"]["code"]),
                Heard::Said(_) => {}
                Heard::Closed(code) if code == CloseCode::SessionRevoked.as_u16() => {
                    return "session_revoked".to_owned();
                }
                Heard::Closed(code) => return code.to_string(),
            }
        }
    }

    /// Asks over HTTP and returns `ok` or the code of the problem.
    pub(super) async fn ask_route(&self, row: &Row, address: SocketAddr) -> String {
        self.ask_route_by(row, address, self.token.as_deref()).await
    }

    /// Asks over HTTP with another token, or with none.
    pub(super) async fn ask_route_by(&self, row: &Row, address: SocketAddr, token: Option<&str>) -> String {
        let (method, _) = row.name.split_once(' ').expect("a method and a path");
        let body = row.ask.as_deref().map_or(Value::Null, |ask| self.filled(ask));
        let path = self.filled(&json!(row.path()).to_string());
        let token = token.map(|token| format!("Bearer {token}"));
        let key = name().as_str().unwrap_or_default().to_owned();
        let mut headers: Vec<_> =
            row.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.extend(token.iter().map(|token| ("authorization", token.as_str())));
        if body.get("client_id").is_none() {
            headers.push(("idempotency-key", &key));
        }
        let mut raw = Raw::connect(address).await;
        raw.request(method, path.as_str().expect("a path is a text"), &headers, &body).await;
        let answer = raw.answer_to(method).await.expect("an answer");
        if answer.status < 400 { "ok".to_owned() } else { answer.problem().1 }
    }

    /// Returns the id of whoever asks.
    pub(super) fn asks(&self) -> String {
        self.values["asks"].as_str().expect("an id is a text").to_owned()
    }

    /// Returns where the log of the room ends.
    pub(super) async fn head(&mut self) -> u64 {
        let room = self.wire.ok("room.get", json!({ "room": self.values["room"] })).await;
        room["head"]["seq"].as_u64().expect("a head has a position")
    }

    /// Puts values in the place of their names, the longest name first.
    pub(super) fn filled(&self, ask: &str) -> Value {
        let mut text = ask.replace("$name", name().as_str().unwrap_or_default());
        for (name, value) in self.values.iter().rev() {
            // A number stands for a quoted placeholder where it is all that is quoted.
            if value.is_number() {
                text = text.replace(&format!("\"${name}\""), &value.to_string());
            }
            let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("${name}"), &plain);
        }
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

fn told(code: &Value) -> String {
    code.as_str().unwrap_or("ok").to_owned()
}

async fn say(wire: &mut Wire, room: &Value, file: Option<&Value>) -> Value {
    let mut body = text("said");
    if let Some(file) = file {
        body["attachments"] = json!([file]);
    }
    let draft = json!({ "room": room, "client_id": name(), "body": body });
    wire.ok("message.send", draft).await["seq"].take()
}

/// Sends a file of `whose` where a row speaks of one, and returns it as an attachment.
async fn file(node: &TestNode, whose: &TestUser, text: &str) -> Option<Value> {
    if !text.contains("$file") {
        return None;
    }
    let id = announce(node, whose).await;
    let header = format!("Bearer {}", whose.token());
    let path = format!("/v1/uploads/{}", id.as_str().unwrap_or_default());
    let sent = call(node.http(), "PUT", &path, &[("authorization", &header)], &json!("abc")).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    Some(sent.json())
}

async fn announce(node: &TestNode, whose: &TestUser) -> Value {
    let header = format!("Bearer {}", whose.token());
    let body = json!({ "name": "a.txt", "size": json!("abc").to_string().len() });
    let begun = call(node.http(), "POST", "/v1/uploads", &[("authorization", &header)], &body).await;
    begun.json()["id"].take()
}
