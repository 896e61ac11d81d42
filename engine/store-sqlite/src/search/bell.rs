//! What the committer, searches and the indexer tell each other.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Wakes the indexer, and says how it stands. The committer's side costs one lock that nobody holds
/// for longer than a few instructions.
#[derive(Debug)]
pub(crate) struct Bell {
    calls: Mutex<Calls>,
    rung: Condvar,
    standing: watch::Sender<Standing>,
}

#[derive(Debug, Default)]
struct Calls {
    /// Something was committed.
    is_behind: bool,
    /// The last event that a search has waited for.
    wanted: i64,
    /// The last event taken in.
    taken: i64,
    is_closed: bool,
    /// The store has failed, so nothing more is to be synced.
    has_failed: bool,
}

/// How the index stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// The last event taken in.
    pub(super) position: i64,
    /// The log's last event when it was last looked at.
    pub(super) newest: i64,
    /// Events taken in since the start.
    pub(super) indexed: u64,
    /// Why nothing can be found until the index is made anew.
    pub(super) damage: Option<String>,
}

impl Bell {
    pub(super) fn new(position: i64) -> Self {
        // What was committed before the start may not be in the index.
        let calls = Mutex::new(Calls { is_behind: true, taken: position, ..Calls::default() });
        let standing = Standing { position, newest: position, ..Standing::default() };
        Self { calls, rung: Condvar::new(), standing: watch::Sender::new(standing) }
    }

    /// Says that something was committed.
    pub(crate) fn committed(&self) {
        let mut calls = self.lock();
        if !std::mem::replace(&mut calls.is_behind, true) {
            drop(calls);
            self.rung.notify_one();
        }
    }

    /// Says that a search waits for event `newest`; `false` when it is in the index already.
    pub(super) fn want(&self, newest: i64) -> bool {
        {
            let standing = self.standing.borrow();
            if standing.position >= newest && standing.damage.is_none() {
                return false;
            }
        }
        let mut calls = self.lock();
        (calls.is_behind, calls.wanted) = (true, calls.wanted.max(newest));
        drop(calls);
        self.rung.notify_one();
        true
    }

    /// Has the indexer end, of a store that `has_failed` or not.
    pub(super) fn close(&self, has_failed: bool) {
        let mut calls = self.lock();
        (calls.is_closed, calls.has_failed) = (true, calls.has_failed || has_failed);
        drop(calls);
        self.rung.notify_one();
    }

    pub(super) fn has_failed(&self) -> bool {
        self.lock().has_failed
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits until there may be something to do, and then for more of it to come together, unless a
    /// search waits. Returns false when it is time to end.
    pub(super) fn wait(&self, gather: Duration) -> bool {
        let is_idle = |calls: &mut Calls| !calls.is_behind && !calls.is_closed;
        let calls = self.rung.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let mut calls = self.pause(calls, gather);
        calls.is_behind = false;
        !calls.is_closed
    }

    /// Lets `rest` pass, or less when a search waits or it is time to end.
    pub(super) fn breathe(&self, rest: Duration) {
        drop(self.pause(self.lock(), rest));
    }

    /// Lets `rest` pass after a failure, or less when it is time to end; there is something to do
    /// then.
    pub(super) fn rest(&self, rest: Duration) {
        let is_open = |calls: &mut Calls| !calls.is_closed;
        let calls = self.rung.wait_timeout_while(self.lock(), rest, is_open);
        calls.unwrap_or_else(PoisonError::into_inner).0.is_behind = true;
    }

    fn pause<'a>(&'a self, calls: MutexGuard<'a, Calls>, gather: Duration) -> MutexGuard<'a, Calls> {
        let is_unhurried = |calls: &mut Calls| calls.wanted <= calls.taken && !calls.is_closed;
        self.rung.wait_timeout_while(calls, gather, is_unhurried).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Returns how the index stands, now and from now on.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Says that the index has taken in `events` up to `position`, of a log that ends at `newest`.
    pub(super) fn moved(&self, position: i64, newest: i64, events: u64) {
        self.lock().taken = position;
        self.standing.send_modify(|standing| {
            (standing.position, standing.newest) = (position, newest.max(position));
            standing.indexed += events;
        });
    }

    /// Says that the index cannot be used any more.
    pub(super) fn damaged(&self, why: &str) {
        tracing::error!(why, "the search index is not used any more until the next start");
        self.standing.send_modify(|standing| standing.damage = Some(why.to_owned()));
        self.committed();
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.standing.borrow().damage.is_some()
    }

    /// Notes an error of the index; one that says it is damaged ends its use.
    pub(super) fn failed(&self, error: &rusqlite::Error) {
        if super::open::is_damage(error) {
            self.damaged(&error.to_string());
        } else {
            tracing::warn!(%error, "the search index was not read");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_wakes_the_indexer_and_a_search_hurries_it() {
        let bell = Bell::new(7);
        assert!(bell.wait(Duration::ZERO), "the first look is at what was there before");
        assert!(!bell.want(7), "it is there");
        bell.committed();
        bell.committed();
        assert!(bell.wait(Duration::ZERO));
        assert!(bell.want(8));
        assert!(bell.wait(Duration::from_secs(3600)), "nothing is gathered while a search waits");
        bell.moved(7, 8, 0);
        bell.breathe(Duration::from_secs(3600));
        bell.moved(8, 9, 1);
        assert!(!bell.want(8));
        bell.close(false);
        assert!(!bell.wait(Duration::from_secs(3600)));
    }
}
