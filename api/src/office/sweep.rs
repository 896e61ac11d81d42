//! The sweep of the office: archives, jobs and reports that were kept long enough are forgotten.
//!
//! Each is looked for among those whose ids are old enough, and gone by the moment at which it ended. Every step may
//! be done twice, and by several servers at once.

use super::Office;
use super::job::{Job, JobKind};
use super::jobs::Trouble;
use super::reports::Report;
use crate::docket::{self, Known};
use rookery_engine::store::Book;
use rookery_protocol::{FileId, Timestamp};
use serde::de::DeserializeOwned;
use std::time::Duration;
use uuid::Uuid;

/// Entries of one page.
const PAGE: usize = 200;

/// How far the moment in an id may be ahead of the one at which it was made, in milliseconds: ids of a burst are spread
/// over those that follow.
const AHEAD_MS: i64 = 60_000;

/// Entries of a book that one sweep forgets at most; the next one goes on.
const AT_ONCE: usize = 1000;

impl Office {
    /// Forgets what was kept long enough; what fails is left for the next time.
    pub(crate) async fn sweep(&self) {
        for (what, swept) in [
            ("archives", self.sweep_archives().await),
            ("jobs", self.sweep_jobs().await),
            ("reports", self.sweep_reports().await),
        ] {
            match swept {
                Ok(0) => {}
                Ok(count) => {
                    self.node.metrics().usage.forgotten.of(what).increment(count);
                    tracing::info!(what, count, "what was kept long enough is forgotten");
                }
                Err(error) => tracing::warn!(%error, what, "what was kept long enough is not forgotten yet"),
            }
        }
    }

    async fn sweep_archives(&self) -> Result<u64, Trouble> {
        let until = self.since(self.retention.archives);
        let is_due = |job: &Job| has_archive(job) && job.done_at.is_some_and(|done| done <= until);
        let mut swept = 0;
        for mut known in self.old::<Job>(Book::Jobs, until, is_due).await? {
            swept += u64::from(self.drop_archive(&mut known).await?);
        }
        Ok(swept)
    }

    async fn sweep_jobs(&self) -> Result<u64, Trouble> {
        let until = self.since(self.retention.jobs);
        let is_due = |job: &Job| job.done_at.is_some_and(|done| done <= until);
        let due = self.old::<Job>(Book::Jobs, until, is_due).await?;
        for known in &due {
            if has_archive(&known.what) {
                self.blobs.delete(FileId(known.id)).await?;
            }
            self.store().forget_entry(Book::Jobs, known.id).await?;
        }
        Ok(due.len() as u64)
    }

    async fn sweep_reports(&self) -> Result<u64, Trouble> {
        let until = self.since(self.retention.reports);
        let is_due = |report: &Report| report.closed.as_ref().is_some_and(|closed| closed.at <= until);
        let due = self.old::<Report>(Book::Reports, until, is_due).await?;
        for known in &due {
            self.store().forget_entry(Book::Reports, known.id).await?;
        }
        Ok(due.len() as u64)
    }

    /// Deletes the archive of a job, and writes down that it is gone; `false` where somebody else did.
    pub(super) async fn drop_archive(&self, known: &mut Known<Job>) -> Result<bool, Trouble> {
        self.blobs.delete(FileId(known.id)).await?;
        known.what.gone_at = Some(self.now());
        Ok(docket::replace(self.store(), Book::Jobs, known).await?)
    }

    /// Returns the moment that was `ago`.
    fn since(&self, ago: Duration) -> Timestamp {
        self.now().plus_millis(-i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
    }

    /// Returns the entries of a book that are as old as `until`, or older, and of which `is_wanted` is true.
    async fn old<T: DeserializeOwned>(
        &self,
        book: Book,
        until: Timestamp,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<Known<T>>, Trouble> {
        let (mut found, mut before) = (Vec::new(), Some(first_after(until.plus_millis(AHEAD_MS))));
        loop {
            let page = docket::page::<T>(self.store(), book, before, PAGE).await?;
            let Some(last) = page.last().filter(|_| found.len() < AT_ONCE) else { return Ok(found) };
            before = Some(last.id);
            found.extend(page.into_iter().filter(|known| is_wanted(&known.what)));
        }
    }
}

/// Returns whether a job has an archive that is not gone.
pub(super) fn has_archive(job: &Job) -> bool {
    job.kind == JobKind::Export && job.gone_at.is_none()
}

/// Returns the least id of the millisecond after `at` (RFC 9562, section 5.7).
fn first_after(at: Timestamp) -> Uuid {
    Uuid::from_u128(u128::try_from(at.0.saturating_add(1)).unwrap_or(0) << 80)
}
