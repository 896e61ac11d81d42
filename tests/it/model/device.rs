//! A client as the contract wants it: pages and live events merged by `rev`, positions without a gap,
//! badges from what it hears. It is written from PROTOCOL, and shares nothing with our own client.

use rookery_tests::node::TestNode;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// What a device knows of one room.
#[derive(Debug, Default)]
pub(super) struct Spot {
    pub(super) is_open: bool,
    /// It was told to open it again.
    pub(super) is_lagged: bool,
    /// The last event it has.
    pub(super) position: u64,
    pub(super) entries: BTreeMap<u64, Value>,
    /// How far others have read, as far as it was told.
    pub(super) reads: BTreeMap<String, u64>,
    /// How far its own user has read.
    pub(super) read: u64,
    /// Unread messages and mentions, as it was told last.
    pub(super) badge: Option<(u64, u64)>,
}

/// One device of one user.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) user: String,
    token: String,
    pub(super) wire: Wire,
    pub(super) spots: BTreeMap<String, Spot>,
    inbox: Value,
    /// It was told to open its inbox again.
    is_inbox_lagged: bool,
    /// The last notice it has, and how often it has heard which.
    inbox_position: u64,
    pub(super) notices: BTreeMap<(String, u64), u64>,
    /// Rooms whose `room.open` is under way, by the id of the command.
    opening: HashMap<u64, String>,
    replies: HashMap<u64, Result<Value, Value>>,
}

/// The socket has ended, or what was heard breaks the contract.
#[derive(Debug)]
pub(super) enum Trouble {
    Gone,
    Wrong(String),
}

impl Device {
    /// Logs in for the first time.
    pub(super) async fn connect(node: &TestNode, user: String, token: String) -> Self {
        let wire = Wire::open(node.http()).await.with_background();
        let (spots, notices, opening, replies) = Default::default();
        let (inbox, is_inbox_lagged, inbox_position) = Default::default();
        let mut new = Self {
            user,
            token,
            wire,
            spots,
            inbox,
            is_inbox_lagged,
            inbox_position,
            notices,
            opening,
            replies,
        };
        new.resume(node).await.expect("it connects");
        new
    }

    /// Goes, comes back, and resumes every room that it had open from its position.
    pub(super) async fn resume(&mut self, node: &TestNode) -> Result<(), Trouble> {
        self.wire = Wire::open(node.http()).await.with_background();
        self.opening.clear();
        self.is_inbox_lagged = false;
        let auth = json!({ "token": self.token, "inbox_after": self.inbox_position });
        let id = self.wire.send("auth", auth).await;
        // What comes right behind the answer is of the inbox already.
        self.inbox = self.reply(id).await?.expect("the token is good")["inbox"].clone();
        let mut again = Vec::new();
        for (room, spot) in &mut self.spots {
            if std::mem::take(&mut spot.is_open) || std::mem::take(&mut spot.is_lagged) {
                again.push((room.clone(), spot.position));
            }
        }
        for (room, position) in again {
            self.open(&room, Some(position)).await?;
        }
        self.look_at_badges().await
    }

    /// Reads the badges of every room.
    pub(super) async fn look_at_badges(&mut self) -> Result<(), Trouble> {
        let list = self.call("room.list", json!({ "limit": 100 })).await?.expect("a list is given");
        for room in list["rooms"].as_array().unwrap() {
            let me = &room["me"];
            let spot = self.spots.entry(room["id"].as_str().unwrap().to_owned()).or_default();
            spot.badge = me["unread"].as_u64().zip(me["mentions"].as_u64());
        }
        Ok(())
    }

    /// Opens a room; what it has of it stays where that is continued. Returns whether it is a member.
    pub(super) async fn open(&mut self, room: &str, after: Option<u64>) -> Result<bool, Trouble> {
        let mut d = json!({ "room": room });
        if let Some(after) = after {
            d["after"] = json!(after);
        }
        if after.is_none() {
            *self.spots.entry(room.to_owned()).or_default() = Spot::default();
        }
        let id = self.wire.send("room.open", d).await;
        self.opening.insert(id, room.to_owned());
        let Ok(opened) = self.reply(id).await? else { return Ok(false) };
        if after.is_none() {
            self.fetch(room, opened["from"].as_u64().unwrap()).await?;
        }
        Ok(true)
    }

