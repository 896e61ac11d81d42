//! The store of a cluster: ScyllaDB or Cassandra behind compare-and-append.
//!
//! | module | what |
//! |---|---|
//! | `options`, `connect`, `store` | what can be set; reaching the cluster; the store and its statements |
//! | `cql`, `failure`, `health` | requests and their three outcomes; what an error means; whether the cluster answers |
//! | `migrate` | the schema's versions |
//! | `turns` | deciding by compare-and-set, one after another |
//! | `accounts`, `sessions`, `people`, `invites`, `files`, `last_seen` | the other domains of the port |

mod accounts;
mod connect;
mod cql;
mod failure;
mod files;
mod health;
mod invites;
mod last_seen;
mod log;
mod migrate;
mod options;
mod people;
mod rooms;
mod sessions;
mod store;
mod turns;

pub use migrate::{MigrateError, MigrationState, MigrationStatus, migrate};
pub use options::{CqlOptions, OpenError, Replication};
pub use store::CqlStore;
