//! The port's methods, and what they share with the sessions.

use crate::envelope::Kind;
use crate::hearing::Hearing;
use crate::options::{Names, OpenError, RedisOptions, read_id};
use crate::outgoing::{Outgoing, To};
use crate::run::run;
use crate::scripts::{GET, THROTTLE};
use crate::session::ANSWER_WITHIN;
use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError};
use rookery_engine::bus::{Bus, BusAnswer, BusError, Heard, NodeId, Peer, Peers};
use rookery_engine::{Rule, Tasks, Throttled};
use rookery_protocol::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// Keys that one request asks for: a script of Redis takes some thousand arguments.
const KEYS_AT_ONCE: usize = 1000;

/// One node's end of the bus over Redis.
///
/// Two connections for each node, whatever it says. While Redis is away it tries again, at most a second
/// after the last try.
#[derive(Debug)]
pub struct RedisBus(Arc<Shared>);

/// How far the bus is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    Closing,
    /// Closed, and the lease is given back.
    Left,
    /// Closed while Redis was away: the lease ends by itself.
    Gone,
}

/// What the port's methods, the sessions and the connection that hears know together.
pub(crate) struct Shared {
    pub(crate) me: NodeId,
    pub(crate) names: Names,
    pub(crate) client: Client,
    pub(crate) hearing: Hearing,
    pub(crate) outgoing: Outgoing,
    /// The lease is to be renewed now.
    pub(crate) look: Notify,
    /// Whether the others are to look after that.
    has_news: AtomicBool,
    announced: Mutex<Peer>,
    peers: watch::Sender<Arc<Peers>>,
    /// For those who ask; none while Redis is away.
    asks: Mutex<Option<MultiplexedConnection>>,
    /// The newest session, by its number.
    current: AtomicU32,
    stage: watch::Sender<Stage>,
}

impl RedisBus {
    /// Starts the bus of `me` as a task. Whether Redis is there is told by [`Bus::peers`].
    ///
    /// # Errors
    /// [`OpenError`]: the options are wrong.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(options: &RedisOptions, me: Peer, tasks: &Tasks) -> Result<Arc<Self>, OpenError> {
        let shared = Arc::new(Shared {
            me: me.id,
            names: options.names()?,
            client: options.client()?,
            hearing: Hearing::new(me.id),
            outgoing: Outgoing::new(me.id),
            look: Notify::new(),
            has_news: AtomicBool::new(false),
            peers: watch::Sender::new(Arc::new(Peers { is_connected: false, nodes: vec![me.clone()] })),
            announced: Mutex::new(me),
            asks: Mutex::default(),
            current: AtomicU32::new(0),
            stage: watch::Sender::new(Stage::Open),
        });
        let (running, stopped) = (Arc::clone(&shared), tasks.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = run(Arc::clone(&running)) => {}
                () = stopped.stopped() => {
                    running.disconnected();
                    running.enter(Stage::Gone);
                }
            }
        });
        Ok(Arc::new(Self(shared)))
    }

    fn asked(&self) -> Result<MultiplexedConnection, BusError> {
        lock(&self.0.asks).clone().ok_or_else(|| BusError("Redis is away".to_owned()))
    }
}

impl Bus for RedisBus {
    fn id(&self) -> NodeId {
        self.0.me
    }

    fn send(&self, to: NodeId, frame: Bytes) -> bool {
        self.0.outgoing.frame(To::One(to), frame)
    }

    fn broadcast(&self, frame: Bytes) -> bool {
        self.0.outgoing.frame(To::All, frame)
    }

