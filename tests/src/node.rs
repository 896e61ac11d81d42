//! A whole node in process: the real edge on loopback ports, a clock that the test moves, chance by
//! seed, and any store. Only its users are made without the wire, because hashing is not the point.

mod clock;

pub use clock::FragileClock;

use rookery_actors::{Authenticator, Node, NodeConfig, NodeParts};
use rookery_api::accounts::{LoggedIn, Login, Register};
use rookery_api::config::Sources;
use rookery_api::mail::Mailer;
use rookery_api::{
    Accounts, AccountsParts, ChooseLines, Config, Edge, EdgeParts, Files, Listeners, SigningKey, SigningKeys,
    exporter, serve,
};
use rookery_engine::blobs::{Blobs, MemoryBlobs};
use rookery_engine::bus::{Alone, Bus, MemoryBuses, NodeId, Peer};
use rookery_engine::search::{ScanSearch, Search};
use rookery_engine::store::{MeteredStore, Store};
use rookery_engine::trace::Tracer;
use rookery_engine::{Clock, MemoryStore, Random, SeededRandom, Tasks, limits};
use rookery_protocol::{SessionId, Timestamp, UserId};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Where every manual clock begins: some day in 2026, so that times look like times.
const START: Timestamp = Timestamp(1_790_000_000_000);

/// The seed of the key that the nodes of a cluster sign with.
const KEY_SEED: u64 = 1;

/// How often a node of a cluster says that it is there: so that what is late or lost is found in a blink.
const CLUSTER_BEAT: Duration = Duration::from_millis(100);

/// The password of every user that a test registers.
pub const PASSWORD: &str = "correct horse battery";

/// A node that serves until it is dropped or stopped.
#[derive(Debug)]
pub struct TestNode {
    edge: Arc<Edge>,
    clock: Arc<FragileClock>,
    http: SocketAddr,
    admin: SocketAddr,
    /// By which operators are known.
    operator: String,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// How a [`TestNode`] is made.
#[derive(Debug)]
pub struct TestNodeOptions {
    /// Where it keeps things.
    pub store: Arc<dyn Store>,
    /// What finds messages; without one, the store is read through.
    pub search: Option<Arc<dyn Search>>,
    /// Where it keeps the bytes of files.
    pub blobs: Arc<dyn Blobs>,
    /// Its end of the bus; without one, it is alone.
    pub bus: Option<Arc<dyn Bus>>,
    /// How often it says to other nodes that it is there.
    pub cluster_beat: Duration,
    /// The seed of its chance.
    pub seed: u64,
    /// A room that was not used for this long is passivated.
    pub room_idle: Duration,
    /// Listeners of a room that one actor tells.
    pub slice: usize,
    /// Its clock.
    pub clock: Arc<FragileClock>,
    /// What it traces messages with; nothing by default.
    pub tracer: Tracer,
    /// Settings, as `ROOKERY_SECTION__NAME` variables.
    pub settings: Vec<(&'static str, &'static str)>,
    /// Whether the sweeper runs by itself, once a second; otherwise [`TestNode::advance`] sweeps.
    pub sweeps: bool,
    /// What it is told to log.
    pub log: TestLog,
}

/// What a node was told to log, one filter after another. It logs nothing.
#[derive(Clone, Debug, Default)]
pub struct TestLog(Arc<Mutex<Vec<String>>>);

impl TestLog {
    /// Returns the filters.
    pub fn filters(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ChooseLines for TestLog {
    fn choose(&self, filter: &str) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(filter.to_owned());
        Ok(())
    }
}

impl Default for TestNodeOptions {
    fn default() -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            search: None,
            blobs: Arc::new(MemoryBlobs::new()),
            bus: None,
            cluster_beat: CLUSTER_BEAT,
            seed: 1,
            room_idle: Duration::from_secs(60),
            slice: limits::SLICE,
            clock: Arc::new(FragileClock::new()),
            tracer: Tracer::off(),
            settings: Vec::new(),
            sweeps: false,
            log: TestLog::default(),
        }
    }
}

