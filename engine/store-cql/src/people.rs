//! People.

use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{Answer, BlockSet, People, ProfileChange, ProfileChanged};
use rookery_protocol::{Timestamp, User, UserId};
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct PeopleStatements;

#[expect(clippy::unused_async, reason = "a stub")]
impl PeopleStatements {
    pub(crate) async fn prepare(_cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self)
    }
}

impl People for CqlStore {
    fn change_profile(
        &self,
        _user: UserId,
        _change: ProfileChange,
        _now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        crate::log::unfinished()
    }

    fn users_by_handle<'a>(&'a self, _by: UserId, _prefix: &'a str, _limit: usize) -> Answer<'a, Vec<User>> {
        crate::log::unfinished()
    }

    fn block(&self, _user: UserId, _other: UserId, _at: Timestamp) -> Answer<'_, BlockSet> {
        crate::log::unfinished()
    }

    fn unblock(&self, _user: UserId, _other: UserId) -> Answer<'_, ()> {
        crate::log::unfinished()
    }

    fn blocks_between<'a>(&'a self, _user: UserId, _others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        crate::log::unfinished()
    }
}
