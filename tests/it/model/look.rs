//! What is looked at after every step: what the server shows every member, and what the devices have
//! made of what they heard, against what the model says.

use super::device::Device;
use super::driver::{Driver, wrong};
use super::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// How long every word that is held back comes within.
const SETTLED: Duration = Duration::from_secs(2);

/// How often devices are given the time to hear what is on its way.
const ROUNDS: usize = 12;

/// What a user is shown of one room; nothing of one where it is no member.
type Shown = Option<Value>;

impl Driver {
    /// Compares everything, and keeps the worlds that it agrees with.
    pub(super) async fn look(&mut self) -> Result<(), String> {
        self.advance(SETTLED);
        self.notices_are_delivered().await?;
        self.reopen().await?;
        let limit = 1 + self.steps % 17;
        let (mut shown, mut lists) = (Vec::new(), Vec::new());
        let at: Vec<_> = (0..self.worlds[0].rooms.len()).map(|room| self.message_at(room)).collect();
        for (index, device) in [0, 2, 4].into_iter().enumerate() {
            let ids: Vec<_> = self.worlds[0].rooms.iter().map(|room| room.id.clone()).collect();
            let backwards = if self.steps % 3 == index { limit } else { 100 };
            for (room, id) in ids.iter().enumerate() {
                shown.push(self.devices[device].shown(id, at[room], backwards).await?);
            }
            lists.push(self.devices[device].list().await?);
        }
        let mut differs = String::new();
        let worlds = std::mem::take(&mut self.worlds);
        for world in worlds {
            match self.agrees(&world, &at, (&shown, &lists)) {
                Ok(()) => self.worlds.push(world),
                Err(why) => differs = why,
            }
        }
        if self.worlds.is_empty() {
            return Err(differs);
        }
        self.devices_agree().await
    }

    /// Returns the position of some message, of which the readers are looked at.
    fn message_at(&self, room: usize) -> u64 {
        let room = &self.worlds[0].rooms[room];
        let said: Vec<_> = room.log.iter().filter(|event| event.kind == "message").collect();
        if said.is_empty() { room.head() } else { said[self.steps % said.len()].seq }
    }

    fn agrees(&self, world: &World, at: &[u64], (shown, lists): (&[Shown], &[Value])) -> Result<(), String> {
        let mut shown = shown.iter();
        for (user, list) in self.users.iter().zip(lists) {
            let mut rooms = Vec::new();
            for (index, room) in world.rooms.iter().enumerate() {
                let is = shown.next().unwrap();
                let expected = room.member(user).map(|member| {
                    let seq = at[index];
                    let can_see = (member.joined..=room.head()).contains(&seq) && room.event(seq).is_some_and(|event| event.kind == "message");
                    json!({ "pages": room.pages(user), "room": room.object(user), "members": room.member_list(),
                        "readers": can_see.then(|| room.readers(seq)) })
                });
                same(&format!("room {index} of {user}"), &json!(is), &json!(expected))?;
                rooms.extend(expected.map(|expected| expected["room"].clone()));
            }
            let unread: u64 = rooms.iter().map(|room| room["me"]["unread"].as_u64().unwrap()).sum();
            rooms.sort_by_key(|room| room["id"].as_str().unwrap().to_owned());
            same(&format!("the rooms of {user}"), list, &json!({ "rooms": rooms, "total_unread": unread }))?;
        }
        Ok(())
    }

    /// Waits until nothing is on its way to an inbox.
    async fn notices_are_delivered(&self) -> Result<(), String> {
        for _ in 0..4000 {
            if self.ground.store.notices(None, 1).await.is_ok_and(|left| left.is_empty()) {
                return Ok(());
            }
            self.node.node().sweep(true);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("notices are not delivered".to_owned())
    }

    /// Opens again what devices were told to open again.
    async fn reopen(&mut self) -> Result<(), String> {
        for device in &mut self.devices {
            device.settle().await.map_err(wrong)?;
            device.reopen().await.map_err(wrong)?;
        }
        Ok(())
    }

    /// Gives the devices time until they have heard what there is.
    async fn devices_agree(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        for _ in 0..ROUNDS {
            for device in &mut self.devices {
                device.settle().await.map_err(wrong)?;
            }
            outcome = self.devices.iter().try_for_each(|device| device.agrees(&self.worlds[0]));
            if outcome.is_ok() {
                return Ok(());
            }
            self.advance(SETTLED);
        }
        outcome
    }
}

impl Device {
    /// Returns what its user is shown of a room.
    async fn shown(&mut self, room: &Value, seq: u64, limit: usize) -> Result<Shown, String> {
        let got = self.call("room.get", json!({ "room": room })).await.map_err(wrong)?;
        let Ok(object) = got else {
            for op in ["room.history", "member.list", "room.open"] {
                let refused = self.call(op, json!({ "room": room })).await.map_err(wrong)?;
                let code = refused.map_err(|error| error["code"].clone());
                same(op, &json!(code.err()), &json!("not_found"))?;
            }
            return Ok(None);
        };
        let forwards = self.walk(room, "after", 100).await?;
        let backwards = self.walk(room, "before", limit).await?;
        same(
            &format!("pages of {limit} backwards and of 100 forwards"),
            &json!(backwards),
            &json!(forwards),
        )?;
        let list =
            self.call("member.list", json!({ "room": room })).await.map_err(wrong)?.unwrap_or_default();
        let one = |member: &Value| json!([member["user"]["id"], member["role"], member["joined_seq"]]);
        let members: Vec<_> = list["members"].as_array().into_iter().flatten().map(one).collect();
        let readers = self.call("read.list", json!({ "room": room, "seq": seq })).await.map_err(wrong)?;
        let is_message = forwards.iter().any(|entry| entry["seq"] == seq && entry["type"] == "message");
        let readers = readers.ok().filter(|_| is_message).map(|readers| {
            let mut users = readers["users"].as_array().cloned().unwrap_or_default();
            users.sort_by_key(Value::to_string);
            users
        });
        Ok(Some(json!({ "pages": forwards, "room": object, "members": members, "readers": readers })))
    }

