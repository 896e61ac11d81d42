//! Accounts: made once, with an address and a handle that nobody else has.
//!
//! An account's record is what decides; the rows of its handle and its address point to it. An account is
//! made in steps, each of which may be the last one of a process that dies: the record with what it is to
//! be, the claims of its handle and its address, and the record as one that exists. Whoever meets a record
//! between the first and the last step finishes it.

mod address;
mod claims;
mod finish;
mod record;

use crate::CqlStore;
use crate::cql::{Conditional, Cql, Read};
use crate::turns::Tries;
use claims::{Claimant, Held, Name};
pub(crate) use finish::Finished;
pub(crate) use record::{Record, profile_of};
use rookery_engine::store::{
    Account, AccountCreated, Accounts, Answer, LoginSession, RefreshToken, Rotation, StoreError, Ticket,
    TokenHash,
};
use rookery_protocol::{SessionId, Timestamp, User, UserId};
use scylla::errors::PrepareError;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The statements.
#[derive(Debug)]
pub(crate) struct AccountStatements {
    record: Read,
    settled_record: Read,
    insert: Conditional,
    put: Conditional,
    delete: Conditional,
    replace_password: Conditional,
    handle: Read,
    claim_handle: Conditional,
    keep_handle: Conditional,
    release_handle: Conditional,
    email: Read,
    settled_email: Read,
    claim_email: Conditional,
    release_email: Conditional,
}

const RECORD: &str = "SELECT email, password, created_at, profile, claim, next, next_at, turn
    FROM users WHERE user_id = ?";
const EMAIL: &str = "SELECT user_id, claim FROM emails WHERE email = ?";

impl AccountStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        let conditional = async |text| cql.conditional_statement(text).await;
        Ok(Self {
            record: cql.read_statement(RECORD).await?,
            settled_record: cql.settling_statement(RECORD).await?,
            insert: conditional(
                "INSERT INTO users
                    (user_id, email, password, created_at, profile, claim, next, next_at, turn)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
            )
            .await?,
            put: conditional(
                "UPDATE users SET email = ?, profile = ?, claim = ?, next = ?, next_at = ?, turn = ?
                    WHERE user_id = ? IF turn = ?",
            )
            .await?,
            delete: conditional("DELETE FROM users WHERE user_id = ? IF turn = ?").await?,
            replace_password: conditional("UPDATE users SET password = ? WHERE user_id = ? IF password = ?")
                .await?,
            handle: cql
                .settling_statement("SELECT user_id, claim, until FROM handles WHERE handle = ?")
                .await?,
            claim_handle: conditional(
                "UPDATE handles SET user_id = ?, claim = ?, until = ? WHERE handle = ? IF claim = ?",
            )
            .await?,
            keep_handle: conditional("UPDATE handles SET until = ? WHERE handle = ? IF claim = ?").await?,
            release_handle: conditional("DELETE FROM handles WHERE handle = ? IF claim = ?").await?,
            email: cql.read_statement(EMAIL).await?,
            settled_email: cql.settling_statement(EMAIL).await?,
            claim_email: conditional("UPDATE emails SET user_id = ?, claim = ? WHERE email = ? IF claim = ?")
                .await?,
            release_email: conditional("DELETE FROM emails WHERE email = ? IF claim = ?").await?,
        })
    }
}

impl CqlStore {
    async fn create(&self, account: &Account, tries: &mut Tries) -> Result<AccountCreated, StoreError> {
        let user = account.user.id;
        loop {
            match self.record(user).await? {
                Some(record) if record.is_made() => return Ok(AccountCreated::Created),
                // An earlier call that stopped halfway.
                Some(record) => {
                    self.finish(&record).await?;
                    tries.wait().await?;
                    continue;
                }
                None => {}
            }
            let record = Record::registration(account);
            let who = Claimant::of(&record);
            if let Held::Taken = self.look(Name::Handle(&account.user.handle), who).await? {
                return Ok(AccountCreated::HandleTaken);
            }
            if let Held::Taken = self.look(Name::Email(&account.email), who).await? {
                return Ok(AccountCreated::EmailTaken);
            }
            if !tries.is_applied(self.insert(&record).await).await? {
                continue;
            }
            tries.opened();
            match self.finish(&record).await? {
                Finished::Done => return Ok(AccountCreated::Created),
                Finished::HandleTaken => return Ok(AccountCreated::HandleTaken),
                Finished::EmailTaken => return Ok(AccountCreated::EmailTaken),
                Finished::Moved => tries.wait().await?,
            }
        }
    }

    async fn by_email(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let row = self.cql.row::<(Uuid, Uuid)>(&self.accounts.email, (email,)).await?;
        let Some((user, _)) = row else { return Ok(None) };
        let record = self.account(UserId(user)).await?.filter(|record| record.email == email);
        Ok(record.and_then(Record::account))
    }

    async fn replace(
        &self,
        user: UserId,
        old: &str,
        new: &str,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        let _turn = self.turns.at(&user).await;
        loop {
            let record = self.record(user).await?.filter(Record::is_made);
            let Some(record) = record else { return Ok(false) };
            if record.password != old {
                return Ok(record.password == new);
            }
            let sent = self.cql.decide(&self.accounts.replace_password, (new, user.0, old)).await;
            if tries.is_applied(sent).await? {
                return Ok(true);
            }
        }
    }
}

impl CqlStore {
    /// Makes an account that was kept before, unless it is there.
    pub(crate) async fn import_account(&self, account: &Account) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let created = self.create(account, &mut tries).await;
        match tries.settle(created)? {
            AccountCreated::Created => Ok(()),
            AccountCreated::HandleTaken | AccountCreated::EmailTaken => {
                Err(StoreError::Refused(format!("account {} has what is another one's", account.user.id)))
            }
        }
    }
}

impl Accounts for CqlStore {
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let created = self.create(&account, &mut tries).await;
            tries.settle(created)
        })
    }

    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>> {
        Box::pin(self.by_email(email))
    }

    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let replaced = self.replace(user, old, new, &mut tries).await;
            tries.settle(replaced)
        })
    }

    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        Box::pin(async move {
            let ids: BTreeSet<_> = ids.iter().copied().collect();
            let found = Cql::for_each(ids, async |id| self.account(id).await).await?;
            Ok(found.into_iter().flatten().filter_map(|record| record.user()).collect())
        })
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
