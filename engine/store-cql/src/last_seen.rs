//! When users were last there. A moment is written with itself as its timestamp, so the servers keep the
//! latest one, whatever comes when.

use crate::CqlStore;
use crate::cql::{Cql, Read, Write};
use rookery_engine::store::{Answer, LastSeen};
use rookery_protocol::{Timestamp, UserId};
use scylla::errors::PrepareError;
use std::collections::BTreeSet;

/// The statements.
#[derive(Debug)]
pub(crate) struct LastSeenStatements {
    note: Write,
    read: Read,
}

impl LastSeenStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            note: cql
                .write_statement("INSERT INTO last_seen (user_id, at) VALUES (?, ?) USING TIMESTAMP ?")
                .await?,
            read: cql.read_statement("SELECT at FROM last_seen WHERE user_id = ?").await?,
        })
    }
}

impl LastSeen for CqlStore {
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        Box::pin(async move {
            Cql::for_each(seen.iter().copied(), async |(user, at)| {
                self.cql.write(&self.last_seen.note, (user.0, at.0, at.0)).await
            })
            .await
            .map(drop)
        })
    }

    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        Box::pin(async move {
            let users: BTreeSet<_> = users.iter().copied().collect();
            let found = Cql::for_each(users, async |user| {
                let at = self.cql.row::<(i64,)>(&self.last_seen.read, (user.0,)).await?;
                Ok(at.map(|(at,)| (user, Timestamp(at))))
            })
            .await?;
            Ok(found.into_iter().flatten().collect())
        })
    }
}
