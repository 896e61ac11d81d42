//! Compare-and-append: one conditional batch in one partition.
//!
//! ```text
//! head known and put --> names free? --> what follows --> UPDATE … IF head = expected + the events --> put it
//! ```
//!
//! **Exactly once.** All up to the expected head has been put before names are looked up, so every name up to
//! there is found. The batch is applied only if nobody has appended since, so no name can have come between.
//!
//! **A new bucket** begins where its partition has no head, and where the one before has exactly the expected
//! head. That one stays so for ever: whoever expects it appends to the new bucket, whoever expects another
//! head loses.
//!
//! **Unknown.** A batch whose answer was lost may still be applied, later. The identical one sent again is
//! decided after it: either that one is applied, or what is at the batch's first position says whose it is.

use super::bucket_column;
use super::position::{self, Lane};
use crate::CqlStore;
use crate::columns::{encode, integer};
use crate::cql::{Bound, bound};
use crate::project::{Known, Resolved, Standing, Tail, resolve, settle};
use rookery_engine::store::{Append, AppendError, StoreError};
use rookery_protocol::{ClientId, Event, RoomId, Seq, UserId};
use scylla::serialize::row::SerializeRow;
use scylla::value::MaybeUnset;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;
use uuid::Uuid;

/// How often one batch is sent before its outcome is told to be unknown.
const SENDS: u32 = 3;

/// The longest pause before it is sent again. Two writers of one room wait for each other about as long.
const SEND_AGAIN: Duration = Duration::from_millis(50);

/// Bytes of one batch with what follows from it.
///
/// A server refuses for ever what is above half of a segment of its commit log: 16 MiB at Cassandra's 32 MiB.
/// The largest of ours are below 1 MiB.
const APPEND_BYTES: usize = 4 << 20;

pub(super) async fn append(store: &CqlStore, append: Append) -> Result<(), AppendError> {
    append.check()?;
    let room = append.room;
    let mut lane = store.lanes.lane(room).await;
    let was_in_doubt = lane.is_in_doubt(room);
    let answer = decide(store, &append, &mut lane).await;
    match answer {
        // Of this call it is certain; of one before it, which may have been for the same batch, it is not.
        Err(AppendError::Store(StoreError::Refused(reason))) if was_in_doubt => {
            lane.doubt(room);
            Err(StoreError::Unknown(reason).into())
        }
        Err(
            AppendError::Duplicate { .. } | AppendError::Store(StoreError::Unknown(_) | StoreError::Fatal(_)),
        ) => answer,
        answer => {
            lane.know(room);
            answer
        }
    }
}

async fn decide(store: &CqlStore, append: &Append, lane: &mut Lane) -> Result<(), AppendError> {
    let Append { room, expected, .. } = *append;
    let standing = match lane.take(room).filter(|standing| standing.head.seq == expected) {
        Some(standing) => Some(standing),
        None => position::current(store, room).await.map_err(before)?,
    };
    let head = standing.as_ref().map_or(Seq::ZERO, |standing| standing.head.seq);
    let duplicate = if head == expected { duplicate(store, append).await? } else { None };
    if head != expected || duplicate.is_some() {
        if let Some(standing) = standing {
            lane.remember(room, standing);
        }
        return Err(match duplicate {
            Some((by, client_id)) => AppendError::Duplicate { by, client_id },
            None => AppendError::Stale { expected, head },
        });
    }
    let bucket = store.buckets.of(expected.next());
    let is_first = standing.as_ref().is_none_or(|standing| standing.bucket != bucket);
    let known = Known::read(store, append, standing.as_ref()).await.map_err(before)?;
    let Resolved { standing: after, puts, emptied } = resolve(append, known, bucket)?;
    let tail = Tail { standing: after, puts };
    // From here on, also where this future is dropped.
    lane.doubt(room);
    if !commit(store, append, &tail, &emptied, is_first).await? {
        let head = position::current(store, room).await.map_err(before)?;
        let head = head.map_or(Seq::ZERO, |standing| standing.head.seq);
        return Err(AppendError::Stale { expected, head });
    }
    // It is in the log, but not all that follows from it can be read until this is done.
    settle(store, room, &tail).await.map_err(|error| StoreError::Unknown(error.to_string()))?;
    lane.remember(room, tail.standing);
    Ok(())
}

/// Returns an error from before the batch was sent: nothing of it was applied.
fn before(error: StoreError) -> StoreError {
    match error {
        StoreError::Unknown(reason) => StoreError::Refused(reason),
        error => error,
    }
}

