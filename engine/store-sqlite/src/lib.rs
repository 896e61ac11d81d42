//! The embedded store of Rookery: SQLite behind one committer thread.
//!
//! | module | what |
//! |---|---|
//! | `options`, `open` | what can be set; the directory's lock, the connections, the threads |
//! | `store` | the port's methods, each one line: to the committer or to a reader |
//! | `committer`, `apply` | group commit, and what a write does inside it |
//! | `wal` | the write-ahead log as a file: whether all that was synced can be read |
//! | `checkpoint` | keeping the write-ahead log short, off the way of commits |
//! | `readers`, `read` | the reading threads, and what a read does on one |
//! | `priority` | which thread goes first |
//! | `search` | finding messages by their words: an index in a file of its own, which follows the log |
//! | `failure`, `health` | what an error of SQLite means for the caller and for the store |
//! | `snapshot` | all of a store as of one moment, beside whoever uses it |
//! | `migrate`, `inspect` | the schema's versions; what `rookery doctor` asks |
//! | `columns` | values to columns and back |
//!
//! **How a write goes.** Everything that writes is queued to one thread, which owns the only
//! writing connection. It takes all that waits, applies it in one transaction, commits with one
//! fsync and then answers all of it. So the cost of an fsync is shared by whoever writes at the
//! moment, and every compare-and-set is decided by plain code on one thread.
//!
//! **What it relies on.** WAL mode with `synchronous=FULL` (a commit is on disk when it returns),
//! checksummed frames (a torn tail is cut off at opening, a log that has rotted is not opened) and one process per directory, which a
//! lock file guards. An fsync that failed is never tried again: the store is then failed until the
//! process is restarted.

mod apply;
mod checkpoint;
mod columns;
mod committer;
mod failure;
mod health;
mod inspect;
mod migrate;
mod open;
mod options;
mod priority;
mod read;
mod readers;
mod search;
mod snapshot;
mod store;
mod wal;

pub use inspect::{InspectError, migrations_status, quick_check, search_status};
pub use migrate::{MigrateError, MigrationState, MigrationStatus};
pub use options::{OpenError, SqliteOptions};
pub use search::SearchStatus;
pub use snapshot::{SnapshotError, SqliteSnapshot};
pub use store::SqliteStore;
