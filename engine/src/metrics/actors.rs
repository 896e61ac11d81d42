//! Actors: how many run, how long their turns take, what waits for them, and how they fail.

use super::buckets::{QUEUE, TURNS};
use super::handle::By;
use super::row::{
    Row,
    Values::{Cross, Each, Pairs},
    subject,
};
use metrics::Unit::{Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

/// The kinds of actors, in the order of [`ActorKind`].
const KINDS: &[&str] = &["session", "room"];

const FAILED_BY: &[&str] = &["panic", "killed"];

/// What sessions and rooms hear: sessions first, each in the order of its enum.
const MESSAGES: &[[&str; 2]] = &[
    ["session", "command"],
    ["session", "ticket"],
    ["session", "identified"],
    ["session", "passed"],
    ["session", "moved"],
    ["session", "closed"],
    ["room", "submit"],
    ["room", "open"],
    ["room", "signal"],
    ["room", "join"],
    ["room", "glance"],
    ["room", "recall"],
    ["room", "loaded"],
    ["room", "known"],
    ["room", "appended"],
    ["room", "marked"],
    ["room", "counted"],
    ["room", "heads_read"],
    ["room", "heads_unread"],
    ["room", "heads_due"],
    ["room", "heads_told"],
    ["room", "located"],
    ["room", "foreign"],
    ["room", "told"],
    ["room", "echo"],
    ["room", "head_heard"],
    ["room", "forwarded"],
    ["room", "answered"],
    ["room", "answer_due"],
    ["room", "homes_moved"],
    ["room", "looked"],
    ["room", "refresh"],
    ["room", "tick"],
    ["room", "retire"],
];

/// A kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// Behind a connection.
    Session,
    /// Of a room.
    Room,
}

impl ActorKind {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        KINDS[self as usize]
    }
}

/// What supervisors count of one kind of actor.
#[derive(Clone, Debug)]
pub struct KindMetrics {
    /// The kind's name.
    pub kind: &'static str,
    /// Running now.
    pub running: Gauge,
    /// Started.
    pub started: Counter,
    /// Ended by a panic.
    pub panicked: Counter,
    /// Ended in the middle of something, because the node went down.
    pub killed: Counter,
}

subject! {
    /// Counts actors.
    ActorMetrics {
        running: By<Gauge> = Row::of("rookery_actors", Count, "Actors running.").by(&["kind"], Each(KINDS));
        started: By<Counter> = Row::of("rookery_actor_starts_total", Count, "Actors started.").by(&["kind"], Each(KINDS));
        failed: By<Counter> = Row::of("rookery_actor_failures_total", Count, "Actors that failed, by why: each panic is a bug. None is restarted: a client comes back, a room is activated by its next use.").by(&["kind", "reason"], Cross(KINDS, FAILED_BY));
        turn_seconds: By<Histogram> = Row::of("rookery_actor_message_duration_seconds", Seconds, "Time of an actor's turn, by the message that it hears.").by(&["kind", "message"], Pairs(MESSAGES)).over(TURNS);
        waiting: By<Histogram> = Row::of("rookery_actor_mailbox_depth", Count, "Messages that wait for an actor, for each one at each look of the sweeper.").by(&["kind"], Each(KINDS)).over(QUEUE);
        deepest: By<Gauge> = Row::of("rookery_actor_mailbox_deepest", Count, "The most messages that waited for one actor at the last look of the sweeper.").by(&["kind"], Each(KINDS));
    }
}

impl ActorMetrics {
    /// Returns what is counted of one kind.
    pub fn of(&self, kind: ActorKind) -> KindMetrics {
        let index = kind as usize;
        KindMetrics {
            kind: kind.as_str(),
            running: self.running.at(index).clone(),
            started: self.started.at(index).clone(),
            panicked: self.failed.cross(index, 0).clone(),
            killed: self.failed.cross(index, 1).clone(),
        }
    }
}
