//! The session: prepared statements of three kinds, each with the errors that it can end with.
//!
//! A read and a plain write are idempotent, so they are tried again here. A conditional statement is not:
//! it is sent once, and whoever sent it settles an unknown outcome.

use crate::failure::{self, Effect};
use crate::health::SharedHealth;
use futures_util::stream::{self, Buffered, Iter, StreamExt, TryCollect, TryStreamExt};
use rookery_engine::metrics::StoreMetrics;
use rookery_engine::store::StoreError;
use scylla::client::session::Session;
use scylla::errors::{ExecutionError, PrepareError};
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::Consistency;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};
use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;
use std::vec::IntoIter;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How often a read or a plain write is sent at most.
const TRIES: u32 = 5;

/// No request is sent again after that; it is as long as a client waits.
const TRY_WITHIN: Duration = Duration::from_secs(5);

/// The longest pause before the second try; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Rows of one answer; a longer result comes in several.
const PAGE_ROWS: i32 = 1000;

/// Requests that one call has under way at once.
pub(crate) const AT_ONCE: usize = 32;

/// A statement that reads.
#[derive(Clone, Debug)]
pub(crate) struct Read(Box<PreparedStatement>);

/// A statement that writes without a condition: sent again it changes nothing more.
#[derive(Clone, Debug)]
pub(crate) struct Write(Box<PreparedStatement>);

/// A statement with a condition (`IF …`).
#[derive(Clone, Debug)]
pub(crate) struct Conditional(Box<PreparedStatement>);

/// What a conditional statement answered.
#[derive(Debug)]
pub(crate) struct Decided {
    /// Whether the condition held and the write is done.
    pub(crate) applied: bool,
    names: Vec<String>,
    rows: Vec<Row>,
}

impl Decided {
    /// Returns the present value of `column`, as the answer to a condition that did not hold has it.
    pub(crate) fn value(&self, column: &str) -> Option<&CqlValue> {
        let index = self.names.iter().position(|name| name == column)?;
        self.rows.iter().find_map(|row| row.columns.get(index)?.as_ref())
    }
}

/// One plain write of a batch: the statement and its values.
pub(crate) type Bound<'a> = (&'a Write, Box<dyn SerializeRow + Send + Sync + 'a>);

/// Pairs a plain write with its values.
pub(crate) fn bound<'a>(statement: &'a Write, values: impl SerializeRow + Send + Sync + 'a) -> Bound<'a> {
    (statement, Box::new(values))
}

/// Futures of a list, some at once, and what they came to.
pub(crate) type AllOf<F, T> = TryCollect<Buffered<Iter<IntoIter<F>>>, Vec<T>>;

/// A session of the driver, with a bound on what it has under way.
#[derive(Debug)]
pub(crate) struct Cql {
    session: Session,
    permits: Semaphore,
    health: SharedHealth,
    metrics: StoreMetrics,
}

impl Cql {
    pub(crate) fn new(session: Session, requests: usize, health: SharedHealth) -> Self {
        let (permits, metrics) = (Semaphore::new(requests.max(1)), StoreMetrics::none());
        Self { session, permits, health, metrics }
    }

    /// Has requests counted.
    pub(crate) fn counted_by(self, metrics: StoreMetrics) -> Self {
        Self { metrics, ..self }
    }

    pub(crate) async fn read_statement(&self, text: &str) -> Result<Read, PrepareError> {
        Ok(Read(self.prepare(text, true).await?))
    }

    /// Prepares a read that settles conditional writes which are under way, and sees them.
    pub(crate) async fn settling_statement(&self, text: &str) -> Result<Read, PrepareError> {
        let Read(mut statement) = self.read_statement(text).await?;
        statement.set_consistency(Consistency::LocalSerial);
        Ok(Read(statement))
    }

    pub(crate) async fn write_statement(&self, text: &str) -> Result<Write, PrepareError> {
        Ok(Write(self.prepare(text, true).await?))
    }

    pub(crate) async fn conditional_statement(&self, text: &str) -> Result<Conditional, PrepareError> {
        Ok(Conditional(self.prepare(text, false).await?))
    }

    async fn prepare(&self, text: &str, is_idempotent: bool) -> Result<Box<PreparedStatement>, PrepareError> {
        let mut statement = self.session.prepare(text).await?;
        statement.set_is_idempotent(is_idempotent);
        statement.set_page_size(PAGE_ROWS);
        // In a box, as a store has more than a hundred.
        Ok(Box::new(statement))
    }

