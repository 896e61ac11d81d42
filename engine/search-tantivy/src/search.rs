//! The index as a node has it: the search port, over any store.

use crate::fields::Fields;
use crate::find;
use crate::folder::Folder;
use crate::follow::Follower;
use crate::options::{OpenError, TantivyOptions};
use crate::place::Place;
use crate::rooms::{Outlook, Rooms, View};
use crate::scope::{Reach, scope};
use crate::writer::{Order, Writer};
use rookery_engine::search::{Hits, Search, SearchError, SearchProgress, SearchQuery};
use rookery_engine::store::{Answer, Store, StoreError};
use rookery_engine::{Clock, Tasks};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Searches under way; one more is refused. They wait more than they work.
const SEARCHES: usize = 64;

/// Searches that read the index at the same time, each on a thread of the runtime that may block.
const FINDS: usize = 4;

/// Finds messages by an index in a folder of this node's own, of the rooms that are searched on it.
///
/// It takes rooms in as they are searched: the first search of a long room answers
/// [`SearchError::Behind`], and a later one finds. Dropping it waits for the writer's thread: for the
/// commit that is under way, and for merges, some seconds at the very most.
#[derive(Debug)]
pub struct TantivySearch {
    follower: Follower,
    clock: Arc<dyn Clock>,
    fields: Fields,
    wait: Duration,
    searches: Semaphore,
    finds: Semaphore,
    thread: Option<JoinHandle<()>>,
}

impl TantivySearch {
    /// Opens the index in the folder of `options`, or an empty one where there is none or one that is
    /// damaged, and starts its thread. Reads all of it once, at the speed of the disk.
    ///
    /// Followers of logs run on `tasks` and end when those are stopped; nothing is taken in then.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        options: &TantivyOptions,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Result<Self, OpenError> {
        let rooms = Arc::new(Rooms::new());
        let folder = Folder::lock(options)?;
        let (state, writer, orders) = Writer::open(folder, Arc::clone(&rooms), Arc::clone(&clock))?;
        let thread = std::thread::Builder::new().name("search-index".to_owned());
        let thread = thread.spawn(move || state.run(&orders)).map_err(OpenError::Thread)?;
        Ok(Self {
            follower: Follower { store, rooms, writer, tasks: tasks.clone() },
            clock,
            fields: Fields::schema().1,
            wait: options.wait,
            searches: Semaphore::new(SEARCHES),
            finds: Semaphore::new(FINDS),
            thread: Some(thread),
        })
    }

    async fn run(&self, query: SearchQuery) -> Result<Hits, SearchError> {
        let refused = |why: &str| StoreError::Refused(why.to_owned());
        let below = query.cursor.as_deref().map(|text| Place::parse(text).ok_or(SearchError::Cursor));
        let below = below.transpose()?;
        let _place = self.searches.try_acquire().map_err(|_| refused("too many searches wait"))?;
        let scope = scope(&*self.follower.store, query.user, query.room).await?;
        if scope.is_empty() {
            return Ok(Hits::default());
        }
        let view = self.reached(&scope).await?;
        let _turn = self.finds.acquire().await.map_err(|_| refused("the search index is closed"))?;
        let fields = self.fields;
        let found = tokio::task::spawn_blocking(move || find::run(fields, &view, &query, below)).await;
        if matches!(found, Err(_) | Ok(Err(find::FindError::Index(_)))) {
            tracing::warn!(?found, "the search index was not read");
            // Where it is full, the writer is at it.
            drop(self.follower.writer.try_send(Order::Check));
        }
        Ok(found.map_err(|_| refused("the search index was not read"))??)
    }

    /// Waits until the rooms are in the index up to the heads that they had.
    async fn reached(&self, scope: &[Reach]) -> Result<View, SearchError> {
        let Follower { rooms, tasks, .. } = &self.follower;
        let until = Instant::now() + self.wait;
        let mut news = rooms.news();
        for _ in 0..rooms.want(scope, self.clock.now()) {
            tasks.spawn(self.follower.clone().run());
        }
        loop {
            match rooms.outlook(scope) {
                Outlook::Ready(view) => return Ok(view),
                Outlook::Failed(error) => return Err(error.into()),
                Outlook::Waiting => {}
            }
            let changed = timeout_at(until, news.changed()).await.map_err(|_| SearchError::Behind)?;
            changed.map_err(|_| SearchError::Behind)?;
        }
    }
}

impl Search for TantivySearch {
    fn search(&self, query: SearchQuery) -> Answer<'_, Hits, SearchError> {
        Box::pin(self.run(query))
    }

    fn progress(&self) -> SearchProgress {
        self.follower.rooms.progress()
    }
}

impl Drop for TantivySearch {
    fn drop(&mut self) {
        self.follower.rooms.close();
        // A thread that is gone needs no order.
        drop(self.follower.writer.send(Order::Close));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the search index has panicked");
        }
    }
}
