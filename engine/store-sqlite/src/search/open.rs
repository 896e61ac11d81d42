//! Opening the index: the one that is there when it follows from this store, a new one otherwise.

use super::SearchIndex;
use super::bell::Bell;
use super::indexer::Indexer;
use crate::columns;
use crate::open::{configure, connect_reader, make_private, spawn};
use crate::options::{OpenError, SqliteOptions};
use crate::readers;
use crossbeam_channel::bounded;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// The index's file in the store's directory.
const FILE: &str = "search.db";

/// The version of the file, which is made anew when it is another one. It is raised with every
/// change of the tables or of what the engine takes for a word.
const VERSION: i64 = 1;

const TABLES: &str = include_str!("../../../../schemas/sqlite/search.sql");

/// Pages of write-ahead log after which it is copied into the index; 16 MiB, so that a page that many
/// batches change is copied and synced once.
const CHECKPOINT_PAGES: i64 = 4096;

/// An open index and its threads.
#[derive(Debug)]
pub(crate) struct SearchOpened {
    pub(crate) index: SearchIndex,
    pub(crate) bell: Arc<Bell>,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

/// Opens the index of the store in `options.dir`, whose database is there, and starts its threads.
pub(crate) fn open(options: &SqliteOptions, database: &Path) -> Result<SearchOpened, OpenError> {
    let path = options.dir.join(FILE);
    let failed = |source| OpenError::Database { path: path.clone(), source };
    let log = connect_reader(database, options).map_err(failed)?;
    let file = match reuse(&path, &log, options) {
        Some(file) => file,
        None => create(&path, options)?,
    };
    let position = position(&file).map_err(failed)?.id;
    let bell = Arc::new(Bell::new(position));
    let finder = connect_reader(&path, options).map_err(failed)?;
    let (finds, queue) = bounded(options.search_queue);
    // Before the threads, since dropping it ends them.
    let index = SearchIndex::new(bell.clone(), finds);
    let indexer = Indexer::new(log, file, position, bell.clone()).resting(options.index_rest);
    let threads = vec![
        spawn("search-index", move || indexer.run())?,
        spawn("search-find", move || readers::run(finder, &queue))?,
    ];
    Ok(SearchOpened { index, bell, threads })
}

/// The last event in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) id: i64,
    pub(super) log: i64,
    pub(super) seq: i64,
    pub(super) at: i64,
}

/// Returns the index that is there, unless it is of another version, damaged or of another log.
fn reuse(path: &Path, log: &Connection, options: &SqliteOptions) -> Option<Connection> {
    if !path.exists() {
        return None;
    }
    let opened = connect(path, options).and_then(|index| Ok((is_of_this_log(&index, log)?, index)));
    match opened {
        Ok((true, index)) => Some(index),
        Ok((false, _)) => {
            tracing::info!("the search index is of another version or another log: it is made anew");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the search index cannot be used: it is made anew");
            None
        }
    }
}

fn is_of_this_log(index: &Connection, log: &Connection) -> rusqlite::Result<bool> {
    if version(index)? != VERSION {
        return Ok(false);
    }
    let position = position(index)?;
    let query = "SELECT log, seq, at FROM events WHERE id = ?";
    let there = log.query_row(query, [position.id], |row| {
        Ok(Position { id: position.id, log: row.get(0)?, seq: row.get(1)?, at: row.get(2)? })
    });
    Ok(position.id == 0 || there.optional()? == Some(position))
}

/// Makes an empty index in the place of whatever is there.
fn create(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    remove(path)
        .and_then(|()| make_private(path))
        .map_err(|source| OpenError::Directory { dir: options.dir.clone(), source })?;
    let tables = || {
        let mut index = connect(path, options)?;
        let transaction = index.transaction()?;
        transaction.execute_batch(TABLES)?;
        // Last, so that a file without all tables has no version.
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
        Ok(index)
    };
    tables().map_err(|source| OpenError::Database { path: path.to_owned(), source })
}

/// Removes an index; what still has it open goes on with what it was.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(PathBuf::from(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn connect(path: &Path, options: &SqliteOptions) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let index = Connection::open_with_flags(path, flags)?;
    configure(&index, options)?;
    index.pragma_update(None, "journal_mode", "wal")?;
    // A power cut may take the newest commits, whole and with their position, but leaves no torn page.
    index.pragma_update(None, "synchronous", "normal")?;
    index.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    index.pragma_update(None, "journal_size_limit", columns::integer(options.wal_bytes))?;
    // What was deleted is overwritten, not only unlinked.
    index.pragma_update(None, "secure_delete", true)?;
    Ok(index)
}

fn version(index: &Connection) -> rusqlite::Result<i64> {
    index.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn position(index: &Connection) -> rusqlite::Result<Position> {
    index.query_row("SELECT id, log, seq, at FROM position", [], |row| {
        Ok(Position { id: row.get(0)?, log: row.get(1)?, seq: row.get(2)?, at: row.get(3)? })
    })
}

/// Returns whether an error means that the file is not what was written to it: found so, or likely
/// after an fsync that failed.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure) | None
    )
}

/// How the index in a directory stands; for somebody who looks at a store from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchStatus {
    /// Whether the next start can use it as it is.
    pub is_usable: bool,
    /// The last event taken in, counted over all rooms.
    pub position: u64,
    /// Events of the log that are not in it.
    pub behind: u64,
}

/// Looks at the index in `dir` beside the database `log`; `None` when there is none.
pub(crate) fn status(dir: &Path, log: &Connection) -> rusqlite::Result<Option<SearchStatus>> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let index = Connection::open_with_flags(path, flags)?;
    let is_usable = is_of_this_log(&index, log)?;
    let taken = if is_usable { position(&index)?.id } else { 0 };
    let newest: i64 = log.query_row("SELECT ifnull(max(id), 0) FROM events", [], |row| row.get(0))?;
    let count = |events: i64| u64::try_from(events).unwrap_or(0);
    Ok(Some(SearchStatus { is_usable, position: count(taken), behind: count(newest - taken) }))
}
