//! The runner of jobs: takes one that nobody holds, does it step by step, and writes down each step.
//!
//! A job is held for seconds only and held again with each step, so that one whose process died is gone on with
//! by another, or by the next one of this node, from the last step that was written down.

use super::Office;
use super::job::{Job, JobKind};
use crate::docket::{self, Known};
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::{FileId, UserId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// How often it is looked whether there is a job.
const EVERY: Duration = Duration::from_secs(1);

/// How long nobody else takes a job after a step of it, in milliseconds: many times what a step takes.
const HELD_MS: i64 = 5_000;

/// Jobs that are looked at: those asked for last. Older ones are done, or their number is a mistake.
const LOOKED_AT: usize = 200;

/// What stood in the way of a step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The store.
    #[error("reach the store: {0}")]
    Store(#[from] StoreError),
    /// A room.
    #[error("change a room: {0}")]
    Room(#[from] rookery_protocol::WireError),
    /// The place for files.
    #[error("write the archive: {0}")]
    Blobs(#[from] rookery_engine::blobs::BlobError),
    /// The folder of letters.
    #[error("delete letters: {0}")]
    Letters(#[source] std::io::Error),
    /// Another process does it now.
    #[error("hold on to the job: another process has it")]
    Lost,
}

/// Does jobs until the node's tasks are stopped.
pub(crate) async fn run(office: Arc<Office>) {
    let tasks = office.node.tasks().clone();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = tasks.stopped() => return,
            _ = ticks.tick() => {}
        }
        // Given up in the middle, it is gone on with later.
        tokio::select! {
            () = tasks.stopped() => return,
            () = office.work() => {}
        }
    }
}

impl Office {
    /// Asks for a job. The same id asks for the same job.
    pub(crate) async fn begin_job(&self, job: &Job) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        docket::begin(self.store(), Book::Jobs, id, job).await?;
        Ok(id)
    }

    /// Returns at most `limit` jobs from before `before`, the newest first.
    pub(crate) async fn jobs(
        &self,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Known<Job>>, StoreError> {
        docket::page(self.store(), Book::Jobs, before, limit).await
    }

    /// Returns one job.
    pub(crate) async fn find_job(&self, id: Uuid) -> Result<Option<Known<Job>>, StoreError> {
        docket::read(self.store(), Book::Jobs, id).await
    }

    /// Does what is to be done and is held by nobody.
    pub(crate) async fn work(&self) {
        let jobs = match self.jobs(None, LOOKED_AT).await {
            Ok(jobs) => jobs,
            Err(error) => return tracing::debug!(%error, "jobs were not looked for"),
        };
        let now = self.now();
        let is_free = |job: &Job| {
            job.held.is_none_or(|(by, until)| by == self.me() || until <= now) && job.done_at.is_none()
        };
        for mut known in jobs.into_iter().rev().filter(|known| is_free(&known.what)) {
            let (id, kind) = (known.id, known.what.kind);
            match self.do_all(&mut known).await {
                Ok(()) => tracing::info!(job = %id, ?kind, "a job is done"),
                Err(Trouble::Lost) => self.leave_nothing(id).await,
                Err(trouble) => {
                    tracing::warn!(job = %id, ?kind, %trouble, "a job is not done yet");
                    known.what.trouble = Some(trouble.to_string());
                    // It is told where it can be; the next try is made all the same.
                    drop(docket::replace(self.store(), Book::Jobs, &mut known).await);
                }
            }
        }
    }

    /// Deletes what was written of an archive that nobody is to have: its user was erased meanwhile.
    async fn leave_nothing(&self, id: Uuid) {
        let left = match self.find_job(id).await {
            Ok(Some(known)) if known.what.gone_at.is_some() => self.blobs.delete(FileId(id)).await,
            _ => return,
        };
        if let Err(error) = left {
            tracing::error!(%error, job = %id, "the archive of a user who was erased is left");
        }
    }

    async fn do_all(&self, known: &mut Known<Job>) -> Result<(), Trouble> {
        self.hold(known).await?;
        match known.what.kind {
            JobKind::Export => known.what.count = self.write_archive(known.id, known.what.user).await?,
            JobKind::Erase => while self.erase_step(known).await? {},
        }
        (known.what.done_at, known.what.held, known.what.trouble) = (Some(self.now()), None, None);
        // Nobody is to find them here either.
        known.what.handles.clear();
        known.what.addresses.clear();
        self.write(known).await
    }

    /// Holds a job for some seconds more, and writes down how far it is.
    pub(super) async fn hold(&self, known: &mut Known<Job>) -> Result<(), Trouble> {
        known.what.held = Some((self.me(), self.now().plus_millis(HELD_MS)));
        self.write(known).await
    }

    async fn write(&self, known: &mut Known<Job>) -> Result<(), Trouble> {
        let is_mine = docket::replace(self.store(), Book::Jobs, known).await?;
        if is_mine { Ok(()) } else { Err(Trouble::Lost) }
    }

    /// Returns whether there is such a user.
    pub(crate) async fn exists(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(!self.store().users(&[user]).await?.is_empty())
    }
}
