//! When users were last there.

use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{Answer, LastSeen};
use rookery_protocol::{Timestamp, UserId};
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct LastSeenStatements;

#[expect(clippy::unused_async, reason = "a stub")]
impl LastSeenStatements {
    pub(crate) async fn prepare(_cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self)
    }
}

impl LastSeen for CqlStore {
    fn seen<'a>(&'a self, _seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        crate::log::unfinished()
    }

    fn last_seen<'a>(&'a self, _users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        crate::log::unfinished()
    }
}
