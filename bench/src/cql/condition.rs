//! One batch in one partition, with a condition and without: a head that moves, and a row.
//!
//! It is the driver alone, without the store: an append is such a batch with a condition, and what is read
//! before it and written after it.

use hdrhistogram::Histogram;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// Bytes of text in each row, as in an append of the bench.
const TEXT_BYTES: usize = 200;

/// Where it is written; nothing of the store is there.
const SCHEMA: [&str; 2] = [
    "CREATE KEYSPACE cost WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE cost.log (room uuid, seq bigint, head bigint static, body text, PRIMARY KEY (room, seq))",
];

/// A session with both batches.
#[derive(Debug)]
pub(super) struct Condition {
    session: Arc<Session>,
    plain: PreparedStatement,
    conditional: PreparedStatement,
    insert: PreparedStatement,
}

impl Condition {
    pub(super) async fn prepare(cassandra: &str) -> anyhow::Result<Self> {
        let session = SessionBuilder::new().known_node(cassandra).build().await?;
        for statement in SCHEMA {
            session.query_unpaged(statement, ()).await?;
        }
        let prepare = async |text| session.prepare(text).await;
        Ok(Self {
            plain: prepare("UPDATE cost.log SET head = ? WHERE room = ?").await?,
            conditional: prepare("UPDATE cost.log SET head = ? WHERE room = ? IF head = ?").await?,
            insert: prepare("INSERT INTO cost.log (room, seq, body) VALUES (?, ?, ?)").await?,
            session: Arc::new(session),
        })
    }

    /// Writes batch after batch into a partition of its own.
    pub(super) fn write_until(
        &self,
        is_conditional: bool,
        until: Instant,
    ) -> impl Future<Output = anyhow::Result<Histogram<u64>>> + Send + use<> {
        let session = Arc::clone(&self.session);
        let move_head = if is_conditional { &self.conditional } else { &self.plain };
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.append_statement(move_head.clone());
        batch.append_statement(self.insert.clone());
        async move {
            let room = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid();
            let text = "x".repeat(TEXT_BYTES);
            let mut latency = Histogram::new(3)?;
            let mut head: Option<i64> = None;
            while Instant::now() < until {
                let next = head.unwrap_or(0) + 1;
                let row: (Uuid, i64, &str) = (room, next, &text);
                let begun = Instant::now();
                if is_conditional {
                    session.batch(&batch, ((next, room, head), row)).await?;
                } else {
                    session.batch(&batch, ((next, room), row)).await?;
                }
                latency.record(u64::try_from(begun.elapsed().as_nanos())?)?;
                head = Some(next);
            }
            Ok(latency)
        }
    }
}
