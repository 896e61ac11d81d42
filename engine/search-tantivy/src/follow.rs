//! A follower: a task that reads the logs of rooms that are wanted, page by page, and hands them to the
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

/// Events of one room in one commit, about; some 100 ms of work.
const EVENTS: usize = 4000;

/// Bytes of bodies above which a page ends before it has so many.
const BYTES: usize = 4 << 20;

/// What a follower works with.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) writer: SyncSender<Order>,
    pub(crate) tasks: Tasks,
}

impl Follower {
    /// Follows rooms until none waits or the node stops.
    pub(crate) async fn run(self) {
        while let Some(job) = self.rooms.next() {
            let mut work = Work { rooms: &self.rooms, room: Some(job.room) };
            let outcome = tokio::select! {
                () = self.tasks.stopped() => return,
                outcome = self.page(job) => outcome,
            };
            work.room = None;
            self.rooms.followed(job.room, outcome);
        }
    }

    /// Takes a room a page further.
    async fn page(&self, job: Job) -> Result<(), StoreError> {
        let Some((job, events)) = self.read(job).await? else { return Ok(()) };
        let after = job.taken.map_or(Seq::ZERO, |taken| taken.seq);
        let in_place = |(event, seq): (&Event, u64)| event.seq.0 == seq && event.room == job.room;
        if !events.iter().zip(after.0 + 1..).all(in_place) {
            return Err(StoreError::Refused(format!("the log of {} has a gap after {after}", job.room)));
        }
        if events.is_empty() {
            let is_short = job.wanted > after;
            let short = || StoreError::Refused(format!("the log of {} ends at {after}", job.room));
            return if is_short { Err(short()) } else { Ok(()) };
        }
        let gone = || StoreError::Refused("the search index takes nothing in".to_owned());
        let (done, answer) = oneshot::channel();
        let page = Page { room: job.room, log: job.log, after, events, done };
        // There is room for the one page of each follower.
        self.writer.try_send(Order::Take(page)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Reads what follows, after comparing what is in the index with the store where that was not done yet.
    async fn read(&self, job: Job) -> Result<Option<(Job, Vec<Event>)>, StoreError> {
        let Some(taken) = job.taken.filter(|_| !job.is_checked) else {
            let after = job.taken.map_or(Seq::ZERO, |taken| taken.seq);
            return Ok(Some((job, self.events(job.room, after).await?)));
        };
        let mut events = self.events(job.room, Seq(taken.seq.0.saturating_sub(1))).await?;
        let is_same = |event: &Event| (event.seq, event.at, event.by) == (taken.seq, taken.at, taken.by);
        if events.first().is_some_and(is_same) {
            self.rooms.checked(&job);
            events.remove(0);
            return Ok(Some((job, events)));
        }
        tracing::info!(room = %job.room, "the search index has another log of the room: it is taken in anew");
        let Some(job) = self.rooms.begin_anew(&job) else { return Ok(None) };
        Ok(Some((job, self.events(job.room, Seq::ZERO).await?)))
    }

    async fn events(&self, room: RoomId, mut after: Seq) -> Result<Vec<Event>, StoreError> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        loop {
            let rows = self.store.read(room, Range::After(after), ROWS).await?;
            let is_last = rows.len() < ROWS;
            bytes += rows.iter().map(|event| event.body.text_bytes()).sum::<usize>();
            after = rows.last().map_or(after, |last| last.seq);
            events.extend(rows);
            if is_last || events.len() >= EVENTS || bytes >= BYTES {
                return Ok(events);
            }
        }
    }
}

/// A room in work: whose follower ends before it is done was stopped, or has panicked.
struct Work<'a> {
    rooms: &'a Rooms,
    room: Option<RoomId>,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if let Some(room) = self.room {
            self.rooms.left(room);
        }
    }
}
