//! What searches, followers and the writer tell each other: how far each room is in the index, how far it
//! is wanted, and which rooms wait to be followed.
//!
//! All of it changes together with the state of the index that is searched, under one lock that nobody
//! holds for longer than it takes to look at the rooms of one search.

mod queue;

pub(crate) use queue::{FOLLOWERS, Job};

use crate::fields::{LogNumber, Taken};
use crate::index::Mark;
use crate::scope::Reach;
use rookery_engine::search::SearchProgress;
use rookery_engine::store::StoreError;
use rookery_protocol::{RoomId, Seq, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tantivy::Searcher;
use tokio::sync::watch;

/// The rooms of one index.
#[derive(Debug)]
pub(crate) struct Rooms {
    state: Mutex<State>,
    /// Changes whenever a search that waits may look again.
    news: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<RoomId, Room>,
    /// The rooms that are to be followed, each once.
    queue: VecDeque<RoomId>,
    followers: usize,
    /// The state that is searched; none before the first and after the last.
    searcher: Option<Searcher>,
    /// The number of the next room that is taken in.
    next: LogNumber,
    indexed: u64,
    behind: u64,
    is_closed: bool,
    /// Why nothing is taken in until the next start.
    broken: Option<&'static str>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rooms, queue, .. } = self;
        f.debug_struct("State").field("rooms", &rooms.len()).field("queue", queue).finish_non_exhaustive()
    }
}

/// A room in the index, or on its way.
#[derive(Debug)]
struct Room {
    log: LogNumber,
    /// What of it is there under another number, to be taken out with the next commit.
    stale: Option<LogNumber>,
    taken: Option<Taken>,
    /// What is taken in was compared with the store since the start.
    is_checked: bool,
    /// The newest position that a search has asked for.
    wanted: Seq,
    searched: Timestamp,
    /// It waits to be followed, or is followed.
    is_queued: bool,
    /// Why it was not taken in.
    failed: Option<StoreError>,
}

impl Room {
    fn new(log: LogNumber) -> Self {
        Self {
            log,
            stale: None,
            taken: None,
            is_checked: false,
            wanted: Seq::ZERO,
            searched: Timestamp(i64::MIN),
            is_queued: false,
            failed: None,
        }
    }

    fn position(&self) -> Seq {
        self.taken.map_or(Seq::ZERO, |taken| taken.seq)
    }

    fn has(&self, head: Seq) -> bool {
        self.is_checked && self.position() >= head
    }

    fn lag(&self) -> u64 {
        self.wanted.0.saturating_sub(self.position().0)
    }
}

/// What one search looks at.
pub(crate) struct View {
    pub(crate) searcher: Searcher,
    pub(crate) parts: HashMap<LogNumber, Part>,
}

/// The part of a log that one search looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) room: RoomId,
    pub(crate) joined: Seq,
    pub(crate) head: Seq,
}

/// Whether a search can go on.
pub(crate) enum Outlook {
    Ready(View),
    Waiting,
    Failed(StoreError),
}

/// What the writer has to know of a room that events come for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basis {
    pub(crate) taken: Option<Taken>,
    pub(crate) stale: Option<LogNumber>,
    pub(crate) searched: Timestamp,
}

