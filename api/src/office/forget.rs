//! What is left of a user beside its account, its logs and its files: every step may be done twice.

use super::Office;
use super::job::{Job, JobKind};
use super::jobs::Trouble;
use super::reports::Report;
use super::sweep::has_archive;
use crate::accounts::settle;
use crate::docket::{self, Known};
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::UserId;

/// Entries of one page.
const PAGE: usize = 200;

impl Office {
    /// Forgets what is left of the user of an erasure.
    pub(super) async fn forget_rest(&self, known: &Known<Job>) -> Result<(), Trouble> {
        let Job { user, handles, addresses, .. } = &known.what;
        self.accounts.forget_ways_in(*user).await?;
        self.accounts.take_letters_back(*user, addresses).await?;
        self.accounts.delete_letters(addresses).await.map_err(Trouble::Letters)?;
        self.forget_reasons(*user).await?;
        self.forget_archives(*user).await?;
        settle(|| self.store().forget_traces(*user, handles)).await?;
        Ok(self.store().forget_entry(Book::Activity, user.0).await?)
    }

    /// Takes away what the user said in its reports, and what was said about it in those of others.
    async fn forget_reasons(&self, user: UserId) -> Result<(), Trouble> {
        let mut before = None;
        loop {
            let reports = docket::page::<Report>(self.store(), Book::Reports, before, PAGE).await?;
            let Some(last) = reports.last() else { return Ok(()) };
            before = Some(last.id);
            for mut known in reports {
                let about = self.reported_user(&known.what.about).await?;
                if known.what.by != user && about != Some(user) {
                    continue;
                }
                known.what.reason.clear();
                if let Some(closed) = &mut known.what.closed {
                    closed.reason.clear();
                }
                if !docket::replace(self.store(), Book::Reports, &mut known).await? {
                    return Err(StoreError::Refused("a report has changed meanwhile".to_owned()).into());
                }
            }
        }
    }

    /// Deletes the archives of the user, and gives up those that are being made.
    async fn forget_archives(&self, user: UserId) -> Result<(), Trouble> {
        let mut before = None;
        loop {
            let jobs = docket::page::<Job>(self.store(), Book::Jobs, before, PAGE).await?;
            let Some(last) = jobs.last() else { return Ok(()) };
            before = Some(last.id);
            let of_user = |job: &Job| job.kind == JobKind::Export && job.user == user && has_archive(job);
            for mut known in jobs.into_iter().filter(|known| of_user(&known.what)) {
                // Whoever makes it finds that it has lost it, and deletes what it has.
                known.what.done_at.get_or_insert_with(|| self.now());
                known.what.held = None;
                if !self.drop_archive(&mut known).await? {
                    return Err(StoreError::Refused("an export has changed meanwhile".to_owned()).into());
                }
            }
        }
    }
}
