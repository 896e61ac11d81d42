//! What goes wrong in a cluster, each kind in its turn, until it is put right again.

use super::Cluster;
use anyhow::{Context, ensure};
use fastrand::Rng;
use rookery_tests::proxy::{Direction, FaultProxy, Way};
use rookery_tests::server::{get, series};
use std::thread::sleep;
use std::time::Duration;
use tokio::time::Instant;

/// Longer than a lease, so that the others take over what a paused node has at home.
const PAUSE: Duration = Duration::from_secs(8);

/// How long it is looked whether a node that has woken tries to write: it reads what waited in its sockets
/// at once, and knows of the others after a few beats.
const WAKING: Duration = Duration::from_secs(5);

/// How long something else stays away.
const AWAY: Duration = Duration::from_secs(2);

/// How long replies are gone: longer than a request of the store waits, and than the bus does.
const UNHEARD: Duration = Duration::from_secs(5);

/// How much later all comes on a slow way, in each direction.
const SLOW: Duration = Duration::from_millis(300);

/// The writes of a node that the store refused, since the log was no longer as the node believed.
const REFUSED: &str = "rookery_appends_total{outcome=\"stale\"}";

/// The writes of a node that are in the log.
const APPLIED: &str = "rookery_appends_total{outcome=\"applied\"}";

/// What can go wrong. The first eight are over within seconds.
const FAULTS: [Fault; 10] = [
    Fault::Kill,
    Fault::Pause,
    Fault::Redis,
    Fault::StoreReplies,
    Fault::RedisReplies,
    Fault::Store,
    Fault::Reset,
    Fault::Slow,
    Fault::Stop,
    Fault::StoreKill,
];

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A node is killed, and started again a while later.
    Kill,
    /// The node that writes most stands still beyond its lease, and wakes up.
    Pause,
    /// Redis goes and comes, three times.
    Redis,
    /// A node does not hear what the store answers: what it asks for is done all the same.
    StoreReplies,
    /// A node does not hear Redis.
    RedisReplies,
    /// The store stands still for a while.
    Store,
    /// All connections of a node to the store and to Redis are reset, three times.
    Reset,
    /// The ways of a node to both are slow.
    Slow,
    /// A node is asked to end, as a new version does it, and started again.
    Stop,
    /// The store is killed, and started again.
    StoreKill,
}

/// What has happened.
#[derive(Debug)]
pub(crate) struct Disturbed {
    pub(crate) what: String,
    /// After a pause: how many writes the woken node tried that were refused.
    pub(crate) refused_on_waking: Option<u64>,
}

impl Cluster {
    /// Has one thing go wrong, and puts it right again. Blocks until then.
    pub(crate) fn disturb(&mut self, rng: &mut Rng) -> anyhow::Result<Disturbed> {
        let fault = FAULTS[self.faults % FAULTS.len()];
        self.faults += 1;
        let nodes: Vec<String> = self.nodes().map(|(name, _)| name.clone()).collect();
        let node = match fault {
            Fault::Pause => self.busiest(&nodes)?,
            _ => rng.choice(&nodes).context("a cluster has nodes")?.clone(),
        };
        eprintln!("{fault:?} {node}");
        let mut refused_on_waking = None;
        match fault {
            Fault::Kill => {
                self.note_usage(&node);
                self.away("kill", &node)?;
            }
            Fault::Stop => {
                self.note_usage(&node);
                self.away("stop", &node)?;
            }
            Fault::Pause => refused_on_waking = Some(self.pause(&node)?),
            Fault::Redis => {
                for _ in 0..3 {
                    self.away("kill", "redis")?;
                }
            }
            Fault::Store => {
                self.ask(&["pause", "c1"])?;
                sleep(AWAY);
                self.ask(&["resume", "c1"])?;
            }
            Fault::StoreKill => self.away("kill", "c1")?,
            Fault::StoreReplies => lose_replies(&self.ways(&node)?.store),
            Fault::RedisReplies => lose_replies(&self.ways(&node)?.redis),
            Fault::Reset => {
                for _ in 0..3 {
                    self.ways(&node)?.store.reset();
                    self.ways(&node)?.redis.reset();
                    sleep(AWAY / 2);
                }
            }
            Fault::Slow => {
                for way in [Way::Delayed(SLOW), Way::Open] {
                    self.ways(&node)?.store.set_both(way);
                    self.ways(&node)?.redis.set_both(way);
                    sleep(AWAY);
                }
            }
        }
        Ok(Disturbed { what: format!("{fault:?}"), refused_on_waking })
    }

    /// Has a part end in this way, and starts it again a while later.
    fn away(&mut self, how: &str, part: &str) -> anyhow::Result<()> {
        self.ask(&[how, part])?;
        sleep(AWAY);
        self.ask(&["start", part]).map(drop)
    }

    /// Pauses a node beyond its lease, and returns how many of its writes were refused when it woke: it
    /// believes that it is the home of what others have gone on with meanwhile.
    fn pause(&mut self, node: &str) -> anyhow::Result<u64> {
        let before = self.counted(node, REFUSED)?;
        self.ask(&["pause", node])?;
        sleep(PAUSE);
        self.ask(&["resume", node])?;
        let until = Instant::now() + WAKING;
        loop {
            let refused = self.counted(node, REFUSED)? - before;
            if refused > 0 || Instant::now() > until {
                return Ok(refused);
            }
            sleep(AWAY / 10);
        }
    }

    /// Returns the node that writes most at the moment: the home of what is played.
    fn busiest(&self, nodes: &[String]) -> anyhow::Result<String> {
        let applied =
            || -> anyhow::Result<Vec<_>> { nodes.iter().map(|node| self.counted(node, APPLIED)).collect() };
        let before = applied()?;
        sleep(AWAY / 2);
        let written = applied()?.into_iter().zip(before).map(|(after, before)| after - before);
        let (node, _) =
            nodes.iter().zip(written).max_by_key(|(_, written)| *written).context("there are nodes")?;
        Ok(node.clone())
    }

    /// Returns a count of a node, by its name with its label; 0 where nothing was counted.
    fn counted(&self, node: &str, name: &str) -> anyhow::Result<u64> {
        let admin =
            self.part(node)?.admin.as_ref().context("a node says where it is looked after")?.parse()?;
        let (status, text) = get(admin, "/metrics").with_context(|| format!("ask {node} for its metrics"))?;
        ensure!(status == 200, "{node} answers {status}");
        let value = series(&text).find(|(found, _)| *found == name).map_or("0", |(_, value)| value);
        value.parse().with_context(|| format!("{name} is a count: {value}"))
    }
}

fn lose_replies(way: &FaultProxy) {
    way.set(Direction::Replies, Way::Lost);
    sleep(UNHEARD);
    way.set(Direction::Replies, Way::Open);
}
