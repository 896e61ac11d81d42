//! How far the keyspace has been filled, and from what.

use crate::CqlStore;
use crate::columns::{count, integer};
use crate::cql::{Conditional, Cql, Read};
use rookery_engine::store::{Progress, StoreError};
use scylla::errors::PrepareError;
use uuid::Uuid;

/// The statements.
#[derive(Debug)]
pub(super) struct ProgressStatements {
    read: Read,
    begin: Conditional,
    note: Conditional,
    forget: Conditional,
}

impl ProgressStatements {
    pub(super) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            read: cql.settling_statement("SELECT backup, done FROM import WHERE one = 1").await?,
            begin: cql
                .conditional_statement(
                    "INSERT INTO import (one, backup, done) VALUES (1, ?, ?) IF NOT EXISTS",
                )
                .await?,
            note: cql.conditional_statement("UPDATE import SET done = ? WHERE one = 1 IF backup = ?").await?,
            forget: cql.conditional_statement("DELETE FROM import WHERE one = 1 IF EXISTS").await?,
        })
    }
}

pub(super) async fn read(store: &CqlStore) -> Result<Option<Progress>, StoreError> {
    let row = store.cql.row::<(Uuid, i64)>(&store.transfer.progress.read, ()).await?;
    Ok(row.map(|(backup, done)| Progress { backup, done: count(done) }))
}

/// Notes `progress`, unless somebody fills the keyspace from another backup.
pub(super) async fn note(store: &CqlStore, progress: Progress) -> Result<(), StoreError> {
    let ProgressStatements { begin, note, .. } = &store.transfer.progress;
    let Progress { backup, done } = progress;
    let done = integer(done);
    if store.cql.settled(|| store.cql.decide(note, (done, backup))).await?.applied {
        return Ok(());
    }
    if store.cql.settled(|| store.cql.decide(begin, (backup, done))).await?.applied
        || read(store).await? == Some(progress)
    {
        return Ok(());
    }
    Err(StoreError::Refused("the keyspace is being filled from another backup".to_owned()))
}

pub(super) async fn forget(store: &CqlStore) -> Result<(), StoreError> {
    store.cql.settled(|| store.cql.decide(&store.transfer.progress.forget, ())).await.map(drop)
}
