//! A room of the model: the list of its events, and everything else folded out of it. Nothing here
//! is kept that the events say, so there is nothing that could get out of step with them.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) seq: u64,
    pub(super) ord: u64,
    pub(super) at: u64,
    pub(super) by: String,
    pub(super) kind: &'static str,
    pub(super) client_id: Option<Value>,
    pub(super) target: Option<u64>,
    pub(super) reply_to: Option<u64>,
    pub(super) body: Value,
}

/// What is to be written; the log gives it its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) kind: &'static str,
    pub(super) client_id: Option<Value>,
    pub(super) target: Option<u64>,
    pub(super) reply_to: Option<u64>,
    pub(super) body: Value,
}

/// Somebody who is in a room now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) role: String,
    pub(super) joined: u64,
}

/// A room, and what its members keep for themselves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Room {
    pub(super) id: Value,
    pub(super) kind: &'static str,
    /// How many were there from the first event on.
    pub(super) founders: u64,
    pub(super) log: Vec<Event>,
    /// How far users have read, and what has arrived at them.
    pub(super) cursors: BTreeMap<String, (u64, u64)>,
    pub(super) settings: BTreeMap<String, Value>,
}

impl Room {
    /// Writes an event and returns its position.
    pub(super) fn push(&mut self, by: &str, at: u64, draft: Draft) -> u64 {
        let Draft { kind, client_id, target, reply_to, body } = draft;
        let (seq, ord) = (self.head() + 1, self.ord(self.head()) + u64::from(kind == "message"));
        self.log.push(Event { seq, ord, at, by: by.to_owned(), kind, client_id, target, reply_to, body });
        seq
    }

    pub(super) fn head(&self) -> u64 {
        self.log.len() as u64
    }

    pub(super) fn event(&self, seq: u64) -> Option<&Event> {
        self.log.get(usize::try_from(seq).unwrap().checked_sub(1)?)
    }

    /// Counts the messages up to `seq`.
    pub(super) fn ord(&self, seq: u64) -> u64 {
        self.log.iter().filter(|event| event.kind == "message" && event.seq <= seq).count() as u64
    }

    /// Returns what `by` has written under this name.
    pub(super) fn written(&self, by: &str, client_id: &Value) -> Option<&Event> {
        self.log.iter().find(|event| event.by == by && event.client_id.as_ref() == Some(client_id))
    }

    /// Folds who is in it.
    pub(super) fn members(&self) -> BTreeMap<String, Member> {
        let mut members = BTreeMap::new();
        for event in self.log.iter().filter(|event| event.kind == "member") {
            let text = |field: &str| event.body[field].as_str().unwrap_or_default().to_owned();
            let (user, role) = (text("user"), text("role"));
            match event.body["change"].as_str().unwrap() {
                "added" => {
                    let joined = if event.seq <= 1 + self.founders { 1 } else { event.seq };
                    members.insert(user, Member { role, joined });
                }
                "role" => members.get_mut(&user).unwrap().role = role,
                _ => drop(members.remove(&user)),
            }
        }
        members
    }

    pub(super) fn member(&self, user: &str) -> Option<Member> {
        self.members().remove(user)
    }

    /// How far a member has read: its mark, or where it came in.
    pub(super) fn read(&self, user: &str) -> u64 {
        let joined = self.member(user).map_or(0, |member| member.joined);
        self.cursors.get(user).map_or(0, |cursor| cursor.0).max(joined)
    }

