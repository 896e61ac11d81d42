//! Profiles, handles and blocks in memory.

use super::accounts::AccountTables;
use super::{MemoryStore, State};
use crate::limits::{BLOCKS_PER_USER, HANDLE_KEPT_MS};
use crate::store::{Answer, BlockSet, PURGE_ROWS, People, ProfileChange, ProfileChanged};
use rookery_protocol::{Timestamp, User, UserId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct PeopleTables {
    /// Who blocks whom, and since when.
    pub(super) blocks: BTreeMap<(UserId, UserId), Timestamp>,
}

impl PeopleTables {
    fn block(&mut self, user: UserId, other: UserId, at: Timestamp) -> BlockSet {
        if self.blocks.contains_key(&(user, other)) {
            return BlockSet::Set;
        }
        let set = self.blocks.keys().filter(|(by, _)| *by == user).count();
        if set >= BLOCKS_PER_USER {
            return BlockSet::TooMany;
        }
        self.blocks.insert((user, other), at);
        BlockSet::Set
    }

    fn is_between(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains_key(&(one, other)) || self.blocks.contains_key(&(other, one))
    }
}

impl AccountTables {
    /// Returns whether `handle` cannot be `user`'s at `now`.
    pub(super) fn is_taken(&self, handle: &str, user: UserId, now: Timestamp) -> bool {
        let is_kept = |(whose, until): &(UserId, Timestamp)| *whose != user && now < *until;
        self.kept.get(handle).is_some_and(is_kept)
            || self.accounts.values().any(|other| other.user.id != user && other.user.handle == handle)
    }

    fn change_profile(&mut self, user: UserId, change: ProfileChange, now: Timestamp) -> ProfileChanged {
        let Some(old) = self.accounts.get(&user).map(|account| account.user.handle.clone()) else {
            return ProfileChanged::NoSuchUser;
        };
        let new = change.handle.filter(|new| *new != old);
        if new.as_ref().is_some_and(|new| self.is_taken(new, user, now)) {
            return ProfileChanged::HandleTaken;
        }
        if let Some(new) = &new {
            self.forget_kept(now);
            self.kept.remove(new);
            self.kept.insert(old, (user, now.plus_millis(HANDLE_KEPT_MS)));
        }
        let Some(account) = self.accounts.get_mut(&user) else { return ProfileChanged::NoSuchUser };
        let profile = &mut account.user;
        if let Some(handle) = new {
            profile.handle = handle;
        }
        if let Some(name) = change.name {
            profile.name = name;
        }
        change.about.apply(&mut profile.about);
        change.avatar.apply(&mut profile.avatar);
        ProfileChanged::Changed(profile.clone())
    }

    /// Forgets handles that are nobody's any more, at most [`PURGE_ROWS`].
    fn forget_kept(&mut self, now: Timestamp) {
        let mut room = PURGE_ROWS;
        self.kept.retain(|_, (_, until)| {
            let is_over = *until <= now && room > 0;
            room -= usize::from(is_over);
            !is_over
        });
    }
}

impl State {
    fn users_by_handle(&self, by: UserId, prefix: &str, limit: usize) -> Vec<User> {
        let users = self.accounts.accounts.values().map(|account| &account.user);
        let mut found: Vec<_> = users
            .filter(|user| user.handle.starts_with(prefix) && !self.people.is_between(by, user.id))
            .cloned()
            .collect();
        found.sort_by(|one, other| one.handle.cmp(&other.handle));
        found.truncate(limit);
        found
    }
}

impl People for MemoryStore {
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        self.answer(move |state| Ok(state.accounts.change_profile(user, change, now)))
    }

    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>> {
        self.answer(move |state| Ok(state.users_by_handle(by, prefix, limit)))
    }

    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet> {
        self.answer(move |state| Ok(state.people.block(user, other, at)))
    }

    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.people.blocks.remove(&(user, other));
            Ok(())
        })
    }

    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        self.answer(move |state| {
            let others: BTreeSet<_> = others.iter().copied().collect();
            Ok(others.into_iter().filter(|other| state.people.is_between(user, *other)).collect())
        })
    }
}
