//! A directory of one test's own, gone when the test is over, and nodes in it.

use rookery_engine::search::{Hit, Search, SearchQuery, Terms};
use rookery_engine::store::Store;
use rookery_engine::{Clock, ManualClock, Tasks};
use rookery_protocol::{Timestamp, UserId};
use rookery_search_tantivy::{TantivyOptions, TantivySearch};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes the directory of the test `name`.
    pub(crate) fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("make the directory");
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000);

/// Returns the default options for an index in `dir`, but for a search that waits as long as a machine that
/// is busy otherwise may need.
pub(crate) fn options(dir: &Path) -> TantivyOptions {
    TantivyOptions { wait: Duration::from_secs(120), ..TantivyOptions::in_dir(dir) }
}

/// Opens the index in `dir` over a store.
pub(crate) fn open(dir: &Path, store: &Arc<dyn Store>) -> TantivySearch {
    open_with(&options(dir), store, Arc::new(ManualClock::at(START)))
}

pub(crate) fn open_with(
    options: &TantivyOptions,
    store: &Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> TantivySearch {
    TantivySearch::open(options, Arc::clone(store), clock, &Tasks::new()).expect("open the index")
}

/// Returns the query of `user` for `words`, everywhere and for all of it.
pub(crate) fn query(user: UserId, words: &str) -> SearchQuery {
    SearchQuery {
        user,
        terms: Terms::parse(words).expect("it has words"),
        room: None,
        from: None,
        before: None,
        kind: None,
        limit: usize::MAX,
        cursor: None,
    }
}

pub(crate) async fn found(search: &dyn Search, user: UserId, words: &str) -> Vec<Hit> {
    search.search(query(user, words)).await.expect("search").hits
}
