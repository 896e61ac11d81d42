//! The model: what the contract says becomes of a command, one at a time, with nothing in between.
//!
//! Commands are what is on the wire, an op and its fields. The model is written from PROTOCOL and
//! knows nothing of how the server does it.

use super::room::{Draft, Room};
use super::rules::{Against, heir};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All that there is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct World {
    /// The clock, in milliseconds.
    pub(super) now: u64,
    pub(super) rooms: Vec<Room>,
    pub(super) blocks: BTreeSet<(String, String)>,
    /// Blocks that have been there, too.
    pub(super) former_blocks: BTreeSet<(String, String)>,
    pub(super) invites: Vec<Invite>,
    /// What users find in their inboxes: who, of what kind, in which room, of which event.
    pub(super) notices: BTreeSet<(String, &'static str, usize, u64)>,
    /// A model that is wrong on purpose, to show that it would be seen.
    pub(super) is_wrong: bool,
}

/// A link into a room.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Invite {
    pub(super) text: String,
    pub(super) room: usize,
    pub(super) uses: Option<u64>,
    pub(super) used_by: BTreeSet<String>,
    pub(super) is_revoked: bool,
}

/// What a command is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expected {
    /// With these fields, whatever else is there.
    Done(Value),
    /// One of these codes.
    Refused(Against),
    /// Either is right.
    Open,
}

impl Expected {
    /// Whether it is what was heard.
    pub(super) fn is(&self, heard: &Result<Value, String>) -> bool {
        match (self, heard) {
            (Self::Done(fields), Ok(ok)) => {
                fields.as_object().unwrap().iter().all(|(name, value)| ok.get(name) == Some(value))
                    && (fields.get("duplicate").is_some() || ok.get("duplicate").is_none())
            }
            (Self::Refused(codes), Err(code)) => codes.contains(&code.as_str()),
            (Self::Open, _) => true,
            _ => false,
        }
    }
}

/// A refusal for one reason.
fn refused(code: &'static str) -> Expected {
    Expected::Refused(vec![code])
}

impl World {
    /// Returns a world without rooms.
    pub(super) fn new(now: u64) -> Self {
        let (rooms, blocks, former_blocks, invites, notices) = Default::default();
        Self { now, rooms, blocks, former_blocks, invites, notices, is_wrong: false }
    }

    /// Founds a room: what describes it, and then its founders, the first of whom makes it.
    pub(super) fn found(&mut self, room: Room, title: Option<(&str, Value)>, founders: &[(&str, &str)]) {
        let (index, by, now) = (self.rooms.len(), founders[0].0, self.now);
        self.rooms.push(room);
        let mut body = json!({ "kind": self.rooms[index].kind });
        let (title, client_id) = title.unzip();
        if let Some(title) = title {
            body["title"] = json!(title);
        }
        self.rooms[index].push(by, now, Draft { kind: "room", body, client_id, ..Draft::default() });
        for (user, role) in founders {
            self.admit(index, by, user, role);
        }
    }

    /// Adds somebody, who finds it in the inbox where it was done by another.
    fn admit(&mut self, index: usize, by: &str, user: &str, role: &str) -> u64 {
        let body = json!({ "user": user, "change": "added", "role": role });
        let now = self.now;
        let seq = self.rooms[index].push(by, now, Draft { kind: "member", body, ..Draft::default() });
        self.notice(index, by, user, ("added", seq));
        seq
    }

