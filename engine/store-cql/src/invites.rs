//! Invites.

use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{Answer, Invite, InviteCreated, InviteUsed, Invites, TokenHash};
use rookery_protocol::{RoomId, Timestamp, UserId};
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct InviteStatements;

#[expect(clippy::unused_async, reason = "a stub")]
impl InviteStatements {
    pub(crate) async fn prepare(_cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self)
    }
}

impl Invites for CqlStore {
    fn create_invite(&self, _invite: Invite) -> Answer<'_, InviteCreated> {
        crate::log::unfinished()
    }

    fn invite(&self, _hash: TokenHash) -> Answer<'_, Option<Invite>> {
        crate::log::unfinished()
    }

    fn revoke_invite(&self, _room: RoomId, _hash: TokenHash, _at: Timestamp) -> Answer<'_, bool> {
        crate::log::unfinished()
    }

    fn use_invite(&self, _hash: TokenHash, _user: UserId, _at: Timestamp) -> Answer<'_, InviteUsed> {
        crate::log::unfinished()
    }
}
