//! Finishing what an account's record says is under way: its making, or a change of its handle or its address.
//!
//! Anybody may do it who has read the record, any number of times and at once: each step is named by the
//! record's turn. Claims are made in the order handle, address, so that whoever waits for another one waits
//! for one that is further on.

use super::claims::{Claimant, Held, Name};
use super::record::{Profile, Record};
use crate::CqlStore;
use crate::turns::{Tries, unique};
use rookery_engine::limits::HANDLE_KEPT_MS;
use rookery_engine::store::{Answer, StoreError};

/// Waits for another account's change before it is finished for it.
const PATIENCE: u32 = 4;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finished {
    /// It is done.
    Done,
    /// It was given up: somebody else has the handle.
    HandleTaken,
    /// It was given up: somebody else has the address.
    EmailTaken,
    /// Somebody else finished it or gave it up.
    Moved,
}

impl CqlStore {
    /// Finishes the change that is under way in `record`.
    pub(crate) fn finish<'a>(&'a self, record: &'a Record) -> Answer<'a, Finished> {
        Box::pin(async move {
            let mut tries = Tries::new();
            tries.opened();
            let finished = self.carry_on(record, &mut tries).await;
            tries.settle(finished)
        })
    }

    async fn carry_on(&self, record: &Record, tries: &mut Tries) -> Result<Finished, StoreError> {
        let Some(handle) = record.next_handle() else { return Ok(Finished::Moved) };
        let is_renamed = record.is_renamed();
        if is_renamed && !self.hold(Name::Handle(handle), record, tries).await? {
            return self.give_up(record, Finished::HandleTaken, tries).await;
        }
        if let Some(email) = record.next_email()
            && !self.hold(Name::Email(email), record, tries).await?
        {
            return self.give_up(record, Finished::EmailTaken, tries).await;
        }
        let former = record.handle().filter(|_| is_renamed);
        if let Some(former) = former {
            // It means nothing while the record still has it.
            let until = record.next_at.plus_millis(HANDLE_KEPT_MS);
            let values = (until.0, former, record.claim);
            while tries.known(self.cql.decide(&self.accounts.keep_handle, values).await).await?.is_none() {}
        }
        if is_renamed {
            self.put_entry(handle, record.turn, record.user).await?;
        }
        let changed = record.changed();
        while !tries.is_applied(self.put(&changed, record.turn).await).await? {
            match self.record(record.user).await? {
                Some(found) if found.turn == record.turn => {}
                Some(found) if is_renamed && found.claim == record.turn => return Ok(Finished::Done),
                _ => return Ok(Finished::Moved),
            }
        }
        if changed.email != record.email
            && let Err(error) = self.release_email(&record.email, record.user).await
        {
            tracing::debug!(%error, "a claim of a former address is left");
        }
        if let Some(former) = former
            && let Err(error) = self.drop_entry(former, record.claim).await
        {
            tracing::debug!(%error, "an entry of a former handle is left");
        }
        Ok(Finished::Done)
    }

    /// Claims `name` for the change that is under way in `record`. Returns whether it has it.
    async fn hold(&self, name: Name<'_>, record: &Record, tries: &mut Tries) -> Result<bool, StoreError> {
        let mut waits = 0;
        loop {
            match self.claim(name, Claimant::of(record), tries).await? {
                Held::Mine => return Ok(true),
                Held::Taken => return Ok(false),
                Held::Busy(other) if waits >= PATIENCE => drop(self.finish(&other).await?),
                Held::Busy(_) | Held::Free(_) => tries.wait().await?,
            }
            waits += 1;
        }
    }

    /// Ends the change that is under way in `record` without having made it.
    async fn give_up(
        &self,
        record: &Record,
        why: Finished,
        tries: &mut Tries,
    ) -> Result<Finished, StoreError> {
        loop {
            let sent = if record.is_made() {
                let unchanged = Record { next: Profile::new(), turn: unique(), ..record.clone() };
                self.put(&unchanged, record.turn).await
            } else {
                self.cql.decide(&self.accounts.delete, (record.user.0, record.turn)).await
            };
            let Some(decided) = tries.known(sent).await? else { continue };
            if !decided.applied {
                return Ok(Finished::Moved);
            }
            if let (Finished::EmailTaken, Some(handle)) = (why, record.next_handle()) {
                self.release(handle, record.turn).await;
            }
            return Ok(why);
        }
    }
}
