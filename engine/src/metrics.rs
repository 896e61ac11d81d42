//! The metrics catalogue: every metric of the server, once, and the handles to them.
//!
//! | file | what |
//! |---|---|
//! | `metrics/row.rs` | a row of the catalogue, and what its labels may say |
//! | `metrics/handle.rs` | what the code counts with |
//! | `metrics/buckets.rs` | the bounds of histograms, with their reasons |
//! | `metrics/edge.rs`, `http.rs`, `commands.rs` | what comes in and goes out |
//! | `metrics/rooms.rs`, `actors.rs`, `store.rs`, `content.rs` | what is made of it |
//! | `metrics/accounts.rs`, `cluster.rs`, `process.rs`, `operation.rs` | who is there, on which nodes, at which cost, and who is let in |
//!
//! Handles belong to a node and its own recorder, not to the process, so that two nodes in one
//! test count apart. Every label has a bounded set of values; none is an id.

mod accounts;
mod actors;
mod buckets;
mod cluster;
mod commands;
mod content;
mod edge;
mod handle;
mod http;
mod operation;
mod process;
mod rooms;
mod row;
mod store;
mod usage;

pub use accounts::{AccountMetrics, PresenceMetrics};
pub use actors::{ActorKind, ActorMetrics, KindMetrics, Turn};
pub use cluster::ClusterMetrics;
pub use commands::{CommandMetrics, Outcome, Step};
pub use content::{FileMetrics, SearchMetrics};
pub use edge::EdgeMetrics;
pub use handle::{By, Handle, Registrar, Single};
pub use http::{HttpMetrics, NO_ROUTE};
pub use metrics::Counter;
pub use operation::OperationMetrics;
pub use process::ProcessMetrics;
pub use rooms::RoomMetrics;
pub use row::{Kind, Row, Values};
pub use store::{CallOutcome, StoreCall, StoreMetrics};
pub use usage::UsageMetrics;

use metrics::Recorder;

/// The rows of each subject.
const SUBJECTS: &[&[Row]] = &[
    EdgeMetrics::ROWS,
    HttpMetrics::ROWS,
    CommandMetrics::ROWS,
    RoomMetrics::ROWS,
    ActorMetrics::ROWS,
    StoreMetrics::ROWS,
    FileMetrics::ROWS,
    SearchMetrics::ROWS,
    AccountMetrics::ROWS,
    PresenceMetrics::ROWS,
    ClusterMetrics::ROWS,
    ProcessMetrics::ROWS,
    OperationMetrics::ROWS,
    UsageMetrics::ROWS,
];

/// Every metric.
pub const CATALOGUE: &[Row] = &all::<{ count() }>();

const fn count() -> usize {
    let (mut subject, mut rows) = (0, 0);
    while subject < SUBJECTS.len() {
        rows += SUBJECTS[subject].len();
        subject += 1;
    }
    rows
}

const fn all<const ROWS: usize>() -> [Row; ROWS] {
    let mut rows = [SUBJECTS[0][0]; ROWS];
    let (mut subject, mut next) = (0, 0);
    while subject < SUBJECTS.len() {
        let mut row = 0;
        while row < SUBJECTS[subject].len() {
            rows[next] = SUBJECTS[subject][row];
            next += 1;
            row += 1;
        }
        subject += 1;
    }
    rows
}

/// The handles of one node, registered once and then only counted with.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Connections and what goes over them.
    pub edge: EdgeMetrics,
    /// HTTP requests.
    pub http: HttpMetrics,
    /// Commands and their steps.
    pub commands: CommandMetrics,
    /// Rooms and their audiences.
    pub rooms: RoomMetrics,
    /// Actors.
    pub actors: ActorMetrics,
    /// The store, and the courier that empties its notices.
    pub store: StoreMetrics,
    /// Files.
    pub files: FileMetrics,
    /// Searches and the index.
    pub search: SearchMetrics,
    /// Accounts, logins, tokens.
    pub accounts: AccountMetrics,
    /// Who is there, and who is told.
    pub presence: PresenceMetrics,
    /// The other nodes.
    pub cluster: ClusterMetrics,
    /// The process.
    pub process: ProcessMetrics,
    /// What an operator decides, or has decided beforehand.
    pub operation: OperationMetrics,
    /// How the server is used.
    pub usage: UsageMetrics,
}

impl Metrics {
    /// Describes and registers the whole catalogue with `recorder`. `routes` are the method and the
    /// path of every HTTP route; the handles by route are in their order.
    pub fn new(recorder: &dyn Recorder, routes: &[[&'static str; 2]]) -> Self {
        let to = Registrar { recorder, routes };
        Self {
            edge: EdgeMetrics::register(&to),
            http: HttpMetrics::register(&to),
            commands: CommandMetrics::register(&to),
            rooms: RoomMetrics::register(&to),
            actors: ActorMetrics::register(&to),
            store: StoreMetrics::register(&to),
            files: FileMetrics::register(&to),
            search: SearchMetrics::register(&to),
            accounts: AccountMetrics::register(&to),
            presence: PresenceMetrics::register(&to),
            cluster: ClusterMetrics::register(&to),
            process: ProcessMetrics::register(&to),
            operation: OperationMetrics::register(&to),
            usage: UsageMetrics::register(&to),
        }
    }

    /// Returns handles that count nowhere.
    pub fn none() -> Self {
        Self::new(&metrics::NoopRecorder, &[])
    }
}

#[cfg(test)]
mod tests;
