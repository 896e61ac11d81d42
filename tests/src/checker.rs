//! The checker: from every client's journal and a final full read of each room, were the promises
//! kept?
//!
//! | rule | promise |
//! |---|---|
//! | C1 | what was acked or delivered is in the log, where it was said to be |
//! | C1b | who has a room open has seen every event that its membership covers |
//! | C2 | a `client_id` is in the log once, a place holds one event |
//! | C3 | the same content at the same place for everybody, and it is what was sent |
//! | C4 | a log is 1, 2, 3 … and `ord` counts its messages |
//! | C5 | a stream begins where it was asked to and goes on one by one |
//! | C6 | what was known before a send has a smaller place; pipelined sends keep their order |
//! | C7 | nothing is in the log that was never sent, or was refused |
//! | C8 | nobody sees or writes anything outside its membership |
//!
//! One pass, O(n) time; memory for the logs and the sends, not for the deliveries. The rules are
//! those of Jepsen's Kafka checker (jepsen/src/jepsen/tests/kafka.clj), with membership added.
//! The clock of the journals must be one clock, so the clients must be of one process. Membership
//! is what the log itself says. An inbox is not judged: its events are not in a journal.
//!
//! Not to be held against a server: a send without an answer, or answered `busy`, may be in the log
//! or not; a connection that ended owes nothing; before `room.removed` events may be missing.

mod client;
mod history;
mod sends;
mod stream;
mod verdict;

pub use verdict::{Counts, Rule, Verdict, Violation};

use crate::journal::{Entry, JournalReader, Owner, RoomLog, RoomLogFile};
use history::History;
use rookery_protocol::RoomId;
use rookery_protocol::limits::REPLAY;
use sends::Sends;
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// Judges journals against the final reads.
#[derive(Debug)]
pub struct Checker {
    rooms: HashMap<RoomId, History>,
    sends: Sends,
    verdict: Verdict,
    replay: u64,
}

impl Checker {
    /// Begins with the final read of every room, and judges each by itself.
    pub fn new(logs: impl IntoIterator<Item = RoomLog>) -> Self {
        let mut verdict = Verdict::default();
        let rooms = logs.into_iter().map(|log| (log.room, History::new(log, &mut verdict))).collect();
        Self { rooms, sends: Sends::default(), verdict, replay: REPLAY as u64 }
    }

    /// Judges resets by another replay window than [`REPLAY`], in events.
    #[must_use]
    pub fn with_replay(self, replay: u64) -> Self {
        Self { replay, ..self }
    }

    /// Judges what one client saw, and notes what it sent.
    ///
    /// # Errors
    /// The first error of `entries`, when they are read from somewhere.
    pub fn client(
        &mut self,
        owner: &Owner,
        entries: impl IntoIterator<Item = io::Result<Entry>>,
    ) -> io::Result<()> {
        let Self { rooms, sends, verdict, replay } = self;
        verdict.counts.clients += 1;
        let mut client = client::Client::new(owner, rooms, sends, verdict, *replay);
        for entry in entries {
            client.hear(entry?);
        }
        client.end();
        Ok(())
    }

    /// Judges what only all journals together show, and returns the verdict.
    pub fn finish(mut self) -> Verdict {
        self.sends.judge(&self.rooms, &mut self.verdict);
        for history in self.rooms.values() {
            history.judge_order(&self.sends, &mut self.verdict);
        }
        self.verdict
    }
}

/// Judges a folder of journals (`client-*.jsonl`) and room logs (`room-*.jsonl`).
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn check_folder(folder: &Path) -> io::Result<Verdict> {
    let mut logs = Vec::new();
    let mut journals = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("room-") {
            logs.push(RoomLogFile::read(&path)?);
        } else if name.starts_with("client-") {
            journals.push(path);
        }
    }
    journals.sort_unstable();
    let mut checker = Checker::new(logs);
    for path in journals {
        let journal = JournalReader::open(&path)?;
        let owner = journal.owner().clone();
        checker.client(&owner, journal)?;
    }
    Ok(checker.finish())
}
