//! People: profiles, and who is found by the beginning of a handle.

mod blocks;

use crate::CqlStore;
use crate::accounts::{Finished, Record, prefix_of, profile_of};
use crate::cql::Cql;
use crate::turns::{Tries, unique};
use blocks::BlockStatements;
use rookery_engine::store::{Answer, BlockSet, People, ProfileChange, ProfileChanged, StoreError};
use rookery_protocol::limits::SEARCH_CHARS_MIN;
use rookery_protocol::{Timestamp, User, UserId};
use scylla::errors::PrepareError;
use uuid::Uuid;

/// Entries that a search reads at once: two answers, since some may be void or of users that are not found.
const ENTRIES: i32 = 40;

/// The statements.
#[derive(Debug)]
pub(crate) struct PeopleStatements {
    blocks: BlockStatements,
}

impl PeopleStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self { blocks: BlockStatements::prepare(cql).await? })
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
            let profile = profile_of(&after);
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

    async fn find(&self, by: UserId, prefix: &str, limit: usize) -> Result<Vec<User>, StoreError> {
        if prefix.chars().count() < SEARCH_CHARS_MIN {
            return Err(StoreError::Refused("so short a beginning of a handle is not looked for".to_owned()));
        }
        let end = format!("{prefix}{}", char::MAX);
        let mut after = (prefix.to_owned(), Uuid::nil());
        let mut found = Vec::new();
        while found.len() < limit {
            let values = (prefix_of(prefix), &after.0, after.1, &end, ENTRIES);
            let entries = self.cql.rows::<(String, Uuid, Uuid)>(&self.accounts.entries, values).await?;
            let Some((handle, claim, _)) = entries.last() else { break };
            after = (handle.clone(), *claim);
            let users = Cql::for_each(entries, async |entry| self.user_of(entry).await).await?;
            let users: Vec<_> = users.into_iter().flatten().collect();
            let ids: Vec<_> = users.iter().map(|user| user.id).collect();
            let hidden = self.between(by, &ids).await?;
            found.extend(users.into_iter().filter(|user| !hidden.contains(&user.id)));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Returns the user that an entry is of, if it still is; otherwise the entry goes.
    async fn user_of(&self, entry: (String, Uuid, Uuid)) -> Result<Option<User>, StoreError> {
        let (handle, claim, user) = entry;
        let record = self.record(UserId(user)).await?;
        if let Some(record) = &record {
            if record.is_changing() && record.turn == claim {
                return Ok(None);
            }
            if record.claim == claim && record.handle() == Some(handle.as_str()) {
                return Ok(record.user());
            }
        }
        self.cql.write(&self.accounts.drop_entry, (prefix_of(&handle), &handle, claim)).await?;
        Ok(None)
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
            let set = self.set_block(user, other, at, &mut tries).await;
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
