//! People: their profiles. What changes a handle is an account's change, and finished as one.

mod blocks;
mod search;

use crate::CqlStore;
use crate::accounts::{Finished, Record, profile_of};
use crate::cql::Cql;
use crate::turns::{Tries, unique};
use blocks::BlockStatements;
use rookery_engine::limits::BLOCKS_PER_USER;
use rookery_engine::store::{Answer, BlockSet, People, ProfileChange, ProfileChanged, StoreError};
use rookery_protocol::{Timestamp, User, UserId};
use scylla::errors::PrepareError;
use search::SearchStatements;

/// The statements.
#[derive(Debug)]
pub(crate) struct PeopleStatements {
    blocks: BlockStatements,
    search: SearchStatements,
}

impl PeopleStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            blocks: BlockStatements::prepare(cql).await?,
            search: SearchStatements::prepare(cql).await?,
        })
    }
}

/// Returns what `change` makes of `user`.
fn changed(mut user: User, change: &ProfileChange) -> User {
    let ProfileChange { name, handle, about, avatar } = change.clone();
    user.name = name.unwrap_or(user.name);
    user.handle = handle.unwrap_or(user.handle);
    about.apply(&mut user.about);
    avatar.apply(&mut user.avatar);
    user
}

impl CqlStore {
    async fn change(
        &self,
        user: UserId,
        change: &ProfileChange,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<ProfileChanged, StoreError> {
        loop {
            let Some(record) = self.record(user).await? else { return Ok(ProfileChanged::NoSuchUser) };
            let Some(before) = record.user() else { return Ok(ProfileChanged::NoSuchUser) };
            if record.is_changing() {
                // An earlier call that stopped halfway.
                self.finish(&record).await?;
                tries.wait().await?;
                continue;
            }
            let after = changed(before.clone(), change);
            if after == before {
                return Ok(ProfileChanged::Changed(after));
            }
            let profile = profile_of(&after, record.confirmed_at());
            let next = if after.handle == before.handle {
                Record { profile, turn: unique(), ..record.clone() }
            } else {
                Record { next: profile, next_at: now, turn: unique(), ..record.clone() }
            };
            if next.is_changing() && self.is_taken(&next).await? {
                return Ok(ProfileChanged::HandleTaken);
            }
            if !tries.is_applied(self.put(&next, record.turn).await).await? {
                continue;
            }
            tries.opened();
            if !next.is_changing() {
                return Ok(ProfileChanged::Changed(after));
            }
            match self.finish(&next).await? {
                Finished::Done => return Ok(ProfileChanged::Changed(after)),
                Finished::HandleTaken | Finished::EmailTaken => return Ok(ProfileChanged::HandleTaken),
                Finished::Moved => tries.wait().await?,
            }
        }
    }
}

impl CqlStore {
    /// Keeps a block that was kept before, unless it is there.
    pub(crate) async fn import_block(
        &self,
        user: UserId,
        other: UserId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let set = self.set_block((user, other), at, usize::MAX, &mut tries).await;
        tries.settle(set).map(drop)
    }
}

impl People for CqlStore {
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let changed = self.change(user, &change, now, &mut tries).await;
            tries.settle(changed)
        })
    }

    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>> {
        Box::pin(self.find(by, prefix, limit))
    }

    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let set = self.set_block((user, other), at, BLOCKS_PER_USER, &mut tries).await;
            tries.settle(set)
        })
    }

    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let taken_off = self.take_block_off(user, other, &mut tries).await;
            tries.settle(taken_off)
        })
    }

    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        Box::pin(async move { Ok(self.between(user, others).await?.into_iter().collect()) })
    }
}