/// Returns the first event of the batch whose name is in the log already, or in the batch before it.
async fn duplicate(store: &CqlStore, append: &Append) -> Result<Option<(UserId, ClientId)>, StoreError> {
    let named = || append.events.iter().filter_map(|event| Some((event.by, event.client_id?)));
    let mut asked: BTreeMap<(UserId, i32), Vec<Uuid>> = BTreeMap::new();
    for (by, client_id) in named() {
        asked.entry((by, super::era(client_id))).or_default().push(client_id.0);
    }
    let room = append.room;
    let found = crate::cql::Cql::for_each(asked, |((by, era), names)| async move {
        let rows = store.cql.rows::<super::NameRow>(&store.log.names, (room.0, by.0, era, names)).await?;
        Ok(rows.into_iter().map(|(name, ..)| (by, ClientId(name))).collect::<Vec<_>>())
    });
    let mut taken: HashSet<(UserId, ClientId)> = found.await?.into_iter().flatten().collect();
    Ok(named().find(|name| !taken.insert(*name)))
}

/// Sends the batch until it is known whether it was applied. `is_first` is whether it begins its bucket.
async fn commit(
    store: &CqlStore,
    append: &Append,
    tail: &Tail,
    emptied: &BTreeSet<Seq>,
    is_first: bool,
) -> Result<bool, AppendError> {
    let Standing { head, bucket, .. } = &tail.standing;
    let place = Place { room: append.room, bucket: bucket_column(*bucket) };
    let attempt = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid();
    let tail = encode(tail)?;
    let mut bytes = tail.len();
    let mut events: Vec<Bound<'_>> = Vec::new();
    for event in append.events.iter() {
        let is_emptied = emptied.contains(&event.seq);
        let body = if is_emptied { event.body.clone().emptied() } else { event.body.clone() };
        let body = body.to_json().map_err(|error| StoreError::Refused(error.to_string()))?;
        bytes += body.len();
        events.push(insert(store, place, event, body, attempt));
    }
    if bytes > APPEND_BYTES {
        return Err(StoreError::Refused(format!("a batch of {bytes} bytes")).into());
    }
    let expected = (!is_first).then_some(integer(append.expected.0));
    let values = (integer(head.seq.0), tail, place.room.0, place.bucket, expected);
    let condition: [(_, Box<dyn SerializeRow + Send + Sync>); 1] = [(&store.log.move_head, Box::new(values))];
    let mut unknown = None;
    for sent in 1..=SENDS {
        match store.cql.decide_together(&condition, &events).await {
            Ok(decided) if decided.applied => return Ok(true),
            Ok(_) if unknown.is_none() => return Ok(false),
            Ok(_) => return Ok(is_ours(store, place, &append.events[0], attempt).await?),
            Err(StoreError::Unknown(reason)) => unknown = Some(reason),
            Err(StoreError::Refused(_)) if unknown.is_some() => {}
            Err(error) => return Err(error.into()),
        }
        if sent < SENDS {
            tokio::time::sleep(SEND_AGAIN.mul_f64(fastrand::f64())).await;
        }
    }
    Err(StoreError::Unknown(unknown.unwrap_or_default()).into())
}

/// The partition that a batch goes to.
#[derive(Clone, Copy, Debug)]
struct Place {
    room: RoomId,
    bucket: i64,
}

fn insert<'a>(store: &'a CqlStore, place: Place, event: &'a Event, body: String, attempt: Uuid) -> Bound<'a> {
    // What is not there is not written either: a NULL would be a tombstone.
    let position = |seq: Option<Seq>| MaybeUnset::from_option(seq.map(|seq| integer(seq.0)));
    let values = (
        place.room.0,
        place.bucket,
        event.body.is_change(),
        integer(event.seq.0),
        integer(event.ord),
        event.at.0,
        event.by.0,
        event.body.kind(),
        MaybeUnset::from_option(event.client_id.map(|client_id| client_id.0)),
        position(event.target),
        position(event.reply_to),
        body,
        attempt,
    );
    bound(&store.log.insert, values)
}

/// Returns whether the event that is at the place of our first one is from this attempt.
async fn is_ours(store: &CqlStore, place: Place, first: &Event, attempt: Uuid) -> Result<bool, StoreError> {
    let values = (place.room.0, place.bucket, first.body.is_change(), integer(first.seq.0));
    match store.cql.row::<(Option<Uuid>,)>(&store.log.attempt, values).await {
        Ok(row) => Ok(row.is_some_and(|(found,)| found == Some(attempt))),
        // It was decided, but cannot be read at the moment.
        Err(error) => Err(StoreError::Unknown(error.to_string())),
    }
}
