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
use std::time::Duration;

/// The kinds of actors, in the order of [`ActorKind`].
const KINDS: &[&str] = &["session", "room", "relay"];

/// The kinds for whose mailboxes there is a look: one message at most waits for a relay.
const LOOKED_AT: &[&str] = &["session", "room"];

const FAILED_BY: &[&str] = &["panic", "killed"];

/// Declares the turns of actors: a kind and the message that it hears.
macro_rules! turns {
    ($($turn:ident = $kind:literal $message:literal,)+) => {
        /// What an actor hears in a turn.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is a variant of its actor's inbox, whose doc says what it is")]
        pub enum Turn { $($turn,)+ }

        const TURNS_BY: &[[&str; 2]] = &[$([$kind, $message]),+];
    };
}

turns! {
    SessionCommand = "session" "command",
    SessionTicket = "session" "ticket",
    SessionIdentified = "session" "identified",
    SessionPassed = "session" "passed",
    SessionMoved = "session" "moved",
    SessionRest = "session" "rest",
    SessionClosed = "session" "closed",
    RoomSubmit = "room" "submit",
    RoomOpen = "room" "open",
    RoomSignal = "room" "signal",
    RoomJoin = "room" "join",
    RoomGlance = "room" "glance",
    RoomRecall = "room" "recall",
    RoomLoaded = "room" "loaded",
    RoomKnown = "room" "known",
    RoomAppended = "room" "appended",
    RoomMarked = "room" "marked",
    RoomCounted = "room" "counted",
    RoomHeadsRead = "room" "heads_read",
    RoomHeadsUnread = "room" "heads_unread",
    RoomHeadsDue = "room" "heads_due",
    RoomHeadsTold = "room" "heads_told",
    RoomLocated = "room" "located",
    RoomForeign = "room" "foreign",
    RoomTold = "room" "told",
    RoomEcho = "room" "echo",
    RoomHeadHeard = "room" "head_heard",
    RoomForwarded = "room" "forwarded",
    RoomAnswered = "room" "answered",
    RoomAnswerDue = "room" "answer_due",
    RoomHomesMoved = "room" "homes_moved",
    RoomAudienceTold = "room" "audience_told",
    RoomRelayFailed = "room" "relay_failed",
    RoomLooked = "room" "looked",
    RoomRefresh = "room" "refresh",
    RoomTick = "room" "tick",
    RoomRetire = "room" "retire",
    RelayCatchUp = "relay" "catch_up",
}

/// A kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// Behind a connection.
    Session,
    /// Of a room.
    Room,
    /// Of a slice of the audience of a room.
    Relay,
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
        turn_seconds: By<Histogram> = Row::of("rookery_actor_message_duration_seconds", Seconds, "Time of an actor's turn, by the message that it hears.").by(&["kind", "message"], Pairs(TURNS_BY)).over(TURNS);
        waiting: By<Histogram> = Row::of("rookery_actor_mailbox_depth", Count, "Messages that wait for an actor, for each one at each look of the sweeper.").by(&["kind"], Each(LOOKED_AT)).over(QUEUE);
        deepest: By<Gauge> = Row::of("rookery_actor_mailbox_deepest", Count, "The most messages that waited for one actor at the last look of the sweeper.").by(&["kind"], Each(LOOKED_AT));
    }
}

impl ActorMetrics {
    /// Counts a turn.
    pub fn turned(&self, turn: Turn, took: Duration) {
        self.turn_seconds.at(turn as usize).record(took.as_secs_f64());
    }

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
