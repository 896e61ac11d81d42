//! One session: a connection that hears and one that tells, from the first lease to the first failure.
//!
//! Whatever goes wrong ends it: a request without an answer in time, an error of the server, a connection
//! that breaks, a lease that is gone. The next session begins with a word of loss, so nothing has to be
//! mended in one.

use crate::bus::Shared;
use crate::envelope::Kind;
use crate::options::{id_text, read_id};
use crate::outgoing::{Batch, To};
use crate::scripts::RENEW;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, PushInfo, PushKind, RedisError, Value};
use rookery_engine::bus::{Peer, Peers};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a lease holds. A node that dies is gone for the others after this and one renewal of theirs.
pub(crate) const LEASE: Duration = Duration::from_millis(LEASE_MS);
const LEASE_MS: u64 = 5000;

/// The time between two renewals, give or take a fifth: two may fail before the lease ends.
const RENEW_EVERY: Duration = Duration::from_millis(1500);

/// How long Redis may take for an answer. Healthy, it takes a millisecond; a node whose Redis hangs knows
/// of it after one renewal and this.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How long Redis may take to be connected with over TLS: both ends have work to do then, and a Redis that
/// comes back has that of all nodes to do, one after another.
pub(crate) const TLS_WITHIN: Duration = Duration::from_secs(5);

/// Why a session has ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Redis has not answered in time, or with an error, or cannot be reached.
    #[error("have Redis answer: {0}")]
    Redis(#[from] RedisError),
    /// The connection that hears was cut, as Redis does with readers that are too slow.
    #[error("go on hearing: the connection was closed")]
    Cut,
    /// The node was stopped for so long, or Redis has lost what it had.
    #[error("keep the lease")]
    Lapsed,
    /// The node is not one that says what it is.
    #[error("say what this node is: {0}")]
    Peer(#[from] serde_json::Error),
}

/// The two connections.
#[derive(Debug)]
pub(crate) struct Session {
    shared: Arc<Shared>,
    /// Its subscriptions go with it. Apart from `tell`, so that who reads slowly still has its lease.
    hear: MultiplexedConnection,
    tell: MultiplexedConnection,
    /// The connection that hears has ended.
    cut: Arc<Notify>,
    renewed: Instant,
    chance: fastrand::Rng,
}

impl Session {
    /// Connects, subscribes and takes the lease. `number` counts the tries, from 1.
    pub(crate) async fn open(shared: &Arc<Shared>, number: u32) -> Result<Self, Broken> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_within(&shared.client)))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let cut = Arc::new(Notify::new());
        shared.begin(number);
        let pushed = {
            let (shared, cut) = (Arc::clone(shared), Arc::clone(&cut));
            move |push| {
                hear(&shared, number, &cut, push);
                Ok::<(), Infallible>(())
            }
        };
        let client = &shared.client;
        let hearing = config.clone().set_push_sender(pushed);
        let mut hear = client.get_multiplexed_async_connection_with_config(&hearing).await?;
        hear.subscribe(&[shared.names.to_one(shared.me), shared.names.to_all()]).await?;
        let tell = client.get_multiplexed_async_connection_with_config(&config).await?;
        let chance = fastrand::Rng::with_seed(shared.seed(number));
        let renewed = Instant::now();
        let mut session = Self { shared: Arc::clone(shared), hear, tell, cut, renewed, chance };
        let (_, peers) = session.take_lease().await?;
        shared.connected(number, session.tell.clone(), peers);
        Ok(session)
    }

    /// Tells, and keeps the lease, until something breaks or the bus is closed.
    pub(crate) async fn run(mut self) -> Result<(), Broken> {
        let shared = Arc::clone(&self.shared);
        let mut due = self.next_renewal();
        loop {
            tokio::select! {
                // In this order, so that no flood of frames keeps the lease from being renewed.
                biased;
                () = self.cut.notified() => return Err(Broken::Cut),
                () = shared.closing() => return self.leave().await,
                () = tokio::time::sleep_until(due) => {
                    self.renew().await?;
                    due = self.next_renewal();
                }
                () = shared.look.notified() => {
                    self.renew().await?;
                    due = self.next_renewal();
                }
                () = shared.outgoing.filled() => drop(self.tell().await?),
            }
        }
    }

    fn next_renewal(&mut self) -> Instant {
        Instant::now() + RENEW_EVERY.mul_f64(0.8 + 0.4 * self.chance.f64())
    }

    async fn renew(&mut self) -> Result<(), Broken> {
        if self.renewed.elapsed() > LEASE {
            return Err(Broken::Lapsed);
        }
        let pong = pong(Arc::clone(&self.shared), self.hear.clone());
        let ((was_held, peers), ()) = tokio::try_join!(self.take_lease(), pong)?;
        if !was_held {
            return Err(Broken::Lapsed);
        }
        self.shared.outgoing.beacon(self.shared.word_of_renewal());
        self.shared.know(peers);
        Ok(())
    }

    /// Takes or renews the lease. Returns whether it was held, and all peers.
    async fn take_lease(&mut self) -> Result<(bool, Peers), Broken> {
        let me = self.shared.announced();
        let names = &self.shared.names;
        let asked = Instant::now();
        let (was_held, others): (bool, Vec<(String, Vec<u8>)>) = RENEW
            .key(names.leases())
            .key(names.values(me.id))
            .arg(id_text(me.id))
            .arg(serde_json::to_vec(&me)?)
            .arg(LEASE_MS)
            .invoke_async(&mut self.tell)
            .await?;
        self.renewed = asked;
        // A node that says something else is of another version, and has its own bus.
        let read = |(id, said): (String, Vec<u8>)| {
            serde_json::from_slice::<Peer>(&said).ok().filter(|peer| read_id(&id) == Some(peer.id))
        };
        let mut nodes: Vec<Peer> = others.into_iter().filter_map(read).collect();
        nodes.push(me);
        nodes.sort_by_key(|peer| peer.id);
        Ok((was_held, Peers { is_connected: true, nodes }))
    }

    /// Tells one batch. Returns whether there was one.
    async fn tell(&mut self) -> Result<bool, Broken> {
        let batch = self.shared.outgoing.take();
        let is_one = batch != Batch::default();
        if is_one {
            self.commands(&batch).exec_async(&mut self.tell).await?;
        }
        Ok(is_one)
    }

    fn commands(&self, batch: &Batch) -> redis::Pipeline {
        let names = &self.shared.names;
        let mut commands = redis::pipe();
        let values = names.values(self.shared.me);
        if batch.clears {
            commands.cmd("DEL").arg(&values).ignore();
        }
        for (key, value) in &batch.values {
            match value {
                Some(value) => commands.cmd("HSET").arg(&values).arg(key.as_bytes()).arg(&value[..]).ignore(),
                None => commands.cmd("HDEL").arg(&values).arg(key.as_bytes()).ignore(),
            };
        }
        if !batch.values.is_empty() {
            // A hash that has just come to be has no end yet: one step, so that none is left without.
            commands.atomic();
            commands.cmd("PEXPIRE").arg(&values).arg(LEASE_MS).ignore();
        }
        for (to, frame) in &batch.frames {
            let channel = match to {
                To::One(node) => names.to_one(*node),
                To::All => names.to_all(),
            };
            commands.cmd("PUBLISH").arg(channel).arg(&frame[..]).ignore();
        }
        commands
    }

    /// Tells what waits, gives the lease back and says so.
    async fn leave(&mut self) -> Result<(), Broken> {
        self.tell_all().await?;
        let (names, me) = (&self.shared.names, self.shared.me);
        let mut last = redis::pipe();
        last.cmd("HDEL").arg(names.leases()).arg(id_text(me)).ignore();
        last.cmd("DEL").arg(names.values(me)).ignore();
        last.exec_async(&mut self.tell).await?;
        self.shared.outgoing.beacon(Kind::Look);
        self.tell_all().await
    }

    async fn tell_all(&mut self) -> Result<(), Broken> {
        while self.tell().await? {}
        Ok(())
    }
}

