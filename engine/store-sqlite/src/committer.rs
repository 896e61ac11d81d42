//! The committer: the one thread that writes.
//!
//! Hears from every caller of a write, through one bounded queue. Takes what waits as a group, applies
//! it in one transaction, commits with one fsync, answers all of it. A group is what had queued
//! up while the last one was written, and where several rooms are written to, what comes within a few
//! milliseconds ([`pace`]).

mod database;
mod pace;
mod queue;
mod write;

pub(crate) use database::{Database, LogPosition};
pub(crate) use queue::Queue;
pub(crate) use write::{Write, WriteQueue};

use crate::checkpoint::Checkpoints;
use crate::failure::{self, Failure};
use crate::health::SharedHealth;
use crate::search::Bell;
use pace::Pace;
use queue::Most;
use rookery_engine::metrics::StoreMetrics;
use rookery_engine::store::{Health, StoreError};
use std::sync::Arc;
use tokio::time::Instant;

/// What a group of so many writes costs besides its fsync is some 10 ms; the bytes bound the transaction's dirty
/// pages well inside the page cache.
const GROUP: Most = Most { writes: 1024, bytes: 4 << 20 };

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Committer {
    database: Database,
    queue: Arc<Queue>,
    pace: Pace,
    health: SharedHealth,
    followers: Followers,
    metrics: StoreMetrics,
}

/// Who is told of every commit.
#[derive(Debug)]
pub(crate) struct Followers {
    pub(crate) checkpoints: Checkpoints,
    /// Wakes the search index.
    pub(crate) bell: Arc<Bell>,
}

type Group = Vec<Box<dyn Write>>;

impl Committer {
    pub(crate) fn new(
        database: Database,
        queue: Arc<Queue>,
        health: SharedHealth,
        followers: Followers,
    ) -> Self {
        Self { database, queue, pace: Pace::new(), health, followers, metrics: StoreMetrics::none() }
    }

    /// Has commits counted.
    pub(crate) fn counted_by(self, metrics: StoreMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Runs until the queue is closed and what is in it is answered.
    pub(crate) fn run(mut self) {
        let _guard = EndOnReturn(Arc::clone(&self.queue), self.health.clone());
        let mut group = Group::with_capacity(GROUP.writes);
        while self.gather(&mut group) {
            self.health.begin();
            self.commit(&mut group);
            self.followers.bell.committed();
            if self.health.failure().is_none() {
                self.followers.checkpoints.after_commit(&self.database.connection, &self.health);
            }
            self.health.end();
        }
    }

    /// Waits for a group. Returns false when none can come.
    fn gather(&mut self, group: &mut Group) -> bool {
        let patience = self.pace.patience();
        let Some(first) = self.queue.take(group, GROUP, patience) else { return false };
        self.pace.begins(patience, first, group.len());
        group.iter().filter_map(|write| write.room()).for_each(|room| self.pace.appended(room));
        true
    }

    /// Commits a group and answers every write of it, leaving it empty.
    ///
    /// A write that cannot be applied is taken out and the others are applied again without it.
    fn commit(&mut self, group: &mut Group) {
        if let Some(error) = self.health.failure() {
            return answer_all(group, &Err(error));
        }
        loop {
            match self.transact(group) {
                Ok(has_written) => {
                    // A group that changed nothing shows nothing of the disk.
                    if has_written {
                        self.health.ready();
                    }
                    return answer_all(group, &Ok(()));
                }
                Err(Rejected::One(index, error)) => {
                    tracing::warn!(%error, "a write was refused");
                    group.remove(index).answer(Err(error));
                }
                Err(Rejected::All(error)) => {
                    self.health.note(&error);
                    return answer_all(group, &Err(error));
                }
            }
        }
    }

    /// Commits a group, and returns whether that changed anything.
    fn transact(&mut self, group: &mut Group) -> Result<bool, Rejected> {
        let changes = self.database.connection.total_changes();
        self.database.begin().map_err(|error| match failure::before_commit(&error) {
            Failure::Statement(error) | Failure::Store(error) => Rejected::All(error),
        })?;
        for (index, write) in group.iter_mut().enumerate() {
            if let Err(error) = write.apply(&mut self.database) {
                self.roll_back()?;
                return Err(match failure::before_commit(&error) {
                    Failure::Statement(error) => Rejected::One(index, error),
                    Failure::Store(error) => Rejected::All(error),
                });
            }
        }
        let begun = Instant::now();
        let committed = self.database.commit();
        self.metrics.commit_seconds.record(begun.elapsed().as_secs_f64());
        if let Err(error) = committed {
            self.roll_back()?;
            return Err(Rejected::All(failure::at_commit(&error)));
        }
        #[expect(clippy::cast_precision_loss, reason = "a group has at most 1024 writes")]
        self.metrics.commit_writes.record(group.len() as f64);
        Ok(self.database.connection.total_changes() > changes)
    }

    fn roll_back(&mut self) -> Result<(), Rejected> {
        self.database.roll_back().map_err(|error| Rejected::All(StoreError::Fatal(error.to_string())))
    }
}

/// What of a group was not applied; nothing of it is.
enum Rejected {
    /// The write at this place, which would spoil the others again.
    One(usize, StoreError),
    /// Every one.
    All(StoreError),
}

fn answer_all(group: &mut Group, outcome: &Result<(), StoreError>) {
    for write in group.drain(..) {
        write.answer(outcome.clone());
    }
}

/// Ends the queue with the thread. Where that ends by a panic the store has failed: what was in its
/// hands has an unknown outcome.
struct EndOnReturn(Arc<Queue>, SharedHealth);

impl Drop for EndOnReturn {
    fn drop(&mut self) {
        if std::thread::panicking() && !matches!(self.1.get(), Health::Failed(_)) {
            self.1.note(&StoreError::Fatal("the committer has panicked".to_owned()));
        }
        self.0.end();
    }
}