impl Rooms {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), news: watch::Sender::new(()) }
    }

    /// Takes the state of an index that was opened. Rooms that wait go on waiting.
    pub(crate) fn load(&self, marks: Vec<Mark>, searcher: Searcher) {
        let mut state = self.lock();
        for room in state.rooms.values_mut() {
            (room.taken, room.is_checked) = (None, false);
        }
        for (id, log, taken) in marks {
            let room = state.rooms.entry(id).or_insert_with(|| Room::new(log));
            (room.log, room.stale, room.taken) = (log, None, Some(taken));
            room.searched = room.searched.max(taken.searched);
            state.next = state.next.max(log + 1);
        }
        state.behind = state.rooms.values().map(Room::lag).sum();
        state.searcher = Some(searcher);
        self.tell(state);
    }

    /// Returns whether the rooms of a search are in the index up to its heads, and the index then.
    pub(crate) fn outlook(&self, scope: &[Reach]) -> Outlook {
        let state = self.lock();
        let mut parts = HashMap::with_capacity(scope.len());
        let mut outlook = None;
        for Reach { room: id, joined, head } in scope {
            match state.rooms.get(id) {
                Some(room) if room.has(head.seq) => {
                    parts.insert(room.log, Part { room: *id, joined: *joined, head: head.seq });
                }
                Some(Room { failed: Some(error), is_queued: false, .. }) => {
                    return Outlook::Failed(error.clone());
                }
                _ => outlook = Some(Outlook::Waiting),
            }
        }
        if let Some(why) = state.broken {
            return Outlook::Failed(StoreError::Refused(why.to_owned()));
        }
        let view = || state.searcher.clone().map(|searcher| Outlook::Ready(View { searcher, parts }));
        outlook.or_else(view).unwrap_or(Outlook::Waiting)
    }

    /// Returns what changes whenever [`Rooms::outlook`] may.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Returns what the writer goes on from, unless the events after `after` of this log are not what
    /// comes next.
    pub(crate) fn basis(&self, room: RoomId, log: LogNumber, after: Seq) -> Option<Basis> {
        let state = self.lock();
        let room = state.rooms.get(&room).filter(|room| room.log == log && room.position() == after)?;
        Some(Basis { taken: room.taken, stale: room.stale, searched: room.searched })
    }

    /// Says that the index has taken in so many events, and how far it is with these rooms now.
    pub(crate) fn moved(&self, marks: &[Mark], events: u64, searcher: Searcher) {
        let mut state = self.lock();
        for (id, log, taken) in marks {
            let Some(room) = state.rooms.get_mut(id).filter(|room| room.log == *log) else { continue };
            let lag = room.lag();
            (room.taken, room.stale) = (Some(*taken), None);
            // What follows from position 0 on was read from this store.
            room.is_checked = true;
            let less = lag - room.lag();
            state.behind -= less;
        }
        state.indexed += events;
        state.searcher = Some(searcher);
        self.tell(state);
    }

    /// Has later searches look at another state of the index, with the same rooms.
    pub(crate) fn renewed(&self, searcher: Searcher) {
        self.lock().searcher = Some(searcher);
    }

    /// Forgets the rooms that nobody has searched since `before`, and of the others those that were not
    /// searched for longest, until `part` of all events are gone. Returns the numbers of their logs, which
    /// are to be taken out. A room that waits stays.
    pub(crate) fn forget(&self, before: Timestamp, part: f64) -> Vec<LogNumber> {
        let mut state = self.lock();
        let mut idle: Vec<(Timestamp, RoomId, u64)> = state
            .rooms
            .iter()
            .filter(|(_, room)| !room.is_queued)
            .map(|(id, room)| (room.searched, *id, room.position().0))
            .collect();
        idle.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let events = |events: u64| events as f64;
        let all: u64 = state.rooms.values().map(|room| room.position().0).sum();
        let (mut gone, mut logs) = (0, Vec::new());
        for (searched, id, position) in idle {
            if searched >= before && events(gone) >= part * events(all) {
                break;
            }
            gone += position;
            if let Some(room) = state.rooms.remove(&id) {
                state.behind -= room.lag();
                logs.extend(room.stale.into_iter().chain([room.log]));
            }
        }
        logs
    }

    /// Says that nothing comes any more until the next start.
    pub(crate) fn broke(&self, why: &'static str) {
        let mut state = self.lock();
        state.broken = Some(why);
        self.tell(state);
    }

    /// Lets go of the index, and has every follower end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        (state.is_closed, state.searcher) = (true, None);
        state.broken.get_or_insert("the search index is closed");
        self.tell(state);
    }

    pub(crate) fn progress(&self) -> SearchProgress {
        let state = self.lock();
        SearchProgress { indexed: state.indexed, behind: state.behind }
    }

    fn tell(&self, state: MutexGuard<'_, State>) {
        drop(state);
        self.news.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
