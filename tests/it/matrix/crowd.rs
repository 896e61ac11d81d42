//! Many at once: readers that have stopped, everybody coming back, a room that nobody has in memory.

use crate::chat::{passivate, say, say_body, say_many};
use crate::folder::Folder;
use crate::rooms::group;
use futures_util::future::join_all;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::TestNode;
use rookery_tests::proxy::FaultProxy;
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Readers that take nothing any more.
const STOPPED: usize = 40;

/// Messages of 16 kB, each of which is for all of them: 9.6 MB for each, 384 MB in all.
const MESSAGES: u64 = 600;

/// The most that the server may grow: a MiB for each of them, and as much again for itself.
const GROWTH_KIB: u64 = 2 * 1024 * STOPPED as u64;

#[tokio::test(flavor = "multi_thread")]
async fn stopped_readers_cost_no_more_than_their_outboxes_and_delay_nobody() {
    let folder = Folder::new("stopped");
    let server = Server::start(&folder.0, &[]);
    let token = server.user("alice");
    let mut a = Wire::log_in(server.http, &token).await;
    let mut reader = Wire::log_in(server.http, &token).await;
    let room = group(&mut a, "Tea", &[]).await;
    reader.ok("room.open", json!({ "room": room })).await;
    let mut stopped = Vec::new();
    for _ in 0..STOPPED {
        let mut wire = Wire::log_in(server.http, &token).await;
        wire.ok("room.open", json!({ "room": room })).await;
        stopped.push(wire);
    }
    let before = server.resident_kib();
    let big = json!({ "kind": "text", "text": "x".repeat(16_000) });
    for _ in 0..MESSAGES {
        let seq = say_body(&mut a, &room, &big).await;
        // Whoever reads hears each at once, whatever the others do.
        assert_eq!(reader.room_event().await["seq"], seq);
    }
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB, "grown by {grown} KiB for {STOPPED} readers");
    // One of them goes on: it is told that it lags, and then it misses nothing.
    let (mut last, mut lags) = (2, 0);
    let mut late = stopped.pop().unwrap();
    while last < 2 + MESSAGES {
        let event = late.event().await;
        if event["ev"] == "room.lagged" {
            lags += 1;
            late.ok("room.open", json!({ "room": room, "after": last })).await;
        } else {
            last += 1;
            assert_eq!(event["d"]["seq"], last);
        }
    }
    assert!(lags > 0, "the readers were never behind: the test shows nothing");
}

/// Clients that lose their connections in one moment: as many as one test can have say who they are within the
/// 5 s that a connection has for it.
const STORM: usize = 60;

/// How soon all of them are back.
const BACK: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn after_a_reset_of_all_connections_everybody_is_back_within_a_minute_and_who_stayed_is_served() {
    let folder = Folder::new("storm");
    let server = Server::start(&folder.0, &[]);
    let proxy = FaultProxy::start(server.http).await;
    let token = server.user("alice");
    let mut steady = Wire::log_in(server.http, &token).await;
    let room = group(&mut steady, "Tea", &[]).await;
    let mut wires = Vec::new();
    for _ in 0..STORM {
        let mut wire = Wire::log_in(proxy.address(), &token).await;
        wire.ok("room.open", json!({ "room": room })).await;
        wires.push(wire);
    }
    let last = say(&mut steady, &room, "before").await;
    let hear = |mut wire: Wire| async move {
        assert_eq!(wire.room_event().await["seq"], last);
        wire
    };
    let wires = join_all(wires.into_iter().map(hear)).await;
    proxy.reset();
    let (address, token, room_id) = (proxy.address(), &token, &room);
    let back = |mut wire: Wire| async move {
        assert_eq!(wire.closed().await, 1006);
        let mut wire = Wire::log_in(address, token).await;
        let opened = wire.ok("room.open", json!({ "room": room_id, "after": last })).await;
        assert_eq!(opened["status"], "replayed");
        wire
    };
    let all_back = tokio::time::timeout(BACK, join_all(wires.into_iter().map(back)));
    let mut said = vec![last];
    let serve = async {
        loop {
            said.push(say(&mut steady, &room, "meanwhile").await);
        }
    };
    let mut wires = tokio::select! {
        all_back = all_back => all_back.expect("everybody is back"),
        () = serve => unreachable!("it has no end"),
    };
    assert!(said.windows(2).all(|two| two[1] == two[0] + 1) && said.len() > 1, "{said:?}");
    // One that was taken without an answer may be there too.
    let end = steady.ok("room.get", json!({ "room": room })).await["head"]["seq"].as_u64().unwrap();
    for wire in &mut wires {
        for seq in last + 1..=end {
            assert_eq!(wire.room_event().await["seq"], seq);
        }
    }
}

/// Clients that open one room in one moment.
const CROWD: usize = 100;

/// What each of them reads for itself: its own row of the room, and how far others have read.
const OWN_READS: u64 = 2;

#[tokio::test]
async fn a_crowd_that_opens_a_room_which_nobody_has_in_memory_reads_its_log_and_its_members_once() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let alice = node.user("alice").await;
    let mut wires = Vec::new();
    for _ in 0..CROWD {
        wires.push(Wire::log_in(node.http(), alice.token()).await);
    }
    let room = group(&mut wires[0], "Tea", &[]).await;
    say_many(&mut wires[0], &room, 300).await;
    let reads = async |store: &FaultStore<MemoryStore>, wires: &mut [Wire]| {
        passivate(&node).await;
        let before = store.reads();
        join_all(wires.iter_mut().map(|wire| open(wire, &room))).await;
        store.reads() - before
    };
    let alone = reads(&store, &mut wires[..1]).await;
    // They answer the ping of the time that has passed.
    join_all(wires.iter_mut().map(Wire::settle)).await;
    let together = reads(&store, &mut wires).await;
    let own = OWN_READS * (CROWD as u64 - 1);
    assert!(together <= alone + own, "{together} reads for {CROWD} clients, {alone} for one");
}

/// Opens the room a bit below its head, and hears what is missing.
async fn open(wire: &mut Wire, room: &Value) {
    let opened = wire.ok("room.open", json!({ "room": room, "after": 280 })).await;
    assert_eq!((&opened["status"], &opened["head"]["seq"]), (&json!("replayed"), &json!(302)));
    for seq in 281..=302 {
        assert_eq!(wire.room_event().await["seq"], seq);
    }
}
