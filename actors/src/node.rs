//! A node: the plain value that owns everything of one server. There is nothing global, so several
//! live in one process.

mod admit;
mod courier;
mod drain;
mod logins;
mod readiness;
mod rooms;
mod slots;
mod standing;

pub use drain::CLOSES_WITHIN;
pub use readiness::Check;
pub use standing::{HotRoom, HotRooms, LinkState, NodeStanding, NodesStanding, RoomStanding, RoomsStanding};

use crate::cluster::Cluster;
use crate::identity::Authenticator;
use crate::presence::Presence;
use crate::rates::{RateConfig, Rates};
use crate::refusals::Refusals;
use crate::room::RoomMessage;
use crate::session::{Awake, SessionMessage, SessionRef};
use crate::sweeper;
use ractor::{ActorCell, SpawnErr};
use readiness::Committing;
use rookery_engine::admission::Admission;
use rookery_engine::bus::Bus;
use rookery_engine::metrics::ActorKind;
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use rookery_engine::trace::Tracer;
use rookery_engine::{
    Clock, Connection, Connections, Directory, Hub, Metrics, Parking, Random, Supervisors, Tasks,
    UserConnections, limits,
};
use rookery_protocol::{CloseCode, Codec, Frame, RoomId, ServerEvent};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// What a node is told about how to run.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Supervisors of each kind of actor.
    pub supervisors: usize,
    /// A room that was not used for this long is passivated.
    pub room_idle: Duration,
    /// Listeners of a room that one actor tells; where there are more, relays do.
    pub slice: usize,
    /// Where people open what the server gives them links to: scheme and host, without a slash at its end.
    pub public_url: String,
    /// Whether the limits by user are lifted: for tests and benches only.
    pub is_relaxed: bool,
    /// How much may be done in a second, where they are not.
    pub rates: RateConfig,
    /// Whether the sweeper runs by itself; tests call [`Node::sweep`] instead.
    pub sweeps: bool,
    /// How often it says to other nodes that it is there; all of a cluster have the same.
    pub cluster_beat: Duration,
}

impl Default for NodeConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            supervisors: 2 * cores,
            room_idle: limits::ROOM_IDLE,
            slice: limits::SLICE,
            public_url: "http://localhost".to_owned(),
            is_relaxed: false,
            rates: RateConfig::default(),
            sweeps: true,
            cluster_beat: limits::CLUSTER_BEAT,
        }
    }
}