/// Returns how long connecting may take.
fn connect_within(client: &Client) -> Duration {
    match client.get_connection_info().addr() {
        ConnectionAddr::TcpTls { .. } => TLS_WITHIN,
        _ => ANSWER_WITHIN,
    }
}

/// Asks on the connection that hears for a sign of life: a half-open one breaks only when it is used.
async fn pong(shared: Arc<Shared>, mut hear: MultiplexedConnection) -> Result<(), Broken> {
    let before = shared.hearing.pieces();
    match redis::cmd("PING").query_async(&mut hear).await {
        // The answer is behind what is on its way, however long that takes; all of it is a sign of life.
        Err(error) if error.is_timeout() && shared.hearing.pieces() != before => Ok(()),
        answer => Ok(answer?),
    }
}

/// Takes what the connection that hears was given.
fn hear(shared: &Shared, session: u32, cut: &Notify, push: PushInfo) {
    // A connection that was given up may still give something: it has been overtaken.
    if !shared.is_current(session) {
        return;
    }
    match push.kind {
        PushKind::Disconnection => cut.notify_one(),
        PushKind::Message => {
            if let Some(Value::BulkString(bytes)) = push.data.into_iter().nth(1)
                && shared.hearing.take(bytes.into())
            {
                shared.look.notify_one();
            }
        }
        _ => {}
    }
}