    fn hear(&self) -> Pin<Box<dyn Future<Output = Heard> + Send + '_>> {
        Box::pin(self.0.hearing.inbox.hear())
    }

    fn peers(&self) -> watch::Receiver<Arc<Peers>> {
        self.0.peers.subscribe()
    }

    fn announce(&self, me: Peer) {
        let before = std::mem::replace(&mut *lock(&self.0.announced), me.clone());
        if before.is_draining != me.is_draining {
            self.0.has_news.store(true, Ordering::Release);
            self.0.look.notify_one();
        }
    }

    fn put(&self, key: Uuid, value: Option<Bytes>) {
        self.0.outgoing.value(key, value);
    }

    fn get<'a>(&'a self, keys: &'a [Uuid]) -> BusAnswer<'a, Vec<Vec<(NodeId, Bytes)>>> {
        Box::pin(async move {
            let mut connection = self.asked()?;
            let mut found = vec![Vec::new(); keys.len()];
            for (keys, found) in keys.chunks(KEYS_AT_ONCE).zip(found.chunks_mut(KEYS_AT_ONCE)) {
                let mut get = GET.key(self.0.names.leases());
                get.arg(self.0.names.all_values());
                for key in keys {
                    get.arg(key.as_bytes());
                }
                let of_nodes: Vec<(String, Vec<Option<Vec<u8>>>)> =
                    get.invoke_async(&mut connection).await.map_err(|error| unanswered(&error))?;
                for (node, values) in of_nodes {
                    let Some(node) = read_id(&node) else { continue };
                    for (found, value) in found.iter_mut().zip(values) {
                        found.extend(value.map(|value| (node, Bytes::from(value))));
                    }
                }
            }
            Ok(found)
        })
    }

    fn throttle<'a>(
        &'a self,
        rule: Rule,
        who: &'a str,
        now: Timestamp,
    ) -> BusAnswer<'a, Result<(), Throttled>> {
        Box::pin(async move {
            let over: u64 = THROTTLE
                .key(self.0.names.bucket(rule.name, who))
                .arg(now.0)
                .arg(rule.burst)
                .arg(rule.every_ms)
                .invoke_async(&mut self.asked()?)
                .await
                .map_err(|error| unanswered(&error))?;
            let retry_after_ms = u32::try_from(over).unwrap_or(u32::MAX);
            Ok(if over == 0 { Ok(()) } else { Err(Throttled { rule, retry_after_ms }) })
        })
    }

    fn close(&self) -> BusAnswer<'_, ()> {
        self.0.outgoing.close();
        self.0.enter(Stage::Closing);
        Box::pin(async {
            let mut stage = self.0.stage.subscribe();
            let ended = stage.wait_for(|stage| matches!(stage, Stage::Left | Stage::Gone));
            // What waits is told first, then the lease is given back, then the others are told.
            match tokio::time::timeout(3 * ANSWER_WITHIN, ended).await {
                Ok(Ok(stage)) if *stage == Stage::Left => Ok(()),
                Ok(_) => Err(BusError("Redis is away: the lease ends by itself".to_owned())),
                Err(_) => Err(BusError("Redis is slow: the lease ends later".to_owned())),
            }
        })
    }
}

impl Shared {
    /// Returns what this node says of itself.
    pub(crate) fn announced(&self) -> Peer {
        lock(&self.announced).clone()
    }

    /// Returns whether the next beacon asks the others to look.
    pub(crate) fn word_of_renewal(&self) -> Kind {
        if self.has_news.swap(false, Ordering::AcqRel) { Kind::Look } else { Kind::Beacon }
    }

    /// Begins a session: nothing of earlier ones is heard any more.
    pub(crate) fn begin(&self, session: u32) {
        self.current.store(session, Ordering::Release);
    }

    /// Returns whether this is the newest session.
    pub(crate) fn is_current(&self, session: u32) -> bool {
        self.current.load(Ordering::Acquire) == session
    }

    /// Has the node use a session that has its subscriptions and its lease.
    pub(crate) fn connected(&self, session: u32, asks: MultiplexedConnection, peers: Peers) {
        if session > 1 {
            self.hearing.inbox.lost();
        }
        *lock(&self.asks) = Some(asks);
        self.outgoing.open(session);
        self.outgoing.beacon(Kind::Look);
        self.know(peers);
    }

    /// Has the node know that it has none.
    pub(crate) fn disconnected(&self) {
        *lock(&self.asks) = None;
        self.outgoing.interrupt();
        self.peers.send_if_modified(|known| {
            let was_connected = known.is_connected;
            Arc::make_mut(known).is_connected = false;
            was_connected
        });
    }

    /// Takes note of who is there.
    pub(crate) fn know(&self, peers: Peers) {
        self.hearing.keep(&peers.nodes);
        self.outgoing.keep(&peers.nodes);
        self.peers.send_if_modified(|known| {
            let is_news = **known != peers;
            if is_news {
                *known = Arc::new(peers);
            }
            is_news
        });
    }

    /// Returns a number that differs from node to node and from session to session.
    pub(crate) fn seed(&self, session: u32) -> u64 {
        self.me.0.as_u64_pair().1 ^ u64::from(session)
    }

    /// Completes once the bus was closed.
    pub(crate) async fn closing(&self) {
        // An error is a sender that is gone, which is here.
        drop(self.stage.subscribe().wait_for(|stage| *stage != Stage::Open).await);
    }

    /// Goes on to a later stage.
    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let is_later =
                matches!((*now, stage), (Stage::Open, _) | (Stage::Closing, Stage::Left | Stage::Gone));
            if is_later {
                *now = stage;
            }
            is_later
        });
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("me", &self.me).field("names", &self.names).finish_non_exhaustive()
    }
}

fn unanswered(error: &RedisError) -> BusError {
    BusError(error.to_string())
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