/// Returns what node `number` of a cluster says of itself.
fn peer(number: u8) -> Peer {
    let id = NodeId(uuid::Uuid::from_u128(u128::from(number)));
    let (name, url) = (format!("n{number}"), String::new());
    Peer { id, name, url, connections: 0, capacity: 1000, is_draining: false }
}

impl TestNodeOptions {
    /// Returns the options of node `number` of several over what `store` is a view of, joined by `buses`.
    pub fn of_cluster(store: Arc<dyn Store>, buses: &MemoryBuses, number: u8) -> Self {
        let bus = buses.join(peer(number));
        let settings = vec![("ROOKERY_AUTH__ACCESS_TOKEN_MINUTES", "60")];
        Self { store, bus: Some(bus), seed: u64::from(number), settings, ..Self::default() }
    }

    /// Returns the defaults and a hold on the clock.
    pub fn with_fragile_clock() -> (Arc<FragileClock>, Self) {
        let options = Self::default();
        (Arc::clone(&options.clock), options)
    }
}

/// A registered user with a login.
#[derive(Clone, Debug)]
pub struct TestUser {
    id: UserId,
    session: SessionId,
    token: String,
}

impl TestUser {
    /// Returns who it is.
    pub const fn id(&self) -> UserId {
        self.id
    }

    /// Returns its login session.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Returns its access token.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl TestNode {
    /// Starts a node over a memory store.
    pub async fn start() -> Self {
        Self::with(TestNodeOptions::default()).await
    }

    /// Starts a node over `store`.
    pub async fn over(store: Arc<dyn Store>) -> Self {
        Self::with(TestNodeOptions { store, ..TestNodeOptions::default() }).await
    }

    /// Starts a node.
    ///
    /// # Panics
    /// When loopback ports or the settings cannot be had.
    #[expect(clippy::disallowed_methods, reason = "the server is what the harness waits for, not part of it")]
    pub async fn with(options: TestNodeOptions) -> Self {
        let clock = options.clock;
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(options.seed));
        let config = Arc::new(config(&options.settings));
        // The nodes of a cluster have one key.
        let key = match options.bus {
            Some(_) => SigningKey::generate(&SeededRandom::new(KEY_SEED), Timestamp(0)),
            None => SigningKey::generate(random.as_ref(), Timestamp(0)),
        };
        let operator = key.operator_token().expose_secret().to_owned();
        let (metrics, exporter) = exporter();
        let bus = options.bus.unwrap_or_else(|| Arc::new(Alone::new(peer(1))));
        let store: Arc<dyn Store> =
            MeteredStore::over(options.store, metrics.store.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        let accounts = Arc::new(Accounts::new(
            AccountsParts {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                random: Arc::clone(&random),
                keys: SigningKeys::one(key),
                bus: Arc::clone(&bus),
                metrics: metrics.clone(),
                mailer: Arc::new(
                    Mailer::open(&config.mail).expect("the templates that are built in are good"),
                ),
            },
            &config,
        ));
        let scan = || Arc::new(ScanSearch::over(Arc::clone(&store))) as Arc<dyn Search>;
        let search = options.search.unwrap_or_else(scan);
        let (public, admin) = (loopback().await, loopback().await);
        let address =
            |listener: &TcpListener| listener.local_addr().expect("a bound listener has an address");
        let (http, admin_address) = (address(&public), address(&admin));
        let node = Node::start(NodeParts {
            name: "test".to_owned(),
            config: NodeConfig {
                supervisors: 2,
                room_idle: options.room_idle,
                slice: options.slice,
                public_url: config.server.link_base(http),
                is_relaxed: config.limits.relaxed,
                rates: config.limits.rates,
                sweeps: options.sweeps,
                cluster_beat: options.cluster_beat,
            },
            store,
            search,
            bus,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random,
            authenticator: Arc::clone(&accounts) as Arc<dyn Authenticator>,
            metrics,
            tracer: options.tracer,
            ports: Tasks::new(),
        })
        .await
        .expect("a runtime that runs takes actors");
        let log: Arc<dyn ChooseLines> = Arc::new(options.log);
        let edge = Edge::new(EdgeParts { node, accounts, blobs: options.blobs, config, exporter, log });
        let (stop, stopped) = oneshot::channel::<()>();
        let listeners = Listeners { public, admin };
        let serving = tokio::spawn(serve(listeners, Arc::clone(&edge), async move { drop(stopped.await) }));
        Self { edge, clock, http, admin: admin_address, operator, stop: Some(stop), serving }
    }

