//! The address of an account: confirmed, or changed to another one as a handle is.

use super::claims::{Claimant, Held, Name};
use super::finish::Finished;
use super::record::Record;
use crate::CqlStore;
use crate::turns::{Tries, unique};
use rookery_engine::store::{AddressConfirmed, StoreError};
use rookery_protocol::{Timestamp, UserId};

impl CqlStore {
    pub(crate) async fn confirm(
        &self,
        user: UserId,
        (old, new): (&str, &str),
        at: Timestamp,
    ) -> Result<AddressConfirmed, StoreError> {
        let mut tries = Tries::new();
        let confirmed = self.change_address(user, (old, new), at, &mut tries).await;
        tries.settle(confirmed)
    }

    async fn change_address(
        &self,
        user: UserId,
        (old, new): (&str, &str),
        at: Timestamp,
        tries: &mut Tries,
    ) -> Result<AddressConfirmed, StoreError> {
        loop {
            let record = self.record(user).await?.filter(Record::is_made);
            let Some(record) = record else { return Ok(AddressConfirmed::Moved) };
            if record.is_changing() {
                // An earlier call that stopped halfway.
                self.finish(&record).await?;
                tries.wait().await?;
                continue;
            }
            if record.email == new {
                if record.confirmed_at().is_some() {
                    return Ok(AddressConfirmed::Confirmed);
                }
                let next = Record { profile: record.confirmed(at), turn: unique(), ..record.clone() };
                if tries.is_applied(self.put(&next, record.turn).await).await? {
                    return Ok(AddressConfirmed::Confirmed);
                }
                continue;
            }
            if record.email != old {
                return Ok(AddressConfirmed::Moved);
            }
            let next =
                Record { next: record.with_email(new, at), next_at: at, turn: unique(), ..record.clone() };
            if let Held::Taken = self.look(Name::Email(new), Claimant::of(&next)).await? {
                return Ok(AddressConfirmed::Taken);
            }
            if !tries.is_applied(self.put(&next, record.turn).await).await? {
                continue;
            }
            tries.opened();
            match self.finish(&next).await? {
                Finished::Done => return Ok(AddressConfirmed::Confirmed),
                Finished::HandleTaken | Finished::EmailTaken => return Ok(AddressConfirmed::Taken),
                Finished::Moved => tries.wait().await?,
            }
        }
    }
}
