//! Opening: the directory's lock, the schema, the connections and the threads that own them.

use crate::checkpoint::{Checkpointer, checkpoints};
use crate::committer::{Committer, Database, Followers, Queue, WriteQueue};
use crate::health::SharedHealth;
use crate::options::{OpenError, SqliteOptions};
use crate::readers::{self, ReadQueue};
use crate::search::{self, SearchIndex, SearchOpened};
use crate::{columns, migrate, wal};
use crossbeam_channel::bounded;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The database's file in the store's directory.
pub(crate) const DATABASE_FILE: &str = "rookery.db";

/// Its write-ahead log.
const LOG_FILE: &str = "rookery.db-wal";

/// The lock's file. The system frees the lock when the process ends, however it ends.
const LOCK_FILE: &str = "rookery.lock";

/// How long a statement waits for a lock. Only a person's `sqlite3` or a long read at a checkpoint
/// ever holds one; commits stand still meanwhile.
const BUSY_TIMEOUT: Duration = Duration::from_millis(100);

/// Statements that a connection keeps compiled; there are about 50 kinds.
const STATEMENTS: usize = 64;

/// What an open store is made of.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) writes: WriteQueue,
    pub(crate) reads: ReadQueue,
    pub(crate) search: SearchIndex,
    pub(crate) health: SharedHealth,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) checkpointer: JoinHandle<Checkpointer>,
    pub(crate) lock: File,
}

/// Opens the store in `options.dir`, making it when it is absent.
pub(crate) fn open(options: &SqliteOptions) -> Result<Opened, OpenError> {
    let lock = lock(&options.dir)?;
    let path = options.dir.join(DATABASE_FILE);
    make_private(&path).map_err(|source| OpenError::Directory { dir: options.dir.clone(), source })?;
    let log = options.dir.join(LOG_FILE);
    match wal::lost_commits(&log) {
        Ok(0) => {}
        Ok(commits) => return Err(OpenError::RottenLog { path: log, commits }),
        Err(source) => return Err(OpenError::Directory { dir: options.dir.clone(), source }),
    }
    let failed = |source| OpenError::Database { path: path.clone(), source };
    let mut connection = connect_writer(&path, options).map_err(failed)?;
    migrate::run(&mut connection, migrate::MIGRATIONS)?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(failed)?;

    let health = SharedHealth::new();
    let frames = columns::integer(options.wal_bytes) / page;
    let checkpointer = connect_writer(&path, options).map_err(failed)?;
    let (checkpoints, checkpointer) = checkpoints(checkpointer, frames, health.clone());
    let writes = Queue::new(options.write_queue);
    let SearchOpened { index: search, bell, mut threads } = search::open(options, &path)?;
    let followers = Followers { checkpoints, bell };
    let committer = Committer::new(Database::new(connection), Arc::clone(&writes), health.clone(), followers)
        .counted_by(options.metrics.clone());
    threads.push(spawn("store-commit", move || committer.run())?);
    let checkpointer = spawn("store-checkpoint", move || checkpointer.run())?;

    let (read_sender, reads) = bounded(options.read_queue);
    for number in 0..options.readers.max(1) {
        let connection = connect_reader(&path, options).map_err(failed)?;
        let reads = reads.clone();
        threads.push(spawn(&format!("store-read-{number}"), move || readers::run(connection, &reads))?);
    }
    let reads = ReadQueue::new(read_sender, health.clone());
    let writes = WriteQueue::new(writes);
    Ok(Opened { writes, reads, search, health, threads, checkpointer, lock })
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Directory { dir: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let path: PathBuf = dir.join(LOCK_FILE);
    let file =
        File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { lock: path }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Makes the file of a new database, which only its owner reads. SQLite gives its mode to the files
/// beside it; one that is there keeps its own.
pub(crate) fn make_private(path: &Path) -> std::io::Result<()> {
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, OpenError> {
    Builder::new().name(name.to_owned()).spawn(run).map_err(OpenError::Threads)
}

/// Opens a connection that may write: the committer's, and the checkpointer's.
fn connect_writer(path: &Path, options: &SqliteOptions) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&connection, options)?;
    // Pages of a transaction go to the disk at COMMIT only, so that what fails before it has
    // written nothing; a group is far smaller than memory.
    connection.pragma_update(None, "cache_spill", false)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    let longest = columns::integer(options.wal_bytes).saturating_mul(4);
    connection.pragma_update(None, "journal_size_limit", longest)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // What a delete takes away is overwritten, on pages that become free too: an erasure has to leave nothing.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

pub(crate) fn connect_reader(path: &Path, options: &SqliteOptions) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection, options)?;
    Ok(connection)
}

pub(crate) fn configure(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The last connection to close would checkpoint, and so fsync, even after an fsync has failed.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A plan that hung on the values bound to it would be made anew at each use of a kept statement,
    // because a statement is given back without values (SQLite 3.54, `sqlite3_clear_bindings`). That was
    // a third of the CPU time of a page of the room list.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Negative is KiB.
    connection.pragma_update(None, "cache_size", -columns::integer(options.cache_bytes >> 10))?;
    connection.pragma_update(None, "temp_store", "memory")
}
