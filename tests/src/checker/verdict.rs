//! What the checker found, countable and readable.

use rookery_protocol::{RoomId, Seq};
use std::collections::BTreeMap;
use std::fmt;

/// Violations that are kept word by word; all are counted.
const KEPT: usize = 1_000;

/// Violations that are printed word by word.
const PRINTED: usize = 20;

/// A promise that was broken; the table at the head of the [checker](crate::checker) says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// C1.
    Lost,
    /// C1b.
    Unseen,
    /// C2.
    Duplicate,
    /// C3.
    Differs,
    /// C4.
    Gap,
    /// C5.
    Stream,
    /// C6.
    Order,
    /// C7.
    NeverSent,
    /// C8.
    Outside,
    /// C9.
    Redacted,
    /// C10.
    Rights,
    /// C11.
    State,
    /// C12.
    Counts,
    /// C13.
    Cursor,
    /// C14.
    Stale,
}

/// One breach of one promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Of which.
    pub rule: Rule,
    /// In which room.
    pub room: RoomId,
    /// At which place.
    pub seq: Seq,
    /// What was found, and by whom.
    pub found: String,
}

/// How much was judged: a verdict over nothing is worth nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Journals.
    pub clients: u64,
    /// Rooms.
    pub rooms: u64,
    /// Events in the logs.
    pub events: u64,
    /// Messages in the logs.
    pub messages: u64,
    /// Edits in the logs.
    pub edits: u64,
    /// Deletes in the logs.
    pub deletes: u64,
    /// Reactions in the logs, set or taken off.
    pub reactions: u64,
    /// Pins in the logs, set or taken off.
    pub pins: u64,
    /// Marks that were sent, each attempt.
    pub marks: u64,
    /// Words of the server on how far somebody has come.
    pub standings: u64,
    /// Words of the server on who is typing.
    pub typing: u64,
    /// Sends of messages and changes, each attempt.
    pub sends: u64,
    /// Sends that were repetitions.
    pub repeats: u64,
    /// Answers that said a place.
    pub acks: u64,
    /// Answers that said no.
    pub refusals: u64,
    /// Sends whose outcome no client ever heard.
    pub unknown: u64,
    /// Events that came over streams.
    pub deliveries: u64,
    /// Events that were read from pages.
    pub reads: u64,
    /// Streams begun with a position.
    pub resumes: u64,
    /// Of those, the ones that were too far back.
    pub resets: u64,
    /// Streams that ended because their reader was too slow.
    pub lagged: u64,
    /// Connections that ended.
    pub closed: u64,
}

/// The outcome.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What was judged.
    pub counts: Counts,
    /// The first of what was found, in the order of finding.
    pub violations: Vec<Violation>,
    /// How many there are of each, the ones that were not kept included.
    pub found: BTreeMap<Rule, u64>,
}

impl Verdict {
    /// Returns whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns how many violations there are.
    pub fn total(&self) -> u64 {
        self.found.values().sum()
    }

    pub(super) fn add(&mut self, rule: Rule, room: RoomId, seq: Seq, found: impl FnOnce() -> String) {
        *self.found.entry(rule).or_default() += 1;
        if self.violations.len() < KEPT {
            self.violations.push(Violation { rule, room, seq, found: found() });
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "C1 lost",
            Self::Unseen => "C1b unseen",
            Self::Duplicate => "C2 duplicate",
            Self::Differs => "C3 differs",
            Self::Gap => "C4 gap",
            Self::Stream => "C5 stream",
            Self::Order => "C6 order",
            Self::NeverSent => "C7 never sent",
            Self::Outside => "C8 outside membership",
            Self::Redacted => "C9 not redacted",
            Self::Rights => "C10 rights",
            Self::State => "C11 state",
            Self::Counts => "C12 counts",
            Self::Cursor => "C13 cursor",
            Self::Stale => "C14 stale",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: room {} at {}: {}", self.rule, self.room, self.seq, self.found)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        writeln!(
            f,
            "checked: {} clients, {} rooms, {} events of which {} messages",
            counts.clients, counts.rooms, counts.events, counts.messages
        )?;
        writeln!(
            f,
            "  edits {}, deletes {}, reactions {}, pins {}; marks sent {}, cursors told {}, typing told {}",
            counts.edits,
            counts.deletes,
            counts.reactions,
            counts.pins,
            counts.marks,
            counts.standings,
            counts.typing
        )?;
        writeln!(
            f,
            "  sends {} (repeated {}), acks {}, refusals {}, outcome unknown {}",
            counts.sends, counts.repeats, counts.acks, counts.refusals, counts.unknown
        )?;
        writeln!(
            f,
            "  deliveries {}, read from pages {}, resumes {}, resets {}, lagged {}, connections ended {}",
            counts.deliveries, counts.reads, counts.resumes, counts.resets, counts.lagged, counts.closed
        )?;
        for (rule, number) in &self.found {
            writeln!(f, "  {rule}: {number}")?;
        }
        for violation in self.violations.iter().take(PRINTED) {
            writeln!(f, "  {violation}")?;
        }
        write!(f, "violations: {}", self.total())
    }
}
