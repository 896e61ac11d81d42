//! The directory: where on this node an actor is, by its key; activated on demand.
//!
//! It is asked when a room is opened, never on the way of a message. It is a plain value and not
//! ractor's registry, which is one per process: two nodes must live in one test.

use crate::mailbox::Mailbox;
use ractor::{ActorId, Message};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shards, so that activations of different keys seldom meet at one lock.
const SHARDS: usize = 16;

/// The running actors of one kind.
#[derive(Debug)]
pub struct Directory<K, M> {
    shards: Vec<Mutex<HashMap<K, Mailbox<M>>>>,
    hasher: RandomState,
}

impl<K: Hash + Eq + Copy + Debug, M: Message> Directory<K, M> {
    /// Returns a directory without actors.
    pub fn new() -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Returns the actor for `key`, made by `spawn` if there is none. `spawn` runs once for any
    /// number of callers and must neither wait nor ask this directory.
    ///
    /// # Errors
    /// Those of `spawn`; nothing is kept then.
    pub fn get_or_spawn<E>(
        &self,
        key: K,
        spawn: impl FnOnce() -> Result<Mailbox<M>, E>,
    ) -> Result<Mailbox<M>, E> {
        let mut shard = self.shard(&key);
        if let Some(actor) = shard.get(&key) {
            return Ok(actor.clone());
        }
        let actor = spawn()?;
        shard.insert(key, actor.clone());
        Ok(actor)
    }

    /// Returns the actor for `key` if one runs.
    pub fn get(&self, key: K) -> Option<Mailbox<M>> {
        self.shard(&key).get(&key).cloned()
    }

    /// Forgets `key` if it still is that actor: a later one under the same key stays.
    pub fn remove(&self, key: K, actor: ActorId) -> bool {
        let mut shard = self.shard(&key);
        let is_that = shard.get(&key).is_some_and(|kept| kept.get_id() == actor);
        if is_that {
            shard.remove(&key);
        }
        is_that
    }

    /// Calls `visit` for every actor, one shard at a time, on a copy: it may ask the directory.
    pub fn each(&self, mut visit: impl FnMut(K, &Mailbox<M>)) {
        for shard in &self.shards {
            let actors: Vec<_> = lock(shard).iter().map(|(key, actor)| (*key, actor.clone())).collect();
            for (key, actor) in &actors {
                visit(*key, actor);
            }
        }
    }

    /// Returns how many actors run.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Returns whether none runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, HashMap<K, Mailbox<M>>> {
        lock(&self.shards[usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0)])
    }
}

impl<K: Hash + Eq + Copy + Debug, M: Message> Default for Directory<K, M> {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