    /// Fetches what is before `from`, newest first.
    async fn fetch(&mut self, room: &str, from: u64) -> Result<(), Trouble> {
        let mut before = from;
        loop {
            let asked = json!({ "room": room, "before": before, "limit": 40 });
            let Ok(page) = self.call("room.history", asked).await? else { return Ok(()) };
            let spot = self.spots.get_mut(room).unwrap();
            for entry in page["messages"].as_array().unwrap() {
                let seq = entry["seq"].as_u64().unwrap();
                before = before.min(seq);
                let is_newer =
                    spot.entries.get(&seq).is_none_or(|known| known["rev"].as_u64() < entry["rev"].as_u64());
                if is_newer {
                    spot.entries.insert(seq, entry.clone());
                }
            }
            if page["more_before"] != true {
                return Ok(());
            }
        }
    }

    /// Opens again what it was told to open again.
    pub(super) async fn reopen(&mut self) -> Result<(), Trouble> {
        if std::mem::take(&mut self.is_inbox_lagged) {
            let asked = json!({ "room": self.inbox, "after": self.inbox_position });
            let opened = self.call("room.open", asked).await?;
            opened.map_err(|error| Trouble::Wrong(format!("the inbox is not opened: {error}")))?;
        }
        let lagged = self.spots.iter().filter(|(_, spot)| spot.is_lagged);
        let lagged: Vec<_> = lagged.map(|(room, spot)| (room.clone(), spot.position)).collect();
        for (room, position) in lagged {
            self.open(&room, Some(position)).await?;
        }
        Ok(())
    }

    pub(super) async fn call(&mut self, op: &str, d: Value) -> Result<Result<Value, Value>, Trouble> {
        let id = self.wire.send(op, d).await;
        self.reply(id).await
    }

    /// Waits for a reply, and takes what comes before it.
    pub(super) async fn reply(&mut self, id: u64) -> Result<Result<Value, Value>, Trouble> {
        loop {
            if let Some(reply) = self.replies.remove(&id) {
                return Ok(reply);
            }
            match self.wire.heard().await {
                Heard::Closed(_) => return Err(Trouble::Gone),
                Heard::Said(said) => self.take(said).map_err(Trouble::Wrong)?,
            }
        }
    }

    /// Takes all that was said to it by now.
    pub(super) async fn settle(&mut self) -> Result<(), Trouble> {
        for _ in 0..3 {
            self.call("ping", json!({})).await?.expect("a ping is answered");
        }
        Ok(())
    }

    fn take(&mut self, mut said: Value) -> Result<(), String> {
        let Some(ev) = said["ev"].as_str().map(str::to_owned) else {
            let id = said["id"].as_u64().unwrap();
            let reply =
                if said.get("ok").is_some() { Ok(said["ok"].take()) } else { Err(said["err"].take()) };
            if let Some(room) = self.opening.remove(&id) {
                self.opened(&room, &reply);
            }
            self.replies.insert(id, reply);
            return Ok(());
        };
        let d = &said["d"];
        if d["room"] == self.inbox {
            self.is_inbox_lagged |= ev == "room.lagged";
            return if ev == "room.event" { self.noticed(d) } else { Ok(()) };
        }
        let user = self.user.clone();
        let spot = self.spots.entry(d["room"].as_str().unwrap_or_default().to_owned()).or_default();
        match ev.as_str() {
            "room.event" => return spot.event(d, &user).map_err(|why| format!("{user}: {why}: {said}")),
            "room.removed" => *spot = Spot::default(),
            "room.lagged" => (spot.is_open, spot.is_lagged) = (false, true),
            "room.head" | "read.me" => {
                spot.badge = d["unread"].as_u64().zip(d["mentions"].as_u64());
                spot.read = spot.read.max(d["read"].as_u64().unwrap_or(0));
            }
            "read" if spot.is_open => {
                for mark in d["marks"].as_array().unwrap() {
                    spot.has_read(mark["user"].as_str().unwrap(), mark["seq"].as_u64().unwrap());
                }
            }
            "delivered" | "typing" | "read" if spot.is_open => {}
            _ => return Err(format!("{user} has no use for {said}")),
        }
        Ok(())
    }

    fn opened(&mut self, room: &str, reply: &Result<Value, Value>) {
        let spot = self.spots.entry(room.to_owned()).or_default();
        let Ok(opened) = reply else { return *spot = Spot::default() };
        let from = opened["from"].as_u64().unwrap();
        if from != spot.position + 1 {
            // It came in anew since, or begins at the head: what was before is not continued.
            spot.entries.clear();
        }
        (spot.is_open, spot.is_lagged, spot.position) = (true, false, from - 1);
        spot.read = opened["room"]["me"]["read"].as_u64().unwrap();
        for read in opened["reads"].as_array().into_iter().flatten() {
            spot.has_read(read["user"].as_str().unwrap(), read["seq"].as_u64().unwrap());
        }
    }