    /// Folds what became of the message at `seq`, as `reader` has it on a page.
    pub(super) fn shown(&self, seq: u64, reader: &str) -> Option<Value> {
        let event = self.event(seq).filter(|event| ["message", "member", "room"].contains(&event.kind))?;
        let mut shown = json!({ "room": self.id, "seq": seq, "ord": event.ord, "at": event.at, "by": event.by,
            "type": event.kind, "body": event.body, "rev": 0 });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown[name] = value;
            }
        };
        set("client_id", event.client_id.clone());
        set("reply_to", event.reply_to.map(Value::from));
        let mut reactions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let changes = self.log.iter().filter(|change| change.target == Some(seq));
        for change in changes {
            shown["rev"] = json!(change.seq);
            match change.kind {
                "edit" => {
                    shown["body"] = change.body["body"].clone();
                    shown["edited_at"] = json!(change.at);
                }
                "reaction" => {
                    let users = reactions.entry(change.body["emoji"].as_str().unwrap()).or_default();
                    users.retain(|user| *user != change.by);
                    if change.body["on"] == true {
                        users.push(&change.by);
                    }
                }
                "pin" => shown["pinned"] = change.body["on"].clone(),
                "delete" => {
                    shown["body"] = json!({});
                    shown["deleted"] = json!(true);
                    reactions.clear();
                    let shown = shown.as_object_mut().unwrap();
                    shown.remove("edited_at");
                    shown.remove("pinned");
                }
                _ => {}
            }
        }
        if shown["pinned"] == false {
            shown.as_object_mut().unwrap().remove("pinned");
        }
        reactions.retain(|_, users| !users.is_empty());
        let told = |(emoji, users): (&&str, &Vec<&str>)| json!({ "emoji": emoji, "count": users.len(), "mine": users.contains(&reader) });
        shown["reactions"] = reactions.iter().map(told).collect();
        Some(shown)
    }

    pub(super) fn is_deleted(&self, seq: u64) -> bool {
        self.log.iter().any(|event| event.kind == "delete" && event.target == Some(seq))
    }

    /// Returns the whole history as a member has it, with what answers quote.
    pub(super) fn pages(&self, reader: &str) -> Vec<Value> {
        let joined = self.member(reader).map_or(u64::MAX, |member| member.joined);
        let mut pages: Vec<_> = (joined..=self.head()).filter_map(|seq| self.shown(seq, reader)).collect();
        for entry in &mut pages {
            let Some(target) = entry["reply_to"].as_u64().filter(|seq| *seq >= joined) else { continue };
            let Some(quoted) = self.shown(target, reader).filter(|_| entry["deleted"] != true) else {
                continue;
            };
            let mut quote = json!({ "by": quoted["by"] });
            if quoted["deleted"] == true {
                quote["deleted"] = json!(true);
            } else if quoted["type"] == "message" {
                quote["text"] = quoted["body"]["text"].clone();
                quote["kind"] = quoted["body"]["kind"].clone();
            }
            entry["quoted"] = quote;
        }
        pages
    }

    /// Counts what is unread, and what of it is said to `user`.
    pub(super) fn unread(&self, user: &str) -> (u64, u64) {
        let read = self.read(user);
        let unread = self.log.iter().filter(|event| event.kind == "message" && event.seq > read);
        let is_meant = |event: &&Event| {
            let shown = self.shown(event.seq, user).unwrap();
            let mentions = shown["body"]["mentions"].as_array();
            mentions.is_some_and(|all| all.iter().any(|one| one == "all" || one == user))
        };
        (unread.clone().count() as u64, unread.filter(is_meant).count() as u64)
    }

    /// Returns the room as one of its members has it.
    pub(super) fn object(&self, user: &str) -> Value {
        let member = self.member(user).unwrap();
        let newest = self.log.last().unwrap();
        let mut object = json!({ "id": self.id, "kind": self.kind, "created_at": self.log[0].at,
            "members": self.members().len(), "head": { "seq": newest.seq, "ord": newest.ord, "at": newest.at } });
        for event in self.log.iter().filter(|event| event.kind == "room") {
            if let Some(title) = event.body.get("title") {
                object["title"] = title.clone();
            }
        }
        object["me"] = self.me(user, &member);
        let message = |event: &&Event| event.kind == "message" && event.seq >= member.joined;
        if let Some(event) = self.log.iter().rev().find(message) {
            let shown = self.shown(event.seq, user).unwrap();
            let text = shown["body"]["text"].as_str().unwrap_or_default();
            object["preview"] = json!({ "by": event.by, "text": text });
        }
        object
    }

    fn me(&self, user: &str, member: &Member) -> Value {
        let (read, (unread, mentions)) = (self.read(user), self.unread(user));
        let delivered = self.cursors.get(user).map_or(0, |cursor| cursor.1).max(read);
        let mut me = json!({ "role": member.role, "read": read, "delivered": delivered, "unread": unread,
            "mentions": mentions, "notify": "all", "pinned": false, "archived": false });
        for (name, value) in self.settings.get(user).and_then(Value::as_object).into_iter().flatten() {
            me[name] = value.clone();
        }
        if me["muted_until"] == 0 {
            me.as_object_mut().unwrap().remove("muted_until");
        }
        me
    }

    /// Returns its members as `member.list` gives them.
    pub(super) fn member_list(&self) -> Vec<Value> {
        let one = |(user, member): (String, Member)| json!([user, member.role, member.joined]);
        self.members().into_iter().map(one).collect()
    }

    /// Returns who has read the message at `seq`, of those who can see it.
    pub(super) fn readers(&self, seq: u64) -> Vec<String> {
        let has_read = |(user, member): (String, Member)| {
            (member.joined <= seq && self.read(&user) >= seq).then_some(user)
        };
        self.members().into_iter().filter_map(has_read).collect()
    }
}