    /// Has sockets give back each message, up to `message_bytes`, and do nothing else.
    pub fn echo(&self, message_bytes: usize) {
        self.edge.echo(message_bytes);
    }

    /// Returns where clients connect.
    pub const fn http(&self) -> SocketAddr {
        self.http
    }

    /// Returns where operators connect.
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Returns the token by which operators are known.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Returns the node behind the edge.
    pub fn node(&self) -> &Arc<Node> {
        self.edge.node()
    }

    /// Returns the files behind the edge.
    pub fn files(&self) -> &Arc<Files> {
        self.edge.files()
    }

    /// Has the office forget what was kept long enough, as the server does every hour.
    pub async fn sweep_office(&self) {
        self.edge.sweep_office().await;
    }

    /// Returns what the time is by the node's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.inner.now()
    }

    /// Moves the node's clock on, and nobody looks.
    pub fn pass(&self, time: Duration) {
        self.clock.inner.advance(time);
    }

    /// Moves the node's clock on and sweeps once, as the sweeper would.
    pub fn advance(&self, by: Duration) {
        self.clock.inner.advance(by);
        self.node().sweep(true);
    }

    /// Has the sweeper of a node panic that sweeps by itself, and waits until it has.
    pub async fn break_sweeper(&self) {
        self.clock.break_next();
        while self.clock.is_armed() {
            tokio::task::yield_now().await;
        }
    }

    /// Registers a user and logs it in.
    ///
    /// # Panics
    /// When the store refuses.
    pub async fn user(&self, handle: &str) -> TestUser {
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let email = format!("{handle}@example.org");
        let register = Register {
            email: email.clone(),
            password: PASSWORD.into(),
            handle: handle.to_owned(),
            name: handle.to_owned(),
        };
        self.edge.accounts().register(register, from).await.expect("a fresh user is registered");
        self.login(handle).await
    }

    /// Logs a registered user in once more.
    ///
    /// # Panics
    /// When there is no such user.
    pub async fn login(&self, handle: &str) -> TestUser {
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let login = Login { email: format!("{handle}@example.org"), password: PASSWORD.into(), device: None };
        let logged_in = self.edge.accounts().login(login, from).await.expect("a registered user logs in");
        let LoggedIn::Tokens(tokens) = logged_in else { panic!("{handle} has a second factor") };
        TestUser { id: tokens.user.id, session: tokens.session, token: tokens.access_token }
    }

    /// Drains the node as SIGTERM does, and waits until it has gone.
    ///
    /// # Panics
    /// When the server failed.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.serving).await.expect("the server does not panic").expect("the server ends in good order");
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.serving.abort();
        self.node().tasks().stop();
    }
}

fn config(settings: &[(&'static str, &'static str)]) -> Config {
    let cheap = [
        ("ROOKERY_LIMITS__RELAXED", "true"),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "8"),
        ("ROOKERY_AUTH__ARGON2_PASSES", "1"),
        ("ROOKERY_AUTH__ARGON2_THREADS", "1"),
        ("ROOKERY_MAIL__TRANSPORT", "none"),
        ("ROOKERY_SERVER__DRAIN_DELAY_SECONDS", "0"),
        // Tests say themselves when there is too little memory.
        ("ROOKERY_SERVER__SHED_LOAD", "false"),
    ];
    let env: BTreeMap<_, _> =
        cheap.iter().chain(settings).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::load(&Sources { file: None, env, flags: Vec::new() }).expect("the harness's settings are good")
}

async fn loopback() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has free ports")
}
