//! Deciding by compare-and-set: one call after another within the process, and how often a call tries
//! against those of other processes.
//!
//! Whoever holds a turn asks for no other one, so no two calls wait for each other.

use crate::cql::{Conditional, Decided};
use rookery_engine::store::StoreError;
use rookery_engine::{Random, SystemRandom};
use scylla::serialize::row::SerializeRow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// Turns at a time. Two partitions seldom share one: 512 requests under way are the default.
const TURNS: usize = 1024;

/// How often one call tries at most.
///
/// Within a process calls on one partition take turns, so what is lost is lost to other nodes, of which
/// few do the same thing at the same time.
const TRIES: u32 = 12;

/// The longest pause before the second try; each further one may be twice as long, up to
/// [`LONGEST_PAUSE`]. Two writers of one partition disturb each other for some ten milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// The turns of a process at what it decides: without them a hundred calls on one partition would have the
/// servers settle a hundred contests.
#[derive(Debug)]
pub(crate) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(crate) fn new() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }

    /// Waits for the turn at the partition of `key`, in the order of asking.
    pub(crate) async fn at(&self, key: &(impl Hash + ?Sized)) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let index = hasher.finish() % self.0.len() as u64;
        self.0[usize::try_from(index).unwrap_or(0)].lock().await
    }
}

/// The tries of one call: what it may conclude from what it has sent.
#[derive(Debug)]
pub(crate) struct Tries {
    left: u32,
    pause: Duration,
    /// Something of the call may have been applied.
    is_open: bool,
}

impl Tries {
    pub(crate) const fn new() -> Self {
        Self { left: TRIES, pause: FIRST_PAUSE, is_open: false }
    }

    /// Returns whether the conditional write `sent` was applied. Where it was not, or nobody knows, the
    /// caller is to look again and decide anew; it has been made to wait for that.
    pub(crate) async fn is_applied(&mut self, sent: Result<Decided, StoreError>) -> Result<bool, StoreError> {
        if self.known(sent).await?.is_some_and(|decided| decided.applied) {
            return Ok(true);
        }
        self.wait().await?;
        Ok(false)
    }

    /// Returns what a conditional write was answered, or `None` where nobody knows: the caller may send it
    /// again.
    pub(crate) async fn known(
        &mut self,
        sent: Result<Decided, StoreError>,
    ) -> Result<Option<Decided>, StoreError> {
        match sent {
            Ok(decided) => Ok(Some(decided)),
            Err(StoreError::Unknown(_)) => {
                self.is_open = true;
                self.wait().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes that a first step of several was applied: from now on no error means that nothing was.
    pub(crate) const fn opened(&mut self) {
        self.is_open = true;
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is none left.
    pub(crate) async fn wait(&mut self) -> Result<(), StoreError> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Err(StoreError::Refused("others decide the same thing all the time".to_owned()));
        }
        tokio::time::sleep(self.pause.mul_f64(fastrand::f64())).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Returns what the caller is told: a refusal only where nothing at all was applied.
    pub(crate) fn settle<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match answer {
            Err(StoreError::Refused(reason)) if self.is_open => Err(StoreError::Unknown(reason)),
            answer => answer,
        }
    }
}

/// Returns a name that nothing else ever has.
pub(crate) fn unique() -> Uuid {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// A condition of a batch: the statement and its values.
pub(crate) type Condition<'a> = (&'a Conditional, Box<dyn SerializeRow + Send + Sync + 'a>);

/// Pairs a conditional statement with its values.
pub(crate) fn condition<'a>(
    statement: &'a Conditional,
    values: impl SerializeRow + Send + Sync + 'a,
) -> Condition<'a> {
    (statement, Box::new(values))
}

/// Returns the version of a ledger that follows `version`.
pub(crate) fn next_version(version: Option<i64>) -> i64 {
    version.map_or(1, |version| version.saturating_add(1))
}