/// What a node is made of.
#[derive(Debug)]
pub struct NodeParts {
    /// Its name, which clients see.
    pub name: String,
    /// How it runs.
    pub config: NodeConfig,
    /// Where it keeps things.
    pub store: Arc<dyn Store>,
    /// What finds messages by their words, among what is kept there.
    pub search: Arc<dyn Search>,
    /// The other nodes; one machine has [`rookery_engine::bus::Alone`].
    pub bus: Arc<dyn Bus>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Who knows tokens.
    pub authenticator: Arc<dyn Authenticator>,
    /// What it counts with.
    pub metrics: Metrics,
    /// What it traces messages with.
    pub tracer: Tracer,
    /// What the bus, the store and the search run by themselves: stopped when the node's lease is given back,
    /// before the store is closed.
    pub ports: Tasks,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime is going down.
    #[error("start the supervisors")]
    Supervisors(#[from] SpawnErr),
}

/// One server.
#[derive(Debug)]
pub struct Node {
    parts: Parts,
    tracer: Tracer,
    hub: Hub,
    connections: Connections,
    users: UserConnections,
    /// Rooms that have something to do at the sweeper's next look.
    restless: Mutex<HashSet<RoomId>>,
    /// Rooms whose actor went before it could tell their heads.
    unheard: Mutex<HashSet<RoomId>>,
    rooms: Directory<RoomId, RoomMessage>,
    parked: Parking<RoomId>,
    rates: Rates,
    pub(crate) refusals: Refusals,
    presence: Arc<Presence>,
    cluster: Cluster,
    /// Held while the consequences of a block are looked up.
    pub(crate) blocks: tokio::sync::Mutex<()>,
    /// Held while a room's picture is kept in place of the one before.
    pub(crate) avatars: tokio::sync::Mutex<()>,
    session_supervisors: Supervisors,
    room_supervisors: Supervisors,
    relay_supervisors: Supervisors,
    /// Sessions whose actors run.
    awake: Awake,
    tasks: Tasks,
    /// Wakes the courier.
    has_notices: Notify,
    /// Counts the logins that were said to be over.
    logins_ended: AtomicU64,
    /// Messages that were ordered here and acked.
    messages: AtomicU64,
    is_draining: AtomicBool,
    admission: Admission,
    /// Connections that it takes since a reload; 0 before.
    capacity: AtomicU64,
    /// The clock at the sweeper's last look, in milliseconds.
    swept: AtomicU64,
    committing: Committing,
}

#[derive(Debug)]
struct Parts {
    name: String,
    config: NodeConfig,
    store: Arc<dyn Store>,
    search: Arc<dyn Search>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    authenticator: Arc<dyn Authenticator>,
    metrics: Arc<Metrics>,
    ports: Tasks,
}

impl Node {
    /// Starts a node.
    ///
    /// # Errors
    /// When the runtime is going down.
    pub async fn start(parts: NodeParts) -> Result<Arc<Self>, StartError> {
        let NodeParts {
            name,
            config,
            store,
            search,
            bus,
            clock,
            random,
            authenticator,
            metrics,
            ports,
            tracer,
        } = parts;
        let (supervisors, metrics) = (config.supervisors, Arc::new(metrics));
        let node = Arc::new(Self {
            hub: Hub::new(),
            connections: Connections::new(),
            users: UserConnections::new(),
            restless: Mutex::default(),
            unheard: Mutex::default(),
            rooms: Directory::new(),
            parked: Parking::new(),
            rates: if config.is_relaxed {
                Rates::relaxed()
            } else {
                Rates::strict(config.rates, &bus, &metrics.commands.limits)
            },
            refusals: Refusals::new(),
            blocks: tokio::sync::Mutex::default(),
            avatars: tokio::sync::Mutex::default(),
            presence: Presence::new(Arc::clone(&clock), Arc::clone(&metrics), &*bus, config.cluster_beat),
            cluster: Cluster::new(bus, config.cluster_beat, Arc::clone(&metrics)),
            session_supervisors: Supervisors::start(supervisors, metrics.actors.of(ActorKind::Session))
                .await?,
            room_supervisors: Supervisors::start(supervisors, metrics.actors.of(ActorKind::Room)).await?,
            // They come and go with thousands of listeners.
            relay_supervisors: Supervisors::start(1, metrics.actors.of(ActorKind::Relay)).await?,
            awake: Awake::default(),
            tasks: Tasks::new(),
            has_notices: Notify::new(),
            logins_ended: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            is_draining: AtomicBool::new(false),
            admission: Admission::new(),
            capacity: AtomicU64::new(0),
            swept: AtomicU64::new(0),
            committing: Committing::default(),
            parts: Parts { name, config, store, search, clock, random, authenticator, metrics, ports },
            tracer,
        });
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and milliseconds are exact in it"
        )]
        node.metrics().process.started.set(node.clock().now().0 as f64 / 1000.0);
        node.tasks.spawn(courier::run(Arc::clone(&node)));
        Cluster::start(&node, &node.tasks);
        if node.parts.config.sweeps {
            node.tasks.spawn(sweeper::run(Arc::clone(&node)));
        }
        Ok(node)
    }

    /// Returns the node's name.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// Returns how the node runs.
    pub const fn config(&self) -> &NodeConfig {
        &self.parts.config
    }

    /// Returns where the node keeps things.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// Returns what finds messages by their words.
    pub(crate) fn search(&self) -> &Arc<dyn Search> {
        &self.parts.search
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// Returns the source of chance.
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.parts.random
    }

    /// Returns what the node counts with.
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.parts.metrics
    }

    /// Returns what messages are traced with.
    pub const fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Returns the node's tasks.
    pub const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Returns the open connections.
    pub const fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Returns who is connected.
    pub const fn users(&self) -> &UserConnections {
        &self.users
    }

    /// Returns who is there, and who is told.
    pub const fn presence(&self) -> &Arc<Presence> {
        &self.presence
    }

    /// Returns what is known of the other nodes.
    pub(crate) const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub(crate) fn authenticator(&self) -> &Arc<dyn Authenticator> {
        &self.parts.authenticator
    }

    /// There are new notices for inboxes.
    /// Returns how many messages were ordered here and acked since the start.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Counts messages that are acked.
    pub(crate) fn count_messages(&self, count: u64) {
        self.messages.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn wake_courier(&self) {
        self.has_notices.notify_one();
    }

    pub(crate) const fn rates(&self) -> &Rates {
        &self.rates
    }

    pub(crate) const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Sessions whose actors run.
    pub(crate) const fn awake(&self) -> &Awake {
        &self.awake
    }

    /// Returns how many sessions have an actor that runs; the others rest.
    pub fn active_sessions(&self) -> usize {
        self.awake.len()
    }

    /// Returns the supervisor of the relays of `room`.
    pub(crate) fn relay_supervisor(&self, room: RoomId) -> ActorCell {
        self.relay_supervisors.of(room)
    }

    /// Returns the supervisor of the session on `connection`.
    pub(crate) fn supervisor_of(&self, connection: &Connection) -> ActorCell {
        self.session_supervisors.of(connection.id())
    }

    /// Opens a connection and its session. The caller owns the socket: it takes frames from
    /// the connection's outbox, sends commands to the session, and at the end calls
    /// [`Node::disconnected`]. A connection opened while the node goes down is closed at once, since
    /// the drain may have looked at all connections before.
    pub fn connect(self: &Arc<Self>, codec: Codec) -> (Arc<Connection>, SessionRef) {
        let connection = self.connections.open(codec, self.clock().elapsed());
        let session = SessionRef::new(Arc::clone(self), Arc::clone(&connection));
        if self.is_draining() {
            self.close(&connection, CloseCode::Draining);
        }
        (connection, session)
    }

    /// The socket of a connection is gone.
    pub fn disconnected(&self, connection: &Connection, session: &SessionRef) {
        self.connections.remove(connection.id());
        // Whoever waits for room in its outbox must not wait for ever, and whoever pushes must know.
        connection.close(CloseCode::Normal, None, self.clock().elapsed());
        if let Some((user, _)) = connection.identity() {
            self.users.remove(user, connection.id());
        }
        // A session that has died needs no word.
        session.tell(SessionMessage::Closed);
    }

    /// Closes a connection, with a `bye` where the peer may come back.
    pub(crate) fn close(&self, connection: &Connection, code: CloseCode) {
        let bye = code.reconnect().then(|| Frame::server(ServerEvent::bye(code, None)));
        connection.close(code, bye.as_ref(), self.clock().elapsed());
    }

    /// Returns whether the node is going down.
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Acquire)
    }

    /// Looks once at every connection, and at every room where `rooms`, and tells who came and went:
    /// what the sweeper does.
    pub fn sweep(self: &Arc<Self>, rooms: bool) {
        sweeper::sweep_at_once(self, rooms);
    }
}