    /// Reads all rows of an answer.
    pub(crate) async fn rows<R>(&self, read: &Read, values: impl SerializeRow) -> Result<Vec<R>, StoreError>
    where
        R: for<'frame> scylla::deserialize::row::DeserializeRow<'frame, 'frame>,
    {
        let mut rows = Vec::new();
        self.each(read, values, |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(rows)
    }

    /// Reads the only row of an answer, if there is one.
    pub(crate) async fn row<R>(&self, read: &Read, values: impl SerializeRow) -> Result<Option<R>, StoreError>
    where
        R: for<'frame> scylla::deserialize::row::DeserializeRow<'frame, 'frame>,
    {
        Ok(self.rows(read, values).await?.pop())
    }

    /// Gives `take` one row after another until it has enough; pages are fetched as they are needed.
    pub(crate) async fn each<R>(
        &self,
        read: &Read,
        values: impl SerializeRow,
        mut take: impl FnMut(R) -> ControlFlow<()>,
    ) -> Result<(), StoreError>
    where
        R: for<'frame> scylla::deserialize::row::DeserializeRow<'frame, 'frame>,
    {
        let mut state = PagingState::start();
        loop {
            let page = || self.session.execute_single_page(&read.0, &values, state.clone());
            let (result, next) = self.tried(Effect::None, page).await?;
            let result = result.into_rows_result().map_err(|error| StoreError::Fatal(error.to_string()))?;
            let rows = result.rows::<R>().map_err(|error| StoreError::Fatal(error.to_string()))?;
            for row in rows {
                if take(row.map_err(|error| StoreError::Fatal(error.to_string()))?).is_break() {
                    return Ok(());
                }
            }
            match next {
                PagingStateResponse::HasMorePages { state: next } => state = next,
                PagingStateResponse::NoMorePages => return Ok(()),
            }
        }
    }

    /// Reads at most `rows` of the rows of a read without values, from where an earlier page has ended, and
    /// where this one does.
    pub(crate) async fn page<R>(
        &self,
        read: &Read,
        after: Option<Vec<u8>>,
        rows: usize,
    ) -> Result<(Vec<R>, Option<Vec<u8>>), StoreError>
    where
        R: for<'frame> scylla::deserialize::row::DeserializeRow<'frame, 'frame>,
    {
        let mut statement = (*read.0).clone();
        statement.set_page_size(i32::try_from(rows).unwrap_or(i32::MAX).clamp(1, PAGE_ROWS));
        let state = after.map_or_else(PagingState::start, PagingState::new_from_raw_bytes);
        let page = || self.session.execute_single_page(&statement, (), state.clone());
        let (result, next) = self.tried(Effect::None, page).await?;
        let result = result.into_rows_result().map_err(|error| StoreError::Fatal(error.to_string()))?;
        let found = result.rows::<R>().map_err(|error| StoreError::Fatal(error.to_string()))?;
        let found: Result<Vec<R>, _> = found.collect();
        let next = match next {
            PagingStateResponse::HasMorePages { state } => state.as_bytes_slice().map(|place| place.to_vec()),
            PagingStateResponse::NoMorePages => None,
        };
        Ok((found.map_err(|error| StoreError::Fatal(error.to_string()))?, next))
    }

    /// Writes; `Ok` means durable.
    pub(crate) async fn write(&self, write: &Write, values: impl SerializeRow) -> Result<(), StoreError> {
        self.tried(Effect::Write, || self.session.execute_unpaged(&write.0, &values)).await.map(drop)
    }

    /// Writes rows of one partition as one.
    pub(crate) async fn write_together(&self, writes: &[Bound<'_>]) -> Result<(), StoreError> {
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        for (statement, _) in writes {
            batch.append_statement((*statement.0).clone());
        }
        let values: Vec<&(dyn SerializeRow + Send + Sync)> =
            writes.iter().map(|(_, values)| &**values).collect();
        if values.is_empty() {
            return Ok(());
        }
        self.tried(Effect::Write, || self.session.batch(&batch, &values)).await.map(drop)
    }

    /// Sends a conditional statement once.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] is settled by sending the identical statement again: an answer then is about
    /// both. That it does not hold the second time may mean that it was applied the first time.
    pub(crate) async fn decide(
        &self,
        statement: &Conditional,
        values: impl SerializeRow,
    ) -> Result<Decided, StoreError> {
        let sent =
            self.once(Effect::Conditional, || self.session.execute_unpaged(&statement.0, &values)).await?;
        decided(sent)
    }

    /// Sends a conditional batch of one partition once; as [`Cql::decide`].
    pub(crate) async fn decide_together(
        &self,
        conditions: &[(&Conditional, Box<dyn SerializeRow + Send + Sync + '_>)],
        writes: &[Bound<'_>],
    ) -> Result<Decided, StoreError> {
        let mut batch = Batch::new(BatchType::Unlogged);
        let mut values: Vec<&(dyn SerializeRow + Send + Sync)> = Vec::new();
        for (statement, bound) in conditions {
            batch.append_statement((*statement.0).clone());
            values.push(&**bound);
        }
        for (statement, bound) in writes {
            batch.append_statement((*statement.0).clone());
            values.push(&**bound);
        }
        let sent = self.once(Effect::Conditional, || self.session.batch(&batch, &values)).await?;
        decided(sent)
    }

    /// Sends a conditional statement that may be applied again, until its outcome is known.
    pub(crate) async fn settled<F>(&self, decide: impl Fn() -> F) -> Result<Decided, StoreError>
    where
        F: Future<Output = Result<Decided, StoreError>>,
    {
        retried(decide).await
    }

    /// Does `work` for each of `items`, some at once; the results are in the order of the items.
    pub(crate) fn for_each<I, T, F>(
        items: impl IntoIterator<Item = I>,
        work: impl FnMut(I) -> F,
    ) -> AllOf<F, T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let work: Vec<F> = items.into_iter().map(work).collect();
        stream::iter(work).buffered(AT_ONCE).try_collect()
    }

    async fn tried<T, F>(&self, effect: Effect, send: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, ExecutionError>>,
    {
        retried(|| self.once(effect, &send)).await
    }

    async fn once<T, F>(&self, effect: Effect, send: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, ExecutionError>>,
    {
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|_| StoreError::Refused("the store is closed".to_owned()))?;
        let begun = Instant::now();
        let outcome = send().await;
        self.metrics.cql_seconds.record(begun.elapsed().as_secs_f64());
        self.metrics.cql_requests.at(usize::from(outcome.is_err())).increment(1);
        match outcome {
            Ok(answer) => {
                self.health.answered();
                Ok(answer)
            }
            Err(error) => {
                let meaning = failure::meaning(&error, effect);
                if failure::is_cluster_away(&error) {
                    self.health.away(&error.to_string());
                }
                Err(meaning)
            }
        }
    }

    /// Refuses everything from now on, once what is under way has been answered.
    pub(crate) async fn close(&self, requests: usize) {
        let all = u32::try_from(requests.max(1)).unwrap_or(u32::MAX);
        drop(self.permits.acquire_many(all).await);
        self.permits.close();
    }
}

/// Does what may be done again until it succeeds, has been tried often enough or has taken too long. Once a
/// try had an unknown outcome no refusal of a later one makes it known.
async fn retried<T, F>(work: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let (began, mut pause, mut unknown) = (Instant::now(), FIRST_PAUSE, None);
    for tried in 1.. {
        let error = match work().await {
            Err(StoreError::Refused(reason)) => StoreError::Refused(reason),
            Err(StoreError::Unknown(reason)) => {
                unknown = Some(reason.clone());
                StoreError::Unknown(reason)
            }
            answer => return answer,
        };
        if tried >= TRIES || began.elapsed() >= TRY_WITHIN {
            return Err(unknown.map_or(error, StoreError::Unknown));
        }
        tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
        pause *= 2;
    }
    Err(StoreError::Refused("it was not tried".to_owned()))
}

fn decided(sent: QueryResult) -> Result<Decided, StoreError> {
    let failed = |error: &dyn std::error::Error| StoreError::Unknown(error.to_string());
    let result = sent.into_rows_result().map_err(|error| failed(&error))?;
    let names: Vec<_> = result.column_specs().iter().map(|spec| spec.name().to_owned()).collect();
    let rows: Vec<Row> = result
        .rows::<Row>()
        .map_err(|error| failed(&error))?
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))?;
    let mut decided = Decided { applied: false, names, rows };
    decided.applied = decided.value("[applied]").is_some_and(|value| *value == CqlValue::Boolean(true));
    Ok(decided)
}
