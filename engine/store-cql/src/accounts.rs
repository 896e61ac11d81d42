//! Accounts.

use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{
    Account, AccountCreated, Accounts, Answer, LoginSession, RefreshToken, Rotation, Ticket, TokenHash,
};
use rookery_protocol::{SessionId, Timestamp, User, UserId};
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct AccountStatements;

#[expect(clippy::unused_async, reason = "a stub")]
impl AccountStatements {
    pub(crate) async fn prepare(_cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self)
    }
}

impl Accounts for CqlStore {
    fn create_account(&self, _account: Account) -> Answer<'_, AccountCreated> {
        crate::log::unfinished()
    }

    fn account_by_email<'a>(&'a self, _email: &'a str) -> Answer<'a, Option<Account>> {
        crate::log::unfinished()
    }

    fn replace_password<'a>(&'a self, _user: UserId, _old: &'a str, _new: &'a str) -> Answer<'a, bool> {
        crate::log::unfinished()
    }

    fn users<'a>(&'a self, _ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        crate::log::unfinished()
    }

    fn begin_session(&self, _session: LoginSession, _token: RefreshToken) -> Answer<'_, ()> {
        crate::log::unfinished()
    }

    fn session(&self, _session: SessionId) -> Answer<'_, Option<LoginSession>> {
        crate::log::unfinished()
    }

    fn rotate(&self, _old: TokenHash, _new: RefreshToken, _now: Timestamp) -> Answer<'_, Rotation> {
        crate::log::unfinished()
    }

    fn revoke(&self, _session: SessionId, _now: Timestamp) -> Answer<'_, bool> {
        crate::log::unfinished()
    }

    fn put_ticket(&self, _ticket: Ticket) -> Answer<'_, ()> {
        crate::log::unfinished()
    }

    fn take_ticket(&self, _hash: TokenHash, _now: Timestamp) -> Answer<'_, Option<Ticket>> {
        crate::log::unfinished()
    }

    fn purge(&self, _before: Timestamp) -> Answer<'_, ()> {
        crate::log::unfinished()
    }
}
