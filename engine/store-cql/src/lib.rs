//! The store of a cluster: ScyllaDB or Cassandra behind compare-and-append.
//!
//! | module | what |
//! |---|---|
//! | `options`, `connect`, `store` | what can be set; reaching the cluster; the store and its statements |
//! | `cql`, `failure`, `health` | requests and their three outcomes; what an error means; whether the cluster answers |
//! | `inspect` | what a cluster says of itself |
//! | `migrate` | the schema's versions |
//! | `turns` | deciding by compare-and-set, one after another |
//! | `columns` | values to columns and back |
//! | `log`, `bucket` | compare-and-append and reading back; which partition an event is in |
//! | `project` | what follows from a batch: worked out before it is appended, put after |
//! | `messages`, `rooms`, `cursors`, `notices` | reads over what was put, and the writes that are no events |
//! | `transfer` | everything out of the store, and into it |
//! | `accounts`, `sessions`, `people`, `invites`, `files`, `last_seen`, `sign_ins`, `mails`, `docket`, `traces` | the other domains of the port |
//!
//! **How an append goes.** The events and the room's head are in one partition; one conditional batch
//! moves the head from the expected position and writes the events, all or nothing, on a quorum. What
//! follows from them is put in other partitions after that and before the answer. It stands beside the
//! head until then, so that whoever comes next (another node, after a crash) puts it before going on.
//!
//! **What it relies on.** Quorums that intersect, and a commit log that is synced before a write is
//! answered: ScyllaDB does so for conditional writes, Cassandra with `commitlog_sync: batch` or `group`.

mod accounts;
mod bucket;
mod columns;
mod connect;
mod cql;
mod cursors;
mod docket;
mod failure;
mod files;
mod health;
mod inspect;
mod invites;
mod last_seen;
mod log;
mod mails;
mod messages;
mod migrate;
mod notices;
mod options;
mod people;
mod project;
mod rooms;
mod sessions;
mod sign_ins;
mod store;
mod traces;
mod transfer;
mod turns;

pub use inspect::{ClusterStatus, CommitlogSync, NodeSaid, NodeStatus, inspect};
pub use migrate::{MigrateError, MigrationState, MigrationStatus, migrate};
pub use options::{CqlOptions, OpenError, Replication};
pub use store::CqlStore;
pub use transfer::CqlSource;
