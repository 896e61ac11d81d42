//! Which connections of this node each user speaks on.

use crate::connection::{Connection, ConnectionId};
use rookery_protocol::UserId;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shards of the table. A connection changes it twice in its life.
const SHARDS: usize = 16;

/// The authenticated connections of a node, by user.
#[derive(Debug)]
pub struct UserConnections {
    shards: Vec<Mutex<HashMap<UserId, Vec<Arc<Connection>>>>>,
    hasher: RandomState,
}

impl UserConnections {
    /// Returns a table without connections.
    pub fn new() -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Adds a connection of `user`, once. One that is closing is left out, since whoever would take it
    /// out may have been here before.
    pub fn add(&self, user: UserId, connection: &Arc<Connection>) {
        let mut shard = self.shard(user);
        let connections = shard.entry(user).or_default();
        connections.retain(|other| other.id() != connection.id());
        if connection.outbox().closing().is_none() {
            // Most users have one; a vector makes room for four at once.
            connections.reserve_exact(1);
            connections.push(Arc::clone(connection));
        }
        if connections.is_empty() {
            shard.remove(&user);
        }
    }

    /// Takes a connection of `user` out.
    pub fn remove(&self, user: UserId, connection: ConnectionId) {
        let mut shard = self.shard(user);
        if let Some(connections) = shard.get_mut(&user) {
            connections.retain(|other| other.id() != connection);
            if connections.is_empty() {
                shard.remove(&user);
            }
        }
    }

    /// Returns the connections of `user`.
    pub fn of(&self, user: UserId) -> Vec<Arc<Connection>> {
        self.shard(user).get(&user).cloned().unwrap_or_default()
    }

    /// Returns whether `user` has a connection.
    pub fn is_online(&self, user: UserId) -> bool {
        self.shard(user).contains_key(&user)
    }

    /// Returns how many users have a connection.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Returns whether no user has a connection.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` for every user with a connection, one shard at a time.
    pub fn each(&self, mut visit: impl FnMut(UserId)) {
        for shard in &self.shards {
            lock(shard).keys().for_each(|user| visit(*user));
        }
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Connection>>>> {
        let index = usize::try_from(self.hasher.hash_one(user) % SHARDS as u64).unwrap_or(0);
        lock(&self.shards[index])
    }
}

impl Default for UserConnections {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
