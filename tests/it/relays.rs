//! A room of more listeners than its actor tells by itself: relays do, and nobody can see that.

use crate::http::call;
use crate::rooms::{fresh, group};
use rookery_engine::Connection;
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::server::series;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// Listeners that one actor tells here: as many as hear an inbox, so that only the room is large.
const SLICE: usize = DEVICES;

/// Connections of each of three users.
const DEVICES: usize = 8;

/// The slices that 24 listeners are divided into.
const RELAYS: u32 = 4;

/// The position of the first message.
const FIRST: u64 = 6;

/// How often each of them opens the room again.
const AGAIN: u64 = 16;

/// How often a test looks for what comes to be without anybody saying so.
const LOOKS: usize = 500;

struct Crowd {
    node: TestNode,
    owner: Wire,
    users: Vec<TestUser>,
    room: Value,
    /// Of all users in turn, with the room open.
    devices: Vec<Wire>,
}

impl Crowd {
    async fn gather() -> Self {
        let node = TestNode::with(TestNodeOptions { slice: SLICE, ..TestNodeOptions::default() }).await;
        let owner = node.user("alice").await;
        let mut owner = Wire::log_in(node.http(), owner.token()).await;
        let mut users = Vec::new();
        for handle in ["bob", "carol", "dave"] {
            users.push(node.user(handle).await);
        }
        let room = group(&mut owner, "Hall", &users.iter().collect::<Vec<_>>()).await;
        let mut devices = Vec::new();
        for index in 0..DEVICES * users.len() {
            let mut device = Wire::log_in(node.http(), users[index % users.len()].token()).await;
            device.ok("room.open", json!({ "room": room })).await;
            devices.push(device);
        }
        let crowd = Self { node, owner, users, room, devices };
        crowd.has_relays(RELAYS).await;
        crowd
    }

    /// Waits until so many relays run.
    async fn has_relays(&self, wanted: u32) {
        self.counts("rookery_actors{kind=\"relay\"}", wanted).await;
    }

