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

    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()> {
        Box::pin(async move { self.begin(&session, token).await })
    }

    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>> {
        Box::pin(self.login(session))
    }

    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation> {
        Box::pin(self.spend(old, new, now))
    }

    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(self.revoke_login(session, now))
    }

    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()> {
        Box::pin(self.keep_ticket(ticket))
    }

    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>> {
        Box::pin(self.take(hash, now))
    }

    fn purge(&self, before: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.forget_logins(before))
    }
}
