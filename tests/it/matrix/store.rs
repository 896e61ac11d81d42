//! The real binary over a real Cassandra that is slow, or gone.

use super::pipeline;
use crate::chat::{draft, text};
use crate::folder::Folder;
use crate::rooms::{fresh, group};
use crate::servers::Cassandra;
use futures_util::future::join_all;
use rookery_tests::proxy::{Direction, FaultProxy, Way};
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How soon a send is refused that cannot be done.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);

/// How much later each answer of a slow store comes: an append asks several times.
const SLOW: Duration = Duration::from_millis(500);

/// How long the store is slow.
const SLOW_FOR: Duration = Duration::from_secs(15);

/// Connections that send all the time, each as many as it may: more than a room takes.
const SENDERS: usize = 10;

/// The most that the server may grow meanwhile: nothing waits but 256 drafts.
const GROWTH_KIB: u64 = 48 * 1024;

/// A server whose way to its store breaks.
struct Scene {
    proxy: FaultProxy,
    server: Server,
    token: String,
    wire: Wire,
    room: Value,
    _cassandra: Cassandra,
    _folder: Folder,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let cassandra = Cassandra::find();
        let proxy = FaultProxy::start(cassandra.address).await;
        let folder = Folder::new(name);
        let keyspace = format!("{name}_{}_{}", std::process::id(), fresh() & 0xffff);
        let nodes = proxy.address().to_string();
        let env = [
            ("ROOKERY_STORAGE__CQL_NODES", nodes.as_str()),
            ("ROOKERY_STORAGE__CQL_KEYSPACE", &keyspace),
            ("ROOKERY_STORAGE__CQL_REPLICATION", "1"),
            ("ROOKERY_AUTH__ACCESS_TOKEN_MINUTES", "60"),
        ];
        let server = Server::start(&folder.0, &env);
        let token = server.user("alice");
        let mut wire = Wire::log_in(server.http, &token).await;
        let room = group(&mut wire, "Tea", &[]).await;
        wire.ok("room.open", json!({ "room": room })).await;
        Self { proxy, server, token, wire, room, _cassandra: cassandra, _folder: folder }
    }

    /// Returns the texts of the room and where they are.
    async fn log(&mut self) -> BTreeMap<String, u64> {
        let (mut log, mut after) = (BTreeMap::new(), 0);
        loop {
            let asked = json!({ "room": self.room, "after": after, "limit": 100 });
            let page = self.wire.ok("room.history", asked).await;
            for event in page["messages"].as_array().unwrap() {
                let seq = event["seq"].as_u64().unwrap();
                assert_eq!(seq, after + 1, "without a gap");
                after = seq;
                let said = event["body"]["text"].as_str().map(str::to_owned);
                let twice = said.and_then(|said| log.insert(said, seq));
                assert_eq!(twice, None, "written once");
            }
            if page["more_after"] == false {
                return log;
            }
        }
    }
}

/// Sends without a rest until then. Returns what was acked, and how often it was told to come back later.
async fn send_until(
    wire: &mut Wire,
    room: &Value,
    name: usize,
    until: Instant,
) -> (BTreeMap<String, u64>, usize) {
    let (mut acked, mut refused) = (BTreeMap::new(), 0);
    for round in 0.. {
        if Instant::now() > until {
            break;
        }
        let texts = (0..32).map(|number| format!("{name}.{round}.{number}"));
        for (id, draft) in pipeline(wire, room, texts).await {
            match wire.reply(id).await {
                Ok(sent) => {
                    acked.insert(super::said(&draft).to_owned(), sent["seq"].as_u64().unwrap());
                }
                Err(error) => {
                    assert_eq!(error["retryable"], true, "{error}");
                    refused += 1;
                }
            }
        }
    }
    (acked, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_store_bounds_what_is_under_way_and_memory_stays_flat() {
    let mut scene = Scene::new("slow").await;
    let mut wires = Vec::new();
    for _ in 0..SENDERS {
        wires.push(Wire::log_in(scene.server.http, &scene.token).await);
    }
    let before = scene.server.resident_kib();
    scene.proxy.set(Direction::Replies, Way::Delayed(SLOW));
    let until = Instant::now() + SLOW_FOR;
    let sending = wires.iter_mut().enumerate().map(|(name, wire)| send_until(wire, &scene.room, name, until));
    let sent = join_all(sending).await;
    let grown = scene.server.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB, "grown by {grown} KiB");
    scene.proxy.set_both(Way::Open);
    let refused: usize = sent.iter().map(|(_, refused)| refused).sum();
    assert!(refused > 0, "the room never had too much: the test shows nothing");
    let log = scene.log().await;
    for (said, seq) in sent.iter().flat_map(|(acked, _)| acked) {
        assert_eq!(log.get(said), Some(seq), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_costs_the_sends_and_no_socket() {
    let mut scene = Scene::new("gone").await;
    let mut acked = BTreeMap::new();
    for round in 0..3 {
        let said = format!("before {round}");
        let sent = scene.wire.ok("message.send", draft(&scene.room, &text(&said))).await;
        acked.insert(said, sent["seq"].as_u64().unwrap());
        scene.wire.room_event().await;
        scene.proxy.refuse().await;
        scene.proxy.reset();
        for attempt in 0..3 {
            let began = Instant::now();
            let lost = draft(&scene.room, &text(&format!("lost {round} {attempt}")));
            let error = scene.wire.call("message.send", lost).await.unwrap_err();
            assert_eq!(error["retryable"], true, "{error}");
            assert!(began.elapsed() < REFUSED_WITHIN, "{:?}: {error}", began.elapsed());
        }
        scene.wire.settle().await;
        scene.proxy.take().await;
        // On the same socket, as soon as the server is connected again.
        let mut after = draft(&scene.room, &text(&format!("after {round}")));
        let sent = loop {
            match scene.wire.call("message.send", after.clone()).await {
                Ok(sent) => break sent,
                Err(error) => assert_eq!(error["retryable"], true, "{error}"),
            }
            after["attempt"] = json!(after["attempt"].as_u64().unwrap_or(1) + 1);
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        acked.insert(format!("after {round}"), sent["seq"].as_u64().unwrap());
        scene.wire.settle().await;
        scene.wire.unasked();
    }
    let log = scene.log().await;
    assert!(acked.iter().all(|(said, seq)| log.get(said) == Some(seq)), "{acked:?} {log:?}");
}
