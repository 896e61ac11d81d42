//! A follower: a task that reads the logs of rooms that are wanted, some at a time, and hands them to the
//! writer. It ends when no room waits.

use crate::rooms::{Job, Rooms};
use crate::writer::{Order, Page};
use rookery_engine::Tasks;
use rookery_engine::store::{Range, Store, StoreError};
use rookery_protocol::{Event, RoomId, Seq};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::sync::oneshot;

/// Events that are read from the store at a time.
const ROWS: usize = 500;

/// Events that are handed over at a time, about; some 100 ms of work.
const EVENTS: usize = 4000;

/// Bytes of bodies above which fewer events are handed over.
const BYTES: usize = 4 << 20;

/// What a follower works with.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) writer: SyncSender<Order>,
    pub(crate) tasks: Tasks,
}

/// What was read for one order.
#[derive(Debug, Default)]
struct Read {
    events: usize,
    bytes: usize,
}

impl Read {
    const fn is_enough(&self) -> bool {
        self.events >= EVENTS || self.bytes >= BYTES
    }
}

impl Follower {
    /// Follows rooms until none waits or the node stops.
    pub(crate) async fn run(self) {
        loop {
            let jobs = self.rooms.next();
            if jobs.is_empty() {
                return;
            }
            let mut work = Work { rooms: &self.rooms, left: jobs.iter().map(|job| job.room).collect() };
            tokio::select! {
                () = self.tasks.stopped() => return,
                () = self.follow(jobs, &mut work) => {}
            }
        }
    }

    /// Takes rooms further: a page of each, or of as many as are enough at a time.
    async fn follow(&self, jobs: Vec<Job>, work: &mut Work<'_>) {
        let (mut read, mut pages) = (Read::default(), Vec::new());
        for job in jobs {
            match if read.is_enough() { Ok(None) } else { self.page(job, &mut read).await } {
                Ok(Some(page)) => pages.push(page),
                outcome => work.ended(job.room, outcome.map(drop)),
            }
        }
        if !pages.is_empty() {
            let outcome = self.hand_over(pages).await;
            for room in work.left.clone() {
                work.ended(room, outcome.clone());
            }
        }
    }

    async fn hand_over(&self, pages: Vec<Page>) -> Result<(), StoreError> {
        let gone = || StoreError::Refused("the search index takes nothing in".to_owned());
        let (done, answer) = oneshot::channel();
        // There is room for the one order of each follower.
        self.writer.try_send(Order::Take(pages, done)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Reads a room a page further; nothing where that is all there is.
    async fn page(&self, job: Job, read: &mut Read) -> Result<Option<Page>, StoreError> {
        let Some((job, events)) = self.read(job, read).await? else { return Ok(None) };
        let Job { room, log, .. } = job;
        let after = job.taken.map_or(Seq::ZERO, |taken| taken.seq);
        let in_place = |(event, seq): (&Event, u64)| event.seq.0 == seq && event.room == room;
        if !events.iter().zip(after.0 + 1..).all(in_place) {
            return Err(StoreError::Refused(format!("the log of {room} has a gap after {after}")));
        }
        if events.is_empty() && job.wanted > after {
            return Err(StoreError::Refused(format!("the log of {room} ends at {after}")));
        }
        Ok((!events.is_empty()).then_some(Page { room, log, after, events }))
    }

    /// Reads what follows, after comparing what is in the index with the store where that was not done yet.
    async fn read(&self, job: Job, read: &mut Read) -> Result<Option<(Job, Vec<Event>)>, StoreError> {
        let Some(taken) = job.taken.filter(|_| !job.is_checked) else {
            let after = job.taken.map_or(Seq::ZERO, |taken| taken.seq);
            return Ok(Some((job, self.events(job.room, after, read).await?)));
        };
        let mut events = self.events(job.room, Seq(taken.seq.0.saturating_sub(1)), read).await?;
        let is_same = |event: &Event| (event.seq, event.at, event.by) == (taken.seq, taken.at, taken.by);
        if events.first().is_some_and(is_same) {
            self.rooms.checked(&job);
            events.remove(0);
            return Ok(Some((job, events)));
        }
        tracing::info!(room = %job.room, "the search index has another log of the room: it is taken in anew");
        let Some(job) = self.rooms.begin_anew(&job) else { return Ok(None) };
        Ok(Some((job, self.events(job.room, Seq::ZERO, read).await?)))
    }

    async fn events(&self, room: RoomId, mut after: Seq, read: &mut Read) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        loop {
            let rows = self.store.read(room, Range::After(after), ROWS).await?;
            let is_last = rows.len() < ROWS;
            read.events += rows.len();
            read.bytes += rows.iter().map(|event| event.body.text_bytes()).sum::<usize>();
            after = rows.last().map_or(after, |last| last.seq);
            events.extend(rows);
            if is_last || read.is_enough() {
                return Ok(events);
            }
        }
    }
}

/// Rooms in work: when their follower ends before they are done, it was stopped, or has panicked.
struct Work<'a> {
    rooms: &'a Rooms,
    left: Vec<RoomId>,
}

impl Work<'_> {
    fn ended(&mut self, room: RoomId, outcome: Result<(), StoreError>) {
        self.left.retain(|left| *left != room);
        self.rooms.followed(room, outcome);
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if !self.left.is_empty() {
            self.rooms.left(&self.left);
        }
    }
}
