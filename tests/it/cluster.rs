//! Several nodes over one store, joined by a bus that tests break.

mod admin;
mod delivery;
mod faults;
mod limits;
mod operators;
mod over_redis;
mod presence;
mod signals;
mod story;
mod traces;
mod words;

use crate::chat::{draft, text};
use crate::http::call;
use crate::servers::Otlp;
use rookery_engine::bus::{MemoryBuses, NodeId};
use rookery_engine::store::Store;
use rookery_engine::trace::Tracer;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_protocol::RoomId;
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long what must happen is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster in one process.
#[derive(Debug)]
struct Cluster {
    buses: MemoryBuses,
    store: MemoryStore,
    stores: Vec<Arc<FaultStore<MemoryStore>>>,
    beat: Duration,
    nodes: Vec<TestNode>,
    /// Where their messages are traced to, if they are.
    otlp: Option<Otlp>,
}

fn id(node: usize) -> NodeId {
    NodeId(uuid::Uuid::from_u128(node as u128 + 1))
}

impl Cluster {
    /// Starts nodes that know of each other.
    async fn start(nodes: usize) -> Self {
        Self::with_beat(nodes, TestNodeOptions::default().cluster_beat).await
    }

    /// Starts nodes that wait for each other for a multiple of `beat`.
    async fn with_beat(nodes: usize, beat: Duration) -> Self {
        let (buses, store, stores) = (MemoryBuses::new(), MemoryStore::new(), Vec::new());
        let mut cluster = Self { buses, store, stores, beat, nodes: Vec::new(), otlp: None };
        for _ in 0..nodes {
            cluster.join().await;
        }
        cluster
    }

    /// Starts nodes that trace every message.
    async fn traced(nodes: usize) -> Self {
        let mut cluster = Self::with_beat(0, TestNodeOptions::default().cluster_beat).await;
        cluster.otlp = Some(Otlp::start());
        for _ in 0..nodes {
            cluster.join().await;
        }
        cluster
    }

    /// Starts one more node.
    async fn join(&mut self) {
        let store = Arc::new(FaultStore::by_hand(self.store.again()));
        self.stores.push(Arc::clone(&store));
        let number = u8::try_from(self.nodes.len() + 1).unwrap();
        let options = TestNodeOptions::of_cluster(store as Arc<dyn Store>, &self.buses, number);
        let on = |otlp: &Otlp| otlp.tracer(&format!("n{number}"), 1.0);
        let tracer = self.otlp.as_ref().map_or_else(Tracer::off, on);
        let options = TestNodeOptions { cluster_beat: self.beat, tracer, ..options };
        self.nodes.push(TestNode::with(options).await);
        self.agree().await;
    }

    /// Waits until all nodes have the same homes.
    async fn agree(&self) {
        // Enough rooms that each node is the home of some.
        let rooms: Vec<_> = (0..64).map(|number| RoomId(uuid::Uuid::from_u128(number))).collect();
        let nodes = self.nodes.len();
        within("the nodes to agree", || {
            let homes =
                |node: &TestNode| -> Vec<_> { rooms.iter().map(|room| node.node().home_of(*room)).collect() };
            let all: Vec<_> = self.nodes.iter().map(homes).collect();
            all.windows(2).all(|two| two[0] == two[1]) && (0..nodes).all(|node| all[0].contains(&id(node)))
        })
        .await;
    }

    /// Connects a user to a node.
    async fn wire(&self, node: usize, user: &TestUser) -> Wire {
        Wire::log_in(self.nodes[node].http(), user.token()).await
    }

    /// Registers users, connects each to the node of its number, and has them open a group of all.
    async fn group(&self, handles: &[&str]) -> (Vec<TestUser>, Vec<Wire>, Value) {
        let (mut users, mut wires) = (Vec::new(), Vec::new());
        for (number, handle) in handles.iter().enumerate() {
            let node = number % self.nodes.len();
            users.push(self.nodes[node].user(handle).await);
            wires.push(self.wire(node, &users[number]).await);
        }
        let others: Vec<_> = users.iter().skip(1).collect();
        let room = crate::rooms::group(&mut wires[0], "Tea", &others).await;
        for wire in &mut wires {
            wire.ok("room.open", json!({ "room": room })).await;
        }
        (users, wires, room)
    }

    /// Makes groups until one has its home on `node`, and has everybody open it.
    async fn group_at(&self, node: usize, handles: &[&str]) -> (Vec<TestUser>, Vec<Wire>, Value) {
        let (users, mut wires, mut room) = self.group(handles).await;
        let others: Vec<_> = users.iter().skip(1).collect();
        while self.home(&room) != Some(node) {
            room = crate::rooms::group(&mut wires[0], "Tea", &others).await;
        }
        for wire in &mut wires {
            wire.ok("room.open", json!({ "room": room })).await;
        }
        (users, wires, room)
    }

    /// Returns the number of the node where a room has its home, as all nodes say; none where they do not
    /// agree just now.
    fn home(&self, room: &Value) -> Option<usize> {
        let homes: Vec<_> = self.nodes.iter().map(|node| node.node().home_of(room_id(room))).collect();
        let is_agreed = homes.iter().all(|home| *home == homes[0]);
        (0..self.nodes.len()).find(|node| is_agreed && id(*node) == homes[0])
    }

    /// Returns what a node has counted.
    async fn counted(&self, node: usize) -> HashMap<String, f64> {
        let answer = call(self.nodes[node].admin(), "GET", "/metrics", &[], &Value::Null).await;
        let text = answer.text();
        let counted = |(name, value): (&str, &str)| Some((name.to_owned(), value.parse().ok()?));
        rookery_tests::server::series(&text).filter_map(counted).collect()
    }

    /// Cuts a node off from all others, in both directions.
    fn cut_off(&self, node: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            self.buses.cut(id(node), id(other));
            self.buses.cut(id(other), id(node));
        }
    }

    /// Ends all cuts.
    fn heal(&self) {
        for from in 0..self.nodes.len() {
            for to in 0..self.nodes.len() {
                self.buses.heal(id(from), id(to));
            }
        }
    }
}

fn room_id(room: &Value) -> RoomId {
    serde_json::from_value(room.clone()).unwrap()
}

/// Waits until `is_so`.
async fn within(what: &str, is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited too long for {what}");
}

/// Sends a text and returns the id of the command.
async fn send(wire: &mut Wire, room: &Value, said: &str) -> u64 {
    wire.send("message.send", draft(room, &text(said))).await
}

/// Waits for the next events of a room and returns their positions and texts.
async fn texts(wire: &mut Wire, count: usize) -> Vec<(u64, String)> {
    let mut texts = Vec::new();
    for _ in 0..count {
        let event = wire.room_event().await;
        let said = event["body"]["text"].as_str().unwrap_or_default().to_owned();
        texts.push((event["seq"].as_u64().unwrap(), said));
    }
    texts
}
