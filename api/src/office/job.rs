//! A job: work of the office that outlives a process.

use rookery_protocol::{RoomId, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobKind {
    /// Everything about a user into one archive.
    Export,
    /// A user out of the store.
    Erase,
}

/// How far an erasure has come; each step may be done again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Logged out for good, and not to be found any more.
    #[default]
    Account,
    /// What it wrote, room by room: after this room, in the next one after this position.
    Rooms {
        /// The last room that is through.
        after: Option<RoomId>,
        /// How far the one behind it is.
        seq: Seq,
    },
    /// What it sent, whoever else has sent it on.
    Files,
    /// What is left beside.
    Traces,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// When it was asked for.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) kind: JobKind,
    /// Of whom.
    pub(crate) user: UserId,
    /// By whom it was asked for.
    pub(crate) by: String,
    /// How far it is.
    #[serde(default)]
    pub(crate) step: Step,
    /// The handles that the user had while it was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) handles: Vec<String>,
    /// The addresses, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<String>,
    /// Which process does it, and until when nobody else may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<(Uuid, Timestamp)>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) done_at: Option<Timestamp>,
    /// When its archive was deleted, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gone_at: Option<Timestamp>,
    /// Messages whose content was taken away, or bytes of the archive.
    #[serde(default)]
    pub(crate) count: u64,
    /// What stood in the way the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<String>,
}

impl Job {
    /// Returns a job that nobody has begun.
    pub(crate) fn new(kind: JobKind, user: UserId, by: String, at: Timestamp) -> Self {
        Self {
            at,
            kind,
            user,
            by,
            step: Step::default(),
            handles: Vec::new(),
            addresses: Vec::new(),
            held: None,
            done_at: None,
            gone_at: None,
            count: 0,
            trouble: None,
        }
    }
}
