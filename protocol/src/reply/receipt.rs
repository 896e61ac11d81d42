//! Replies about who has read what, and who is there.

use crate::id::{Seq, UserId};
use crate::object::Presence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far one has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadMarked {
    /// Up to here.
    pub read: Seq,
    /// Messages after it.
    pub unread: u64,
    /// Of those, the ones that mention one.
    pub mentions: u64,
}

/// Who has read a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Readers {
    /// How many.
    pub count: u64,
    /// The first 100 of them, ascending by id.
    pub users: Vec<UserId>,
}

/// How the users are there whom one watches from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Watched {
    /// One entry a user, in the order they were named.
    pub users: Vec<Presence>,
}
