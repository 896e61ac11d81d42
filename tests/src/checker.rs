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
//! | C9 | what a delete took away nobody is given who reads after it: replay, edits, pages, quotes, log |
//! | C10 | a change has a message that its maker can see, is made by who may, and changes something |
//! | C11 | a page shows of a message what the log makes of it, no older than the page's head |
//! | C12 | unread and mentions are those of the positions, at a head that the answer can be from |
//! | C13 | a cursor never goes back, stays where an acked mark put it, and goes no further |
//! | C14 | who asks is told of a head no older than what anybody knew before |
//!
//! C1, C2, C3, C6 and C7 are of messages and of changes alike: an acked change is in the log once,
//! under its name and at its place, with its target. What a message or an edit says has a hash of its
//! own; where the log has lost it to a delete, what was sent stands in.
//!
//! One pass, O(n) time; memory for the logs and the sends, not for the deliveries. The rules are
//! those of Jepsen's Kafka checker (jepsen/src/jepsen/tests/kafka.clj), with membership added.
//! The clock of the journals must be one clock, so the clients must be of one process. Membership
//! is what the log itself says. An inbox is not judged: its events are not in a journal.
//!
//! Not to be held against a server: a send without an answer, or answered `busy`, may be in the log
//! or not; a connection that ended owes nothing; before `room.removed` events may be missing.

mod changes;
mod client;
mod cursors;
mod history;
mod horizon;
mod sends;
mod stream;
mod verdict;

pub use verdict::{Counts, Rule, Verdict, Violation};

use crate::journal::{Entry, JournalReader, Owner, RoomLog, RoomLogFile};
use client::Shared;
use cursors::Cursors;
use history::History;
use horizon::Horizon;
use rookery_protocol::Seq;
use rookery_protocol::limits::REPLAY;
use sends::Sends;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

/// Judges journals against the final reads.
#[derive(Debug)]
pub struct Checker {
    shared: Shared,
}

impl Checker {
    /// Begins with the final read of every room, and judges each by itself.
    pub fn new(logs: impl IntoIterator<Item = RoomLog>) -> Self {
        let mut verdict = Verdict::default();
        let rooms = logs.into_iter().map(|log| (log.room, History::new(log, &mut verdict))).collect();
        Self {
            shared: Shared {
                rooms,
                sends: Sends::default(),
                cursors: Cursors::default(),
                looks: Vec::new(),
                typists: HashSet::new(),
                typing: HashMap::new(),
                verdict,
                replay: REPLAY as u64,
            },
        }
    }

    /// Judges resets by another replay window than [`REPLAY`], in events.
    #[must_use]
    pub fn with_replay(mut self, replay: u64) -> Self {
        self.shared.replay = replay;
        self
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
        self.shared.verdict.counts.clients += 1;
        let mut client = client::Client::new(owner, &mut self.shared);
        for entry in entries {
            client.hear(entry?);
        }
        client.end();
        Ok(())
    }

    /// Judges what only all journals together show, and returns the verdict.
    pub fn finish(self) -> Verdict {
        let Shared { rooms, sends, cursors, looks, typists, typing, mut verdict, .. } = self.shared;
        sends.judge(&rooms, &mut verdict);
        for (room, history) in &rooms {
            history.judge_order(&sends, &mut verdict);
            let horizon = Horizon::new(history, &sends);
            looks.iter().filter(|look| look.room == *room).for_each(|look| horizon.judge(look, &mut verdict));
            let said = |seq| sends.said(*room, history.at(seq)?);
            cursors.judge(history, &horizon, said, &mut verdict);
        }
        for ((room, user), client) in typing {
            if !typists.contains(&(room, user)) {
                verdict.add(Rule::NeverSent, room, Seq::ZERO, || {
                    format!("{client} was told that {user} types, which never did")
                });
            }
        }
        verdict
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
