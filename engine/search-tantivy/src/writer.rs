//! The writer: the one thread that changes the index.
//!
//! What waits at a time is one commit: the messages of some rooms and their marks, whole or not at all.
//! After a failure the index is opened again as of its last commit, or made anew where it is damaged.

mod tidy;

use crate::changes::changes;
use crate::fields::{LogNumber, Taken};
use crate::folder::Folder;
use crate::index::{Mark, OpenIndex};
use crate::options::OpenError;
use crate::rooms::{Basis, FOLLOWERS, Rooms};
use rookery_engine::Clock;
use rookery_engine::store::StoreError;
use rookery_protocol::{Event, RoomId, Seq};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use tidy::Tidy;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Orders that wait: one of each follower, and the few others.
const ORDERS: usize = FOLLOWERS + 8;

/// How long an index that failed is not opened again: that reads all of it, and a full disk is not mended
/// faster.
const RETRY: Duration = Duration::from_secs(5);

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Order {
    /// Take these in, and say when they are searchable.
    Take(Vec<Page>, Done),
    /// Something was wrong with what a search read: look at all of it.
    Check,
    /// End.
    Close,
}

/// Events of one room, after position `after` without a gap.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) room: RoomId,
    pub(crate) log: LogNumber,
    pub(crate) after: Seq,
    pub(crate) events: Vec<Event>,
}

/// Hears how an order has ended.
pub(crate) type Done = oneshot::Sender<Result<(), StoreError>>;

/// The thread's state.
pub(crate) struct Writer {
    folder: Arc<Folder>,
    /// None after a failure, until it is opened again.
    index: Option<OpenIndex>,
    failed_at: Option<Instant>,
    rooms: Arc<Rooms>,
    clock: Arc<dyn Clock>,
    tidy: Tidy,
}

impl Writer {
    /// Opens the index. Returns the thread's state, and where its orders come from and go to.
    pub(crate) fn open(
        folder: Folder,
        rooms: Arc<Rooms>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, SyncSender<Order>, Receiver<Order>), OpenError> {
        let (sender, orders) = sync_channel(ORDERS);
        let (index, marks) = folder.open()?;
        rooms.load(marks, index.searcher());
        let folder = Arc::new(folder);
        let writer = Self { folder, index: Some(index), failed_at: None, rooms, clock, tidy: Tidy::due() };
        Ok((writer, sender, orders))
    }

    /// Runs until it is told to close.
    pub(crate) fn run(mut self, orders: &Receiver<Order>) {
        let _guard = AnewOnPanic { rooms: Arc::clone(&self.rooms), folder: Arc::clone(&self.folder) };
        loop {
            if self.tidy.is_due() {
                self.tidy();
            }
            match orders.recv_timeout(self.tidy.rest()) {
                Ok(Order::Take(pages, done)) => {
                    let mut waits = (pages, vec![done]);
                    let ends = self.gather(&mut waits, orders);
                    self.take(waits);
                    if ends {
                        break;
                    }
                }
                Ok(Order::Check) => self.check(),
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.rooms.close();
        self.close();
    }

    /// Adds the pages that wait as well. Returns whether the thread is to end after them.
    fn gather(&mut self, (pages, waits): &mut (Vec<Page>, Vec<Done>), orders: &Receiver<Order>) -> bool {
        while waits.len() < FOLLOWERS {
            match orders.try_recv() {
                Ok(Order::Take(more, done)) => {
                    pages.extend(more);
                    waits.push(done);
                }
                Ok(Order::Check) => self.check(),
                Ok(Order::Close) => return true,
                Err(_) => return false,
            }
        }
        false
    }

    fn take(&mut self, (pages, waits): (Vec<Page>, Vec<Done>)) {
        let outcome = self.opened().and_then(|()| {
            self.commit(&pages).map_err(|error| {
                self.fail();
                error.to_string()
            })
        });
        if let Err(why) = &outcome {
            tracing::warn!(why, "the search index takes nothing in");
        }
        for done in waits {
            // Whoever has gone meanwhile learns of it from the rooms.
            drop(done.send(outcome.clone().map_err(StoreError::Refused)));
        }
    }

    /// Takes pages in as one commit. A page that does not follow what is in the index is left out.
    fn commit(&mut self, pages: &[Page]) -> tantivy::Result<()> {
        let Some(index) = &mut self.index else { return Ok(()) };
        let searcher = index.searcher();
        let (mut marks, mut events, mut seen) = (Vec::new(), 0, HashSet::new());
        for page in pages {
            let basis = self.rooms.basis(page.room, page.log, page.after).filter(|_| seen.insert(page.room));
            let (Some(basis), Some(last)) = (basis, page.events.last()) else { continue };
            let Basis { taken, stale, searched } = basis;
            let find = |seq| index.message(&searcher, page.log, seq);
            let (changes, order) = changes(taken.as_ref(), &page.events, find)?;
            let taken = Taken { seq: last.seq, at: last.at, by: last.by, order, searched };
            let mark: Mark = (page.room, page.log, taken);
            if let Some(stale) = stale {
                index.take_out(stale);
            }
            index.write(&mark, &changes)?;
            marks.push(mark);
            events += page.events.len() as u64;
        }
        if !marks.is_empty() {
            index.commit()?;
            self.rooms.moved(&marks, events, index.searcher());
            self.tidy.took_in(events);
        }
        Ok(())
    }

    /// Has the index open, unless that has failed a moment ago.
    fn opened(&mut self) -> Result<(), String> {
        if self.index.is_some() {
            return Ok(());
        }
        if self.failed_at.is_some_and(|failed| failed.elapsed() < RETRY) {
            return Err("the search index has failed a moment ago".to_owned());
        }
        self.failed_at = Some(Instant::now());
        let (index, marks) = self.folder.open().map_err(|error| error.to_string())?;
        self.rooms.load(marks, index.searcher());
        self.index = Some(index);
        Ok(())
    }

    /// Lets go of an index that failed: what it has not committed is not to be.
    fn fail(&mut self) {
        self.close();
        self.failed_at = Some(Instant::now());
    }

    fn close(&mut self) {
        if let Some(Err(error)) = self.index.take().map(OpenIndex::close) {
            tracing::warn!(%error, "the search index was not closed in order");
        }
    }

    /// Reads all of the index, and makes it anew where it is damaged.
    fn check(&mut self) {
        if self.failed_at.is_none_or(|failed| failed.elapsed() >= RETRY) {
            self.close();
            if let Err(why) = self.opened() {
                tracing::warn!(why, "the search index is not opened again");
            }
        }
    }
}

/// Has nobody wait for a thread that has panicked, and the next start not read what it panicked over.
struct AnewOnPanic {
    rooms: Arc<Rooms>,
    folder: Arc<Folder>,
}

impl Drop for AnewOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let removed = self.folder.remove();
            tracing::error!(
                ?removed,
                "the writer of the search index has panicked: the next start makes another"
            );
            self.rooms.broke("the writer of the search index has panicked");
        }
    }
}
