//! Who blocks whom. There is one table, by who blocks: whether two users are blocked is two reads of a row,
//! and there is no second table that could say otherwise.

use crate::CqlStore;
use crate::cql::{Conditional, Cql, Read, Write, bound};
use crate::turns::{Tries, condition, next_version};
use rookery_engine::store::{BlockSet, StoreError};
use rookery_protocol::{Timestamp, UserId};
use scylla::errors::PrepareError;
use std::collections::BTreeSet;

/// The statements.
#[derive(Debug)]
pub(super) struct BlockStatements {
    ledger: Read,
    block: Read,
    advance: Conditional,
    set: Write,
    take_off: Write,
}

impl BlockStatements {
    pub(super) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            ledger: cql
                .settling_statement("SELECT version, total FROM blocks WHERE user_id = ? LIMIT 1")
                .await?,
            block: cql.read_statement("SELECT at FROM blocks WHERE user_id = ? AND other_id = ?").await?,
            advance: cql
                .conditional_statement(
                    "UPDATE blocks SET version = ?, total = ? WHERE user_id = ? IF version = ?",
                )
                .await?,
            set: cql.write_statement("INSERT INTO blocks (user_id, other_id, at) VALUES (?, ?, ?)").await?,
            take_off: cql.write_statement("DELETE FROM blocks WHERE user_id = ? AND other_id = ?").await?,
        })
    }
}

/// How a user's ledger of blocks stands.
#[derive(Clone, Copy, Debug, Default)]
struct Ledger {
    version: Option<i64>,
    total: i32,
}

impl CqlStore {
    /// Notes that `user` blocks `other` since `at`, unless it does or blocks `most` already.
    pub(super) async fn set_block(
        &self,
        (user, other): (UserId, UserId),
        at: Timestamp,
        most: usize,
        tries: &mut Tries,
    ) -> Result<BlockSet, StoreError> {
        let _turn = self.turns.at(&user).await;
        loop {
            let ledger = self.ledger_of_blocks(user).await?;
            if self.has_blocked(user, other).await? {
                return Ok(BlockSet::Set);
            }
            if usize::try_from(ledger.total).is_ok_and(|total| total >= most) {
                return Ok(BlockSet::TooMany);
            }
            let statements = &self.people.blocks;
            let advance = advance(user, ledger, ledger.total.saturating_add(1));
            let advance = condition(&statements.advance, advance);
            let write = bound(&statements.set, (user.0, other.0, at.0));
            let sent = self.cql.decide_together(&[advance], &[write]).await;
            if tries.is_applied(sent).await? {
                return Ok(BlockSet::Set);
            }
        }
    }

    pub(crate) async fn take_block_off(
        &self,
        user: UserId,
        other: UserId,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let _turn = self.turns.at(&user).await;
        loop {
            let ledger = self.ledger_of_blocks(user).await?;
            if !self.has_blocked(user, other).await? {
                return Ok(());
            }
            let statements = &self.people.blocks;
            let advance = advance(user, ledger, ledger.total.saturating_sub(1));
            let advance = condition(&statements.advance, advance);
            let write = bound(&statements.take_off, (user.0, other.0));
            let sent = self.cql.decide_together(&[advance], &[write]).await;
            if tries.is_applied(sent).await? {
                return Ok(());
            }
        }
    }

    /// Returns those of `others` whom `user` blocks or who block `user`.
    pub(super) async fn between(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<BTreeSet<UserId>, StoreError> {
        let others: BTreeSet<_> = others.iter().copied().collect();
        let found = Cql::for_each(others, async |other| {
            let is_between = self.has_blocked(user, other).await? || self.has_blocked(other, user).await?;
            Ok(is_between.then_some(other))
        });
        Ok(found.await?.into_iter().flatten().collect())
    }

    async fn ledger_of_blocks(&self, user: UserId) -> Result<Ledger, StoreError> {
        let row = self.cql.row::<(Option<i64>, Option<i32>)>(&self.people.blocks.ledger, (user.0,)).await?;
        let (version, total) = row.unwrap_or_default();
        Ok(Ledger { version, total: total.unwrap_or(0) })
    }

    async fn has_blocked(&self, user: UserId, other: UserId) -> Result<bool, StoreError> {
        Ok(self.cql.row::<(i64,)>(&self.people.blocks.block, (user.0, other.0)).await?.is_some())
    }
}

/// Returns the values that move a ledger on to its next version.
fn advance(user: UserId, ledger: Ledger, total: i32) -> (i64, i32, uuid::Uuid, Option<i64>) {
    (next_version(ledger.version), total, user.0, ledger.version)
}