    fn notice(&mut self, index: usize, by: &str, user: &str, (kind, seq): (&'static str, u64)) {
        if by != user && self.rooms[index].kind != "direct" {
            self.notices.insert((user.to_owned(), kind, index, seq));
        }
    }

    /// Does what `by` asks for. `heard` is the answer of the server, of which only what the server
    /// makes up (the text of an invite) is taken.
    pub(super) fn apply(&mut self, by: &str, (op, d): (&str, &Value), heard: Option<&Value>) -> Expected {
        match op {
            "user.block" => {
                let pair = (by.to_owned(), d["user"].as_str().unwrap().to_owned());
                if d["on"] == true {
                    self.former_blocks.insert(pair.clone());
                    self.blocks.insert(pair);
                } else {
                    self.blocks.remove(&pair);
                }
                return Expected::Done(json!({}));
            }
            "invite.accept" => return self.accept(by, d),
            _ => {}
        }
        let Some(index) = self.rooms.iter().position(|room| room.id == d["room"]) else {
            return refused("not_found");
        };
        let Some(member) = self.rooms[index].member(by) else { return refused("not_found") };
        if let Some(event) = d.get("client_id").and_then(|name| self.rooms[index].written(by, name)) {
            let (seq, ord, at) = (event.seq, event.ord, event.at);
            return Expected::Done(match op {
                "message.send" => json!({ "seq": seq, "ord": ord, "at": at, "duplicate": true }),
                "message.edit" | "message.delete" => json!({ "seq": seq, "at": at, "duplicate": true }),
                _ => json!({ "seq": seq }),
            });
        }
        let against = self.against(by, op, (&self.rooms[index], d));
        if !against.is_empty() {
            return Expected::Refused(against);
        }
        match op {
            "message.send" | "message.edit" | "message.delete" | "reaction.set" | "pin.set" => {
                Expected::Done(self.write(index, by, (op, d)))
            }
            "read.mark" | "delivered.mark" => Expected::Done(self.mark(index, by, (op, d))),
            "room.settings" => {
                let kept = self.rooms[index].settings.entry(by.to_owned()).or_insert_with(|| json!({}));
                for (name, value) in d.as_object().unwrap().iter().filter(|(name, _)| *name != "room") {
                    kept[name] = value.clone();
                }
                Expected::Done(self.rooms[index].object(by)["me"].clone())
            }
            "room.update" => {
                let (now, body) = (self.now, json!({ "title": d["title"] }));
                self.rooms[index].push(by, now, Draft { kind: "room", body, ..Draft::default() });
                Expected::Done(json!({ "id": d["room"] }))
            }
            "member.add" | "member.remove" | "member.role" => {
                Expected::Done(self.members(index, by, (op, d)))
            }
            "invite.create" => {
                if let Some(text) = heard.and_then(|ok| ok["invite"].as_str()) {
                    let (uses, used_by) = (d["uses"].as_u64(), BTreeSet::new());
                    self.invites.push(Invite {
                        text: text.to_owned(),
                        room: index,
                        uses,
                        used_by,
                        is_revoked: false,
                    });
                }
                Expected::Done(json!({}))
            }
            "invite.revoke" => self.revoke(index, d),
            "typing.set" => Expected::Done(json!({})),
            _ => panic!("the model does not know `{op}` of {member:?}"),
        }
    }

    fn write(&mut self, index: usize, by: &str, (op, d): (&str, &Value)) -> Value {
        let now = self.now;
        let room = &mut self.rooms[index];
        let (client_id, target) = (Some(d["client_id"].clone()), d["target"].as_u64());
        let shown = target.and_then(|seq| room.shown(seq, by)).unwrap_or_default();
        let (kind, body) = match op {
            "message.send" => ("message", d["body"].clone()),
            "message.edit" => ("edit", json!({ "body": d["body"] })),
            "message.delete" => ("delete", json!({})),
            "reaction.set" => ("reaction", json!({ "emoji": d["emoji"], "on": d["on"] })),
            _ => ("pin", json!({ "on": d["on"] })),
        };
        let is_so = match kind {
            "reaction" => {
                let mine = |one: &Value| one["emoji"] == d["emoji"] && one["mine"] == true;
                Some(shown["reactions"].as_array().unwrap().iter().any(mine))
            }
            "pin" => Some(shown["pinned"] == true),
            _ => None,
        };
        if is_so.is_some_and(|is_so| d["on"] == is_so) {
            return json!({ "seq": null });
        }
        let kind = if self.is_wrong && kind == "delete" { "nothing" } else { kind };
        let reply_to = d["reply_to"].as_u64();
        let seq = room.push(by, now, Draft { kind, client_id, target, reply_to, body });
        let ord = room.ord(seq);
        if kind != "message" {
            return if is_so.is_some() { json!({ "seq": seq }) } else { json!({ "seq": seq, "at": now }) };
        }
        // Whoever writes has read what was before.
        room.cursors.entry(by.to_owned()).or_default().0 = seq;
        let members = room.members();
        let mentions = d["body"]["mentions"].as_array().cloned().unwrap_or_default();
        for user in members.keys().filter(|user| mentions.iter().any(|one| one == "all" || one == *user)) {
            self.notice(index, by, user, ("mention", seq));
        }
        json!({ "seq": seq, "ord": ord, "at": now })
    }

    /// Cursors only move forward, and not beyond the head.
    fn mark(&mut self, index: usize, by: &str, (op, d): (&str, &Value)) -> Value {
        let room = &mut self.rooms[index];
        let seq = d["seq"].as_u64().unwrap().min(room.head());
        let cursor = room.cursors.entry(by.to_owned()).or_default();
        if op == "delivered.mark" {
            cursor.1 = cursor.1.max(seq);
            return json!({});
        }
        cursor.0 = cursor.0.max(seq);
        let (read, (unread, mentions)) = (room.read(by), room.unread(by));
        json!({ "read": read, "unread": unread, "mentions": mentions })
    }

    fn members(&mut self, index: usize, by: &str, (op, d): (&str, &Value)) -> Value {
        let now = self.now;
        let members = self.rooms[index].members();
        let user = d["user"].as_str().unwrap_or_default().to_owned();
        let change = |world: &mut Self, body: Value| {
            world.rooms[index].push(by, now, Draft { kind: "member", body, ..Draft::default() })
        };
        match op {
            "member.add" => {
                let users: BTreeSet<_> =
                    d["users"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                for user in users.into_iter().filter(|user| !members.contains_key(*user)) {
                    self.admit(index, by, user, d["role"].as_str().unwrap_or("member"));
                }
            }
            "member.remove" => {
                let owners = members.values().filter(|member| member.role == "owner").count();
                if user == by
                    && members[by].role == "owner"
                    && owners == 1
                    && let Some(heir) = heir(&self.rooms[index], by)
                {
                    change(self, json!({ "user": heir, "change": "role", "role": "owner" }));
                }
                let how = if user == by { "left" } else { "removed" };
                let seq = change(self, json!({ "user": user, "change": how }));
                self.notice(index, by, &user, ("removed", seq));
            }
            _ if members[&user].role == d["role"].as_str().unwrap() => {}
            _ => drop(change(self, json!({ "user": user, "change": "role", "role": d["role"] }))),
        }
        json!({ "seq": self.rooms[index].head() })
    }

    fn revoke(&mut self, index: usize, d: &Value) -> Expected {
        match self.invites.iter_mut().find(|invite| d["invite"] == *invite.text && invite.room == index) {
            // One that has ended may have been forgotten.
            Some(invite) if invite.is_revoked => Expected::Open,
            Some(invite) => {
                invite.is_revoked = true;
                Expected::Done(json!({}))
            }
            None => refused("not_found"),
        }
    }

    fn accept(&mut self, by: &str, d: &Value) -> Expected {
        let Some(index) = self.invites.iter().position(|invite| d["invite"] == *invite.text) else {
            return refused("not_found");
        };
        let (room, is_revoked) = (self.invites[index].room, self.invites[index].is_revoked);
        if self.rooms[room].member(by).is_some() {
            return if is_revoked {
                Expected::Open
            } else {
                Expected::Done(json!({ "id": self.rooms[room].id }))
            };
        }
        if !self.take_use(by, d) || self.rooms[room].members().is_empty() {
            return refused("not_found");
        }
        let role = if self.rooms[room].kind == "channel" { "reader" } else { "member" };
        self.admit(room, by, by, role);
        Expected::Done(json!({ "id": self.rooms[room].id }))
    }

    /// Takes one of an invite's uses for `by`, who takes no other later. Returns whether it has one.
    pub(super) fn take_use(&mut self, by: &str, d: &Value) -> bool {
        let Some(invite) = self.invites.iter_mut().find(|invite| d["invite"] == *invite.text) else {
            return false;
        };
        let is_used_up = invite.uses.is_some_and(|uses| invite.used_by.len() as u64 >= uses);
        if invite.is_revoked || (is_used_up && !invite.used_by.contains(by)) {
            return false;
        }
        invite.used_by.insert(by.to_owned());
        true
    }
}
