//! A directory of one test's own, gone when the test is over.

use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Scratch {
    dir: PathBuf,
    opened: AtomicU64,
}

impl Scratch {
    /// Makes the directory of the test `name`.
    pub(crate) fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("make the directory");
        Self { dir, opened: AtomicU64::new(0) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// Opens a store that nobody has written to.
    pub(crate) fn open_new(&self) -> SqliteStore {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        open(&self.dir.join(number.to_string()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

/// Opens the store in `dir` with the default options.
pub(crate) fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteOptions::in_dir(dir)).expect("open the store")
}
