//! What signing in depends on: one row each, every write under a condition on its version.
//!
//! What expires goes by the time to live that it is written with, so a purge has nothing to do here.

use crate::CqlStore;
use crate::cql::{Conditional, Cql, Read};
use crate::sessions::time_to_live;
use crate::turns::Tries;
use rookery_engine::store::{Answer, SignIn, SignIns, StoreError, TokenHash};
use rookery_protocol::Timestamp;
use scylla::errors::PrepareError;
use uuid::Uuid;

/// The statements.
#[derive(Debug)]
pub(crate) struct SignInStatements {
    find: Read,
    replace: Conditional,
}

impl SignInStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            find: cql
                .settling_statement("SELECT version, body, expires_at FROM sign_ins WHERE key = ?")
                .await?,
            replace: cql
                .conditional_statement(
                    "UPDATE sign_ins USING TTL ? SET version = ?, body = ?, expires_at = ? WHERE key = ?
                        IF version = ?",
                )
                .await?,
        })
    }
}

impl CqlStore {
    async fn find_sign_in(&self, key: TokenHash) -> Result<Option<SignIn>, StoreError> {
        let row =
            self.cql.row::<(Option<Uuid>, Option<String>, Option<i64>)>(&self.sign_ins.find, (key,)).await?;
        let Some((Some(version), Some(body), expires_at)) = row else { return Ok(None) };
        Ok(Some(SignIn { key, version, body, expires_at: expires_at.map(Timestamp) }))
    }

    async fn replace_sign_in(
        &self,
        old: Option<Uuid>,
        new: &SignIn,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        let _turn = self.turns.at(&new.key).await;
        loop {
            let found = self.find_sign_in(new.key).await?;
            if found.as_ref().is_some_and(|found| found.version == new.version) {
                return Ok(true);
            }
            if found.as_ref().filter(|found| found.is_there(now)).map(|found| found.version) != old {
                return Ok(false);
            }
            let expires_at = new.expires_at.map(|at| at.0);
            // 0 is for ever.
            let lives = new.expires_at.map_or(0, |at| time_to_live(at, now));
            // An update also where there is none yet: an insert would leave a row when its columns have expired.
            let found = found.map(|found| found.version);
            let values = (lives, new.version, &new.body, expires_at, new.key, found);
            if tries.is_applied(self.cql.decide(&self.sign_ins.replace, values).await).await? {
                return Ok(true);
            }
        }
    }

    /// Keeps a record that was kept elsewhere, unless there is one of its key.
    pub(crate) async fn import_sign_in(&self, record: &SignIn) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let kept = self.replace_sign_in(None, record, Timestamp(i64::MIN), &mut tries).await;
        tries.settle(kept).map(drop)
    }
}

impl SignIns for CqlStore {
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>> {
        Box::pin(async move { Ok(self.find_sign_in(key).await?.filter(|record| record.is_there(now))) })
    }

    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let put = self.replace_sign_in(old, &new, now, &mut tries).await;
            tries.settle(put)
        })
    }
}