    async fn count(&self, name: &str) -> u32 {
        let page = call(self.node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
        let found = series(&page).find(|(series, _)| *series == name);
        found.unwrap_or_else(|| panic!("there is no series {name}")).1.parse().unwrap()
    }

    async fn counts(&self, name: &str, wanted: u32) {
        let mut found = 0;
        for _ in 0..LOOKS {
            found = self.count(name).await;
            if found == wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{name} is {found} and not {wanted}");
    }

    /// Sends messages without waiting for answers. Returns the ids of the commands.
    async fn say(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let name = uuid::Uuid::from_u128(fresh());
            let d = json!({ "room": self.room, "client_id": name, "body": { "kind": "text", "text": "hi" } });
            ids.push(self.owner.send("message.send", d).await);
        }
        ids
    }

    async fn acked(&mut self, ids: Vec<u64>) {
        for id in ids {
            self.owner.reply(id).await.unwrap();
        }
    }
}

/// Hears exactly these positions, and nothing more of the room when it is closed.
async fn hears_all(device: &mut Wire, room: &Value, positions: RangeInclusive<u64>) {
    for seq in positions {
        assert_eq!(device.room_event().await["seq"], seq);
    }
    ends(device, room).await;
}

/// Closes the room, before which it hears what waits for it, and has heard nothing that was not asked for.
async fn ends(device: &mut Wire, room: &Value) {
    device.ok("room.close", json!({ "room": room })).await;
    assert_eq!(device.unasked(), Vec::<Value>::new());
}

#[tokio::test]
async fn everybody_in_a_large_room_hears_every_message_once_and_in_order() {
    let mut crowd = Crowd::gather().await;
    let before = crowd.count("rookery_fan_out_recipients_sum").await;
    let ids = crowd.say(200).await;
    crowd.acked(ids).await;
    for device in &mut crowd.devices {
        hears_all(device, &crowd.room, FIRST..=FIRST + 199).await;
    }
    let deliveries = 200 * u32::try_from(crowd.devices.len()).unwrap();
    crowd.counts("rookery_fan_out_recipients_sum", before + deliveries).await;
    // The list is one again, and is told by the room.
    crowd.devices[0].ok("room.open", json!({ "room": crowd.room })).await;
    crowd.node.advance(Duration::from_secs(1));
    crowd.has_relays(0).await;
    let ids = crowd.say(1).await;
    crowd.acked(ids).await;
    hears_all(&mut crowd.devices[0], &crowd.room, FIRST + 200..=FIRST + 200).await;
}

#[tokio::test]
async fn who_is_removed_from_a_large_room_hears_that_last() {
    let mut crowd = Crowd::gather().await;
    let before = crowd.say(20).await;
    let remove = json!({ "room": crowd.room, "user": crowd.users[0].id() });
    let removal = crowd.owner.send("member.remove", remove).await;
    let after = crowd.say(20).await;
    crowd.acked(before).await;
    let removal = crowd.owner.reply(removal).await.unwrap();
    crowd.acked(after).await;
    assert_eq!(removal["seq"], FIRST + 20);
    for (index, device) in crowd.devices.iter_mut().enumerate() {
        if index % crowd.users.len() > 0 {
            hears_all(device, &crowd.room, FIRST..=FIRST + 40).await;
            continue;
        }
        for seq in FIRST..=FIRST + 20 {
            assert_eq!(device.room_event().await["seq"], seq);
        }
        let notice = json!({ "ev": "room.removed", "d": { "room": crowd.room, "seq": FIRST + 20 } });
        assert_eq!(device.event().await, notice);
        ends(device, &crowd.room).await;
    }
}

/// Hears until the room is open, and until `head` after that. Returns what it heard before and after.
async fn opened(device: &mut Wire, id: u64, head: u64) -> (Vec<u64>, u64, Vec<u64>) {
    let (mut before, mut after, mut from) = (Vec::new(), Vec::new(), None);
    while from.is_none() || after.last().is_none_or(|last| *last < head) {
        let Heard::Said(said) = device.heard().await else { panic!("closed") };
        if said["id"] == id {
            from = said["ok"]["from"].as_u64();
            assert!(from.is_some(), "{said}");
        } else {
            let seq = said["d"]["seq"].as_u64().unwrap();
            if from.is_some() { after.push(seq) } else { before.push(seq) }
        }
    }
    (before, from.unwrap(), after)
}

#[tokio::test]
async fn whoever_opens_a_large_room_amid_its_traffic_lacks_nothing() {
    let mut crowd = Crowd::gather().await;
    let mut ids = crowd.say(30).await;
    let mut opening = Vec::new();
    // Half of them come anew, half have it open and open it again from where they were.
    for index in 0..16 {
        let mut device = if index % 2 == 0 {
            Wire::log_in(crowd.node.http(), crowd.users[1].token()).await
        } else {
            crowd.devices.pop().unwrap()
        };
        let id = device.send("room.open", json!({ "room": crowd.room, "after": FIRST - 1 })).await;
        opening.push((device, id));
        ids.extend(crowd.say(10).await);
    }
    crowd.acked(ids).await;
    let head = FIRST + 30 + 160 - 1;
    for (index, (mut device, id)) in opening.into_iter().enumerate() {
        let (before, from, after) = opened(&mut device, id, head).await;
        assert_eq!(from, FIRST);
        assert_eq!(after, (FIRST..=head).collect::<Vec<_>>());
        let told = before.len() as u64;
        assert!(index % 2 == 1 || told == 0, "it had not opened the room");
        assert_eq!(before, (FIRST..FIRST + told).collect::<Vec<_>>());
        ends(&mut device, &crowd.room).await;
    }
    for device in &mut crowd.devices {
        hears_all(device, &crowd.room, FIRST..=head).await;
    }
}

/// Hears of answers to `ids`, which opened the room at its head one after the other, until `head`: whatever was told
/// before an answer is not told after it, and nothing is left out between.
async fn opened_again(device: &mut Wire, ids: &[u64], head: u64) {
    let (mut next, mut left) = (FIRST, ids.len());
    while left > 0 || next <= head {
        let Heard::Said(said) = device.heard().await else { panic!("closed") };
        if said["id"].as_u64().is_some_and(|id| ids.contains(&id)) {
            assert_eq!(said["ok"]["from"], next, "{said}");
            left -= 1;
        } else {
            assert_eq!(said["d"]["seq"], next, "{said}");
            next += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_a_large_room_again_and_again_hears_everything_once() {
    let mut crowd = Crowd::gather().await;
    let (mut said, mut opening) = (Vec::new(), vec![Vec::new(); crowd.devices.len()]);
    for _ in 0..AGAIN {
        said.extend(crowd.say(2).await);
        for (device, ids) in crowd.devices.iter_mut().zip(&mut opening) {
            ids.push(device.send("room.open", json!({ "room": crowd.room })).await);
        }
    }
    crowd.acked(said).await;
    let head = FIRST + 2 * AGAIN - 1;
    for (device, ids) in crowd.devices.iter_mut().zip(&opening) {
        opened_again(device, ids, head).await;
        ends(device, &crowd.room).await;
    }
}

/// Stands where a socket's task waits, and panics once in whoever wakes it.
struct Breaks(AtomicBool);

impl Wake for Breaks {
    fn wake(self: Arc<Self>) {
        assert!(self.0.swap(true, Ordering::SeqCst), "the test broke the socket's task");
    }
}

#[tokio::test]
async fn a_relay_that_panics_while_it_tells_loses_nothing_and_is_replaced() {
    let mut crowd = Crowd::gather().await;
    let connections: Mutex<Vec<Arc<Connection>>> = Mutex::default();
    crowd.node.node().connections().each(|connection| {
        if connection.identity().is_some_and(|(user, _)| user == crowd.users[0].id()) {
            connections.lock().unwrap().push(Arc::clone(connection));
        }
    });
    for (round, connection) in connections.into_inner().unwrap().iter().take(3).enumerate() {
        let waker = Waker::from(Arc::new(Breaks(AtomicBool::new(false))));
        connection.outbox().wake_with(&Context::from_waker(&waker));
        let ids = crowd.say(5).await;
        crowd.acked(ids).await;
        let failures = u32::try_from(round + 1).unwrap();
        crowd.counts("rookery_actor_failures_total{kind=\"relay\",reason=\"panic\"}", failures).await;
        crowd.has_relays(RELAYS).await;
        // Whose task nobody has woken: a command does.
        for device in &mut crowd.devices {
            device.settle().await;
        }
    }
    for device in &mut crowd.devices {
        hears_all(device, &crowd.room, FIRST..=FIRST + 14).await;
    }
    crowd.counts("rookery_actor_failures_total{kind=\"room\",reason=\"panic\"}", 0).await;
}

#[tokio::test]
async fn relays_go_with_their_room_and_come_back_with_it() {
    let mut crowd = Crowd::gather().await;
    crowd.node.advance(Duration::from_secs(61));
    crowd.has_relays(0).await;
    assert_eq!(crowd.node.node().active_rooms(), 0);
    let ids = crowd.say(3).await;
    crowd.acked(ids).await;
    crowd.has_relays(RELAYS).await;
    for device in &mut crowd.devices {
        hears_all(device, &crowd.room, FIRST..=FIRST + 2).await;
    }
}