    fn noticed(&mut self, d: &Value) -> Result<(), String> {
        let seq = d["seq"].as_u64().unwrap();
        if seq != self.inbox_position + 1 {
            return Err(format!("a gap in the inbox after {}: {d}", self.inbox_position));
        }
        self.inbox_position = seq;
        if d["type"] == "message" {
            let (kind, meta) = (d["body"]["kind"].as_str().unwrap(), &d["body"]["meta"]);
            let what = format!("{kind} in {}", meta["room"].as_str().unwrap());
            *self.notices.entry((what, meta["seq"].as_u64().unwrap())).or_default() += 1;
        }
        Ok(())
    }
}

impl Spot {
    fn has_read(&mut self, user: &str, seq: u64) {
        let read = self.reads.entry(user.to_owned()).or_default();
        *read = seq.max(*read);
    }

    /// Takes the next event of an open room.
    fn event(&mut self, d: &Value, me: &str) -> Result<(), &'static str> {
        let seq = d["seq"].as_u64().unwrap();
        if !self.is_open {
            return Err("a room that is not open");
        }
        if seq != self.position + 1 {
            return Err("a gap, or something twice");
        }
        self.position = seq;
        let by = d["by"].as_str().unwrap();
        if d["type"] == "message" {
            self.has_read(by, seq);
            if by == me {
                self.read = self.read.max(seq);
            }
        }
        let Some(target) = d["target"].as_u64() else {
            let mut entry = d.clone();
            (entry["rev"], entry["reactions"]) = (json!(0), json!([]));
            self.entries.insert(seq, entry);
            return Ok(());
        };
        let Some(entry) = self.entries.get_mut(&target).filter(|entry| entry["rev"].as_u64() < Some(seq))
        else {
            return Ok(());
        };
        entry["rev"] = json!(seq);
        change(entry, d, by == me);
        Ok(())
    }

    /// Counts what is unread, and what of it is said to `me`, in what it has.
    pub(super) fn unread(&self, me: &str) -> (u64, u64) {
        let unread = self.entries.range(self.read + 1..).map(|(_, entry)| entry);
        let messages: Vec<_> = unread.filter(|entry| entry["type"] == "message").collect();
        let is_meant = |entry: &&&Value| {
            let mentions = entry["body"]["mentions"].as_array();
            mentions.is_some_and(|all| all.iter().any(|one| one == "all" || one == me))
        };
        (messages.len() as u64, messages.iter().filter(is_meant).count() as u64)
    }
}

/// Has a message take over a change of it.
fn change(entry: &mut Value, d: &Value, is_mine: bool) {
    let body = &d["body"];
    if entry["deleted"] == true {
        return;
    }
    match d["type"].as_str().unwrap() {
        // An edit of a message that is deleted further on says nothing.
        "edit" if body.get("body").is_none() => {}
        "edit" => {
            entry["body"] = body["body"].clone();
            entry["edited_at"] = d["at"].clone();
        }
        "delete" => {
            (entry["body"], entry["deleted"], entry["reactions"]) = (json!({}), json!(true), json!([]));
            for name in ["edited_at", "pinned", "quoted"] {
                entry.as_object_mut().unwrap().remove(name);
            }
        }
        "pin" if body["on"] == true => entry["pinned"] = json!(true),
        "pin" => drop(entry.as_object_mut().unwrap().remove("pinned")),
        "reaction" => {
            let all = entry["reactions"].as_array_mut().unwrap();
            let on = body["on"] == true;
            match all.iter().position(|one| one["emoji"] == body["emoji"]) {
                None if on => {
                    all.push(json!({ "emoji": body["emoji"], "count": 1, "mine": is_mine }));
                    all.sort_by(|one, other| one["emoji"].as_str().cmp(&other["emoji"].as_str()));
                }
                None => {}
                Some(place) => {
                    let count = all[place]["count"].as_u64().unwrap();
                    let count = if on { count + 1 } else { count - 1 };
                    all[place]["count"] = json!(count);
                    if is_mine {
                        all[place]["mine"] = json!(on);
                    }
                    if count == 0 {
                        all.remove(place);
                    }
                }
            }
        }
        _ => {}
    }
}
