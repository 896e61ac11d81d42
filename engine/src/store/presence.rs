//! The presence half of the store port: when users were last there. Whether they are there now is
//! never stored.

use super::Answer;
use rookery_protocol::{Timestamp, UserId};

/// When users were last there, over restarts.
pub trait LastSeen {
    /// Notes for each user when it was there; the latest moment that was ever given for it stays, so
    /// calls may come in any order and any number of times. Users need not exist.
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()>;

    /// Returns when users were last there, of those among `users` of whom it is known, each once, in
    /// no particular order.
    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>>;
}
