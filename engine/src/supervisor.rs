//! Supervisors: they own the actors of one kind, count their ends and log their failures.
//!
//! They restart nothing: a session's client connects again, a room is activated by its next
//! message. ractor's default would stop a supervisor with its first child and kill the siblings.
//! A life under one of eight supervisors costs a third of one under a single one
//! (linked spawn and stop, 2.7 against 9.0 µs of CPU), so there is a shard for each half core.

use crate::metrics::KindMetrics;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::hash::{BuildHasher, Hash, RandomState};

/// What ractor says of an actor that was ended in the middle of something.
const KILLED: &str = "killed";

/// The supervisors of one kind of actor.
#[derive(Debug)]
pub struct Supervisors {
    shards: Vec<ActorRef<Never>>,
    hasher: RandomState,
}

/// A message that is never sent: supervisors only hear of their children.
#[derive(Debug)]
pub enum Never {}

impl Supervisors {
    /// Starts `shards` supervisors that count into `metrics`.
    ///
    /// # Errors
    /// When the runtime is going down.
    pub async fn start(shards: usize, metrics: KindMetrics) -> Result<Self, SpawnErr> {
        let mut started = Vec::with_capacity(shards);
        for _ in 0..shards.max(1) {
            started.push(Actor::spawn(None, Supervisor, metrics.clone()).await?.0);
        }
        Ok(Self { shards: started, hasher: RandomState::new() })
    }

    /// Returns the supervisor that a new actor with this key belongs under.
    pub fn of(&self, key: impl Hash) -> ActorCell {
        let shards = self.shards.len() as u64;
        let index = usize::try_from(self.hasher.hash_one(key) % shards).unwrap_or(0);
        self.shards[index].get_cell()
    }

    /// Stops the supervisors and with them whatever still runs under them.
    pub fn stop(&self) {
        for shard in &self.shards {
            shard.stop(None);
        }
    }
}

struct Supervisor;

impl Actor for Supervisor {
    type Msg = Never;
    type State = KindMetrics;
    type Arguments = KindMetrics;

    async fn pre_start(
        &self,
        _: ActorRef<Never>,
        metrics: KindMetrics,
    ) -> Result<KindMetrics, ActorProcessingErr> {
        Ok(metrics)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Never>,
        event: SupervisionEvent,
        metrics: &mut KindMetrics,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) => {
                metrics.started.increment(1);
                metrics.running.increment(1.0);
            }
            SupervisionEvent::ActorTerminated(_, _, reason) => {
                metrics.running.decrement(1.0);
                if reason.as_deref() == Some(KILLED) {
                    metrics.killed.increment(1);
                }
            }
            SupervisionEvent::ActorFailed(actor, error) => {
                metrics.running.decrement(1.0);
                metrics.panicked.increment(1);
                tracing::error!(kind = metrics.kind, actor = %actor.get_id(), %error, "actor failed");
            }
            SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
