//! Mails that are to be sent, in shards, every write under a condition.

use crate::CqlStore;
use crate::cql::{Conditional, Cql, Read};
use crate::turns::Tries;
use rookery_engine::store::{
    Account, AddressConfirmed, Answer, Credentials, LoginSession, Mail, Mails, Proof, ProofOf, StoreError,
    TokenHash,
};
use rookery_protocol::{Timestamp, UserId};
use scylla::errors::PrepareError;
use scylla::value::CqlValue;
use uuid::Uuid;

/// Partitions that the mails are spread over.
///
/// Whoever looks what is due reads all of them: 4 keep 10 mails a second below the 100,000 deleted rows at
/// which a server fails a read.
const SHARDS: u8 = 4;

/// The statements.
#[derive(Debug)]
pub(crate) struct MailStatements {
    all: Read,
    put: Conditional,
    delay: Conditional,
    forget: Conditional,
}

impl MailStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            all: cql.read_statement("SELECT id, due_at, tries, letter FROM mails WHERE shard = ?").await?,
            put: cql
                .conditional_statement(
                    "INSERT INTO mails (shard, id, due_at, tries, letter) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS",
                )
                .await?,
            delay: cql
                .conditional_statement(
                    "UPDATE mails SET due_at = ?, tries = ? WHERE shard = ? AND id = ?
                        IF due_at = ? AND tries = ?",
                )
                .await?,
            forget: cql
                .conditional_statement("DELETE FROM mails WHERE shard = ? AND id = ? IF EXISTS")
                .await?,
        })
    }
}

/// Returns the shard of a mail. The last byte of an id is random.
fn shard(id: Uuid) -> i32 {
    (id.as_bytes()[15] % SHARDS).into()
}

fn count(tries: u32) -> i32 {
    i32::try_from(tries).unwrap_or(i32::MAX)
}

impl CqlStore {
    async fn in_shard(&self, shard: i32, now: Timestamp) -> Result<Vec<Mail>, StoreError> {
        let rows: Vec<(Uuid, i64, i32, String)> = self.cql.rows(&self.mails.all, (shard,)).await?;
        let mail = |(id, due_at, tries, letter)| Mail {
            id,
            due_at: Timestamp(due_at),
            tries: u32::try_from(tries).unwrap_or(0),
            letter,
        };
        Ok(rows.into_iter().map(mail).filter(|mail| mail.due_at <= now).collect())
    }

    async fn delay(&self, mail: &Mail, until: Timestamp, tries: &mut Tries) -> Result<bool, StoreError> {
        let (before, next) = (count(mail.tries), count(mail.tries.saturating_add(1)));
        let values = (until.0, next, shard(mail.id), mail.id, mail.due_at.0, before);
        loop {
            let sent = self.cql.decide(&self.mails.delay, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            // The same call sent again finds its own moment.
            let is_mine = decided.value("due_at") == Some(&CqlValue::BigInt(until.0))
                && decided.value("tries") == Some(&CqlValue::Int(next));
            return Ok(decided.applied || is_mine);
        }
    }
}

impl Mails for CqlStore {
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let values = (shard(mail.id), mail.id, mail.due_at.0, count(mail.tries), &mail.letter);
            loop {
                let sent = self.cql.decide(&self.mails.put, values).await;
                let known = tries.known(sent).await;
                if tries.settle(known)?.is_some() {
                    return Ok(());
                }
            }
        })
    }

    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>> {
        Box::pin(async move {
            let shards = 0..i32::from(SHARDS);
            let found = Cql::for_each(shards, |shard| self.in_shard(shard, now)).await?;
            let mut due: Vec<Mail> = found.into_iter().flatten().collect();
            due.sort_unstable_by_key(|mail| (mail.due_at, mail.id));
            due.truncate(limit);
            Ok(due)
        })
    }

    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let delayed = self.delay(mail, until, &mut tries).await;
            tries.settle(delayed)
        })
    }

    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut tries = Tries::new();
            loop {
                let sent = self.cql.decide(&self.mails.forget, (shard(id), id)).await;
                let known = tries.known(sent).await;
                if tries.settle(known)?.is_some() {
                    return Ok(());
                }
            }
        })
    }
}

impl Credentials for CqlStore {
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>> {
        Box::pin(async move { Ok(self.account(user).await?.and_then(crate::accounts::Record::account)) })
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>> {
        Box::pin(self.live_sessions(user, now, limit))
    }

    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        change: (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed> {
        Box::pin(self.confirm(user, change, at))
    }

    fn put_proof(&self, proof: Proof) -> Answer<'_, ()> {
        Box::pin(async move { self.keep_proof(&proof).await })
    }

    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>> {
        Box::pin(self.redeem(hash, of, now))
    }
}
