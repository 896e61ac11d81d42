//! A store as it was at one moment, read beside whoever uses it: what a backup is made of.

use crate::migrate::{MIGRATIONS, MigrationState};
use crate::open::{DATABASE_FILE, configure};
use crate::options::SqliteOptions;
use crate::{failure, migrate, read};
use rookery_engine::store::{Answer, Asked, Export, Implied, Page, Part, Place, Progress, Record};
use rookery_protocol::{Event, RoomId, Seq};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// One read transaction over the whole database.
///
/// A server may be running; its commits go on and are not seen here. Its write-ahead log grows for as long
/// as this is open, since a checkpoint stops at the oldest reader. Reads are done by the calling thread.
#[derive(Debug)]
pub struct SqliteSnapshot(Mutex<Connection>);

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The database was made by another version; a start of this one brings an older one up to date.
    #[error("use the schema: {0} is not as this version has it")]
    Schema(String),
    /// It cannot be read.
    #[error("read the database: {0}")]
    Database(#[from] rusqlite::Error),
}

impl SqliteSnapshot {
    /// Opens the store in `dir` as of now. Nothing is written, and no lock is taken.
    ///
    /// # Errors
    /// [`SnapshotError`]; also when there is no database.
    pub fn open(dir: &Path) -> Result<Self, SnapshotError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(dir.join(DATABASE_FILE), flags)?;
        configure(&connection, &SqliteOptions::in_dir(dir))?;
        // A transaction is of the moment of its first read.
        connection.execute_batch("BEGIN")?;
        let other = migrate::status(&connection, MIGRATIONS)?
            .into_iter()
            .find(|status| !matches!(status.state, MigrationState::Applied { .. }));
        match other {
            Some(status) => Err(SnapshotError::Schema(format!("{:04}_{}", status.number, status.name))),
            None => Ok(Self(Mutex::new(connection))),
        }
    }

    /// Returns how far the store has been filled from a backup, if that has not ended.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn importing(&self) -> Result<Option<Progress>, SnapshotError> {
        Ok(read::importing(&self.0.lock().unwrap_or_else(PoisonError::into_inner))?)
    }

    fn read<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(async move {
            let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection).map_err(|error| failure::at_read(&error))
        })
    }
}

impl Export for SqliteSnapshot {
    fn rows(&self, part: Part, after: Option<Place>, limit: usize) -> Answer<'_, Page<Record>> {
        self.read(move |connection| read::rows(connection, part, after.as_ref(), limit))
    }

    fn rooms(&self, after: Option<Place>, limit: usize) -> Answer<'_, Page<RoomId>> {
        self.read(move |connection| read::rooms(connection, after.as_ref(), limit))
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        self.read(move |connection| read::log(connection, room, after, limit))
    }

    fn implied<'a>(&'a self, room: RoomId, asked: &'a Asked) -> Answer<'a, Vec<Implied>> {
        self.read(move |connection| read::implied(connection, room, asked))
    }
}
