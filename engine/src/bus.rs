//! The bus port: what the nodes of a cluster tell each other in a hurry, and who is there.
//!
//! Nothing lives only here. A frame may be lost, never changed, and between two nodes frames arrive
//! in the order in which they were sent or not at all; whoever hears [`Heard::Lost`] has to look
//! into the store. One machine has no bus: [`Alone`] is the port of a node without others.

mod alone;

pub use alone::Alone;

use crate::throttle::{Rule, Throttled};
use bytes::Bytes;
use rookery_protocol::Timestamp;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

/// One run of one server: a server that starts again is another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Which.
    pub id: NodeId,
    /// Its name, for people; the same over restarts.
    pub name: String,
    /// Where clients reach it: scheme and host; empty where they are not told.
    pub url: String,
    /// Connections that it has.
    pub connections: u64,
    /// Connections that it takes at most.
    pub capacity: u64,
    /// Whether it is going down: it takes nobody in, and no room has its home there.
    pub is_draining: bool,
}

/// The nodes whose lease holds, as last heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Whether the bus is there. While it is not, `nodes` is what was known last.
    pub is_connected: bool,
    /// All of them, this node included, ascending by id.
    pub nodes: Vec<Peer>,
}

/// What a node hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Another node has sent this.
    Frame {
        /// Who.
        from: NodeId,
        /// What.
        frame: Bytes,
    },
    /// Frames may have been lost before this point.
    Lost,
}

/// Why the bus did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("have the bus answer: {0}")]
pub struct BusError(pub String);

/// What a method of the bus returns that waits for its answer.
pub type BusAnswer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BusError>> + Send + 'a>>;

/// One node's end of the bus.
pub trait Bus: std::fmt::Debug + Send + Sync + 'static {
    /// Returns this node.
    fn id(&self) -> NodeId;

    /// Sends `frame`, of at most [`crate::limits::BUS_FRAME`] bytes, to one node. Never waits. Returns
    /// whether it is on its way: not while the bus is away or too much waits.
    fn send(&self, to: NodeId, frame: Bytes) -> bool;

    /// Sends `frame` to every other node, as [`Bus::send`] does to one.
    fn broadcast(&self, frame: Bytes) -> bool;

    /// Waits for what this node hears next. One task at a time asks.
    ///
    /// # Cancel safety
    /// Safe: what was not returned is returned by the next call.
    fn hear(&self) -> Pin<Box<dyn Future<Output = Heard> + Send + '_>>;

    /// Returns which nodes are there, and follows it.
    fn peers(&self) -> watch::Receiver<Arc<Peers>>;

    /// Has the others know this of the node from the next renewal of its lease on, and at once where
    /// `is_draining` changes.
    fn announce(&self, me: Peer);

    /// Keeps `value` as this node's under `key`, for as long as the node's lease holds; `None` takes it
    /// away. At most [`crate::limits::BUS_VALUE`] bytes. Never waits; after a loss of the bus it is kept
    /// again without being asked for.
    fn put(&self, key: Uuid, value: Option<Bytes>);

    /// Returns the values that the nodes whose lease holds keep under each of `keys`, in their order.
    fn get<'a>(&'a self, keys: &'a [Uuid]) -> BusAnswer<'a, Vec<Vec<(NodeId, Bytes)>>>;

    /// Takes one try of `who` under `rule`, counted over all nodes.
    fn throttle<'a>(
        &'a self,
        rule: Rule,
        who: &'a str,
        now: Timestamp,
    ) -> BusAnswer<'a, Result<(), Throttled>>;

    /// Gives the lease back, so that the others know at once, and sends nothing any more.
    fn close(&self) -> BusAnswer<'_, ()>;
}
