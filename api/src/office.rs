//! The office: what operators and admins of the server do with its users and rooms, and what users report.
//!
//! Whoever does something is an [`Actor`], and what it does is written into the audit log before it is done.

mod actor;
mod archive;
mod audit;
mod erase;
mod forget;
mod job;
mod jobs;
mod reports;
mod statistics;
mod sweep;
mod tally;
mod users;

pub(crate) use actor::{Actor, Because, checked};
pub(crate) use audit::Deed;
pub(crate) use job::{Job, JobKind};
pub(crate) use jobs::run;
pub(crate) use reports::{About, Action, Closed, Report};
use tally::Active;
pub(crate) use tally::{Tally, run as run_tally};
pub(crate) use users::Person;

use crate::accounts::Accounts;
use crate::config::RetentionConfig;
use crate::files::Files;
use rookery_actors::Node;
use rookery_engine::blobs::Blobs;
use rookery_engine::store::Store;
use rookery_engine::uuid_v7;
use rookery_protocol::{ClientId, RoomId, Seq, Timestamp, WireError};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// The office of a server.
#[derive(Debug)]
pub(crate) struct Office {
    node: Arc<Node>,
    accounts: Arc<Accounts>,
    blobs: Arc<dyn Blobs>,
    files: Arc<Files>,
    retention: RetentionConfig,
    pub(crate) tally: Tally,
    /// Names what this process holds of the jobs, and counts.
    me: OnceLock<Uuid>,
    /// The moment in the newest id.
    last_id: AtomicI64,
}

impl Office {
    pub(crate) fn new(
        node: &Arc<Node>,
        accounts: &Arc<Accounts>,
        (blobs, files): (Arc<dyn Blobs>, Arc<Files>),
        retention: RetentionConfig,
    ) -> Arc<Self> {
        let (node, accounts) = (Arc::clone(node), Arc::clone(accounts));
        Arc::new(Self {
            node,
            accounts,
            blobs,
            files,
            retention,
            tally: Tally::default(),
            me: OnceLock::new(),
            last_id: AtomicI64::new(0),
        })
    }

    fn store(&self) -> &dyn Store {
        &**self.node.store()
    }

    /// Returns the name of this process; one that is never asked for it takes no chance away from others.
    fn me(&self) -> Uuid {
        *self.me.get_or_init(|| uuid_v7(self.now(), self.node.random().as_ref()))
    }

    /// Takes the content of a message away, whoever wrote it.
    ///
    /// # Errors
    /// Those of [`Node::take_down`].
    pub(crate) async fn take_down(&self, room: RoomId, seq: Seq) -> Result<(), WireError> {
        // By a name that follows from the message, so that it is done once however often it is asked for.
        let name = ClientId(Uuid::new_v5(&room.0, format!("take down {seq}").as_bytes()));
        self.node.take_down(room, seq, name).await
    }

    fn now(&self) -> Timestamp {
        self.node.clock().now()
    }

    /// Returns an id above those of before, also within a millisecond: books are read in their order.
    fn new_id(&self) -> Uuid {
        let now = self.now().0;
        let last = self.last_id.fetch_update(Relaxed, Relaxed, |last| Some(now.max(last + 1)));
        let at = Timestamp(now.max(last.unwrap_or(now).saturating_add(1)));
        uuid_v7(at, self.node.random().as_ref())
    }
}