    /// Walks the whole history in one direction.
    async fn walk(&mut self, room: &Value, way: &str, limit: usize) -> Result<Vec<Value>, String> {
        let mut all: Vec<Value> = Vec::new();
        let is_forwards = way == "after";
        let mut at = json!(if is_forwards { 0 } else { 1_u64 << 40 });
        loop {
            let asked = json!({ "room": room, way: at, "limit": limit });
            let page = self.call("room.history", asked).await.map_err(wrong)?;
            let page = page.map_err(|error| format!("no page for a member: {error}"))?;
            let messages = page["messages"].as_array().unwrap();
            let place = if is_forwards { all.len() } else { 0 };
            all.splice(place..place, messages.iter().cloned());
            let more = if is_forwards { &page["more_after"] } else { &page["more_before"] };
            let end = if is_forwards { messages.last() } else { messages.first() };
            match end {
                Some(end) if *more == true => at = end["seq"].clone(),
                _ if *more == true => return Err(format!("an empty page says there is more {way} {at}")),
                _ => return Ok(all),
            }
        }
    }

    /// Returns the rooms of its user, which have to come in their order, by id.
    async fn list(&mut self) -> Result<Value, String> {
        let list = self.call("room.list", json!({ "limit": 100 })).await.map_err(wrong)?;
        let list = list.map_err(|error| format!("no list: {error}"))?;
        let mut rooms = list["rooms"].as_array().unwrap().clone();
        if !rooms.is_sorted_by_key(|room| u64::MAX - room["head"]["at"].as_u64().unwrap()) {
            return Err(format!("not the newest first: {list}"));
        }
        rooms.sort_by_key(|room| room["id"].as_str().unwrap().to_owned());
        Ok(json!({ "rooms": rooms, "total_unread": list["total_unread"] }))
    }

    /// Whether what it has made of what it heard is what a fresh look would show.
    fn agrees(&self, world: &World) -> Result<(), String> {
        let me = self.user.as_str();
        let mut notices = std::collections::BTreeMap::new();
        for (_, kind, index, seq) in world.notices.iter().filter(|notice| notice.0 == me) {
            let what = format!("x.notice.{kind} in {}", world.rooms[*index].id.as_str().unwrap());
            notices.insert((what, *seq), 1);
        }
        if self.notices != notices {
            return Err(format!("notices of {me}: {:?} instead of {notices:?}", self.notices));
        }
        for (index, room) in world.rooms.iter().enumerate() {
            let Some(spot) = self.spots.get(room.id.as_str().unwrap()) else { continue };
            let what = |what: &str| format!("{what} in room {index} of a device of {me}");
            let Some(member) = room.member(me) else {
                if spot.is_open {
                    return Err(what("hearing what is not for it"));
                }
                continue;
            };
            if !spot.is_open {
                let badge = spot.badge.map(|badge| json!(badge));
                same(&what("badge"), &badge.unwrap_or_default(), &json!(room.unread(me)))?;
                continue;
            }
            same(&what("position"), &json!(spot.position), &json!(room.head()))?;
            let without_quote = |entry: &Value| {
                let mut entry = entry.clone();
                entry.as_object_mut().unwrap().remove("quoted");
                entry
            };
            let has: Vec<_> = spot.entries.values().map(without_quote).collect();
            let page: Vec<_> = room.pages(me).iter().map(without_quote).collect();
            same(&what("timeline"), &json!(has), &json!(page))?;
            same(&what("read"), &json!(spot.read.max(member.joined)), &json!(room.read(me)))?;
            same(&what("badge"), &json!(spot.unread(me)), &json!(room.unread(me)))?;
            for (user, other) in room.members() {
                let told = spot.reads.get(&user).copied().unwrap_or(0).max(other.joined);
                // Its own it hears as `read.me`; those of somebody it has a block with not at all.
                let told = if user == me { told.max(spot.read) } else { told };
                let read = room.read(&user);
                if !(room.kind == "direct" && world.had_block(me, &user) && told <= read) {
                    same(&what(&format!("read of {user}")), &json!(told), &json!(read))?;
                }
            }
        }
        Ok(())
    }
}

/// Says where two values differ first.
fn same(what: &str, is: &Value, expected: &Value) -> Result<(), String> {
    if is == expected {
        return Ok(());
    }
    match (is, expected) {
        (Value::Array(is), Value::Array(expected)) if is.len() == expected.len() => {
            let mut both = is.iter().zip(expected).enumerate();
            both.try_for_each(|(index, (is, expected))| same(&format!("{what} [{index}]"), is, expected))
        }
        (Value::Object(is), Value::Object(expected)) => {
            let mut names: Vec<_> = is.keys().chain(expected.keys()).collect();
            names.sort();
            let of = |fields: &serde_json::Map<String, Value>, name: &str| {
                fields.get(name).cloned().unwrap_or_default()
            };
            names
                .iter()
                .try_for_each(|name| same(&format!("{what}.{name}"), &of(is, name), &of(expected, name)))
        }
        _ => Err(format!("{what}:\n  is      {is}\n  expected {expected}")),
    }
}
