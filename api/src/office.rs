//! The office: what operators and admins of the server do with its users and rooms, and what users report.
//!
//! Whoever does something is an [`Actor`], and what it does is written into the audit log before it is done.

mod actor;
mod archive;
mod audit;
mod erase;
mod job;
mod jobs;
mod reports;
mod statistics;
mod tally;
mod users;

pub(crate) use actor::{Actor, Because, checked};
pub(crate) use audit::Deed;
pub(crate) use job::{Job, JobKind};
pub(crate) use jobs::run;
pub(crate) use reports::{About, ReportState};
pub(crate) use tally::{Tally, run as run_tally};

use crate::accounts::Accounts;
use crate::files::Files;
use rookery_actors::Node;
use rookery_engine::blobs::Blobs;
use rookery_engine::store::Store;
use rookery_engine::uuid_v7;
use rookery_protocol::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// The office of a server.
#[derive(Debug)]
pub(crate) struct Office {
    node: Arc<Node>,
    accounts: Arc<Accounts>,
    blobs: Arc<dyn Blobs>,
    files: Arc<Files>,
    pub(crate) tally: Tally,
    /// Names what this process holds of the jobs.
    me: Uuid,
}

impl Office {
    pub(crate) fn new(
        node: &Arc<Node>,
        accounts: &Arc<Accounts>,
        (blobs, files): (Arc<dyn Blobs>, Arc<Files>),
    ) -> Arc<Self> {
        let me = uuid_v7(node.clock().now(), node.random().as_ref());
        let (node, accounts) = (Arc::clone(node), Arc::clone(accounts));
        Arc::new(Self { node, accounts, blobs, files, tally: Tally::default(), me })
    }

    fn store(&self) -> &dyn Store {
        &**self.node.store()
    }

    fn now(&self) -> Timestamp {
        self.node.clock().now()
    }

    fn new_id(&self) -> Uuid {
        uuid_v7(self.now(), self.node.random().as_ref())
    }
}
