//! Reading events back. Nothing beyond a log's standing is shown: what follows from it may not be there yet.

use super::{bucket_column, limit};
use crate::CqlStore;
use crate::bucket::Bucket;
use crate::columns::{corrupt, count, integer, seq};
use crate::cql::Cql;
use crate::rooms;
use rookery_engine::store::{Range, StoreError};
use rookery_protocol::{ClientId, Event, EventBody, RoomId, Seq, Timestamp, UserId};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Positions that one request asks for.
const POSITIONS: usize = 100;

/// Buckets that are read at once at most, where one had too little.
const BUCKETS: usize = 8;

/// `seq, ord, at, author, type, client_id, target, reply_to, body`.
type EventRow = (i64, i64, i64, Uuid, String, Option<Uuid>, Option<i64>, Option<i64>, String);

fn event(room: RoomId, row: EventRow) -> Result<Event, StoreError> {
    let (place, ord, at, author, kind, client_id, target, reply_to, body) = row;
    Ok(Event {
        room,
        seq: seq(place),
        ord: count(ord),
        at: Timestamp(at),
        by: UserId(author),
        client_id: client_id.map(ClientId),
        target: target.map(seq),
        reply_to: reply_to.map(seq),
        body: EventBody::from_json(&kind, &body).map_err(|error| corrupt(&error))?,
    })
}

/// Reads at most `limit` events.
pub(super) async fn events(
    store: &CqlStore,
    room: RoomId,
    range: Range,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    slice(store, room, range, limit, &[false, true]).await
}

/// Reads at most `limit` events that are no changes of others.
pub(crate) async fn entries(
    store: &CqlStore,
    room: RoomId,
    range: Range,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    slice(store, room, range, limit, &[false]).await
}

/// Reads a range of events of these kinds (changes or not), ascending.
async fn slice(
    store: &CqlStore,
    room: RoomId,
    range: Range,
    limit: usize,
    kinds: &[bool],
) -> Result<Vec<Event>, StoreError> {
    let Some(standing) = rooms::standing(store, room).await?.filter(|_| limit > 0) else {
        return Ok(Vec::new());
    };
    let head = standing.head.seq;
    let (from, to) = match range {
        Range::After(after) if after >= head => return Ok(Vec::new()),
        Range::Before(before) if before <= Seq(1) => return Ok(Vec::new()),
        Range::After(after) => (after.next(), head),
        Range::Before(before) => (Seq(1), Seq(before.0 - 1).min(head)),
    };
    let (first, last) = (*store.buckets.places(from).start(), store.buckets.of(to).min(standing.bucket));
    let mut ahead: Box<dyn Iterator<Item = Bucket> + Send> = match range {
        Range::After(_) => Box::new(first..=last),
        Range::Before(_) => Box::new((first..=last).rev()),
    };
    let (mut found, mut at_once) = (Vec::new(), 1);
    while found.len() < limit {
        let buckets: Vec<Bucket> = ahead.by_ref().take(at_once).collect();
        if buckets.is_empty() {
            break;
        }
        let wanted = limit - found.len();
        let pages = buckets.into_iter().flat_map(|bucket| kinds.iter().map(move |kind| (bucket, *kind)));
        let pages = Cql::for_each(pages, |(bucket, kind)| part(store, (room, bucket), kind, (range, wanted)));
        found.extend(pages.await?.into_iter().flatten().filter(|event| event.seq <= head));
        at_once = (at_once * 2).min(BUCKETS);
    }
    found.sort_unstable_by_key(|event| event.seq);
    match range {
        Range::After(_) => found.truncate(limit),
        Range::Before(_) => drop(found.drain(..found.len().saturating_sub(limit))),
    }
    Ok(found)
}

/// Reads the part of a range that is in one bucket.
async fn part(
    store: &CqlStore,
    (room, bucket): (RoomId, Bucket),
    is_change: bool,
    (range, rows): (Range, usize),
) -> Result<Vec<Event>, StoreError> {
    let (statement, seq) = match range {
        Range::After(seq) => (&store.log.after, seq),
        Range::Before(seq) => (&store.log.before, seq),
    };
    let values = (room.0, bucket_column(bucket), is_change, integer(seq.0), limit(rows));
    let rows = store.cql.rows::<EventRow>(statement, values).await?;
    rows.into_iter().map(|row| event(room, row)).collect()
}

/// Reads the entries at these positions, ascending.
pub(crate) async fn entries_at(
    store: &CqlStore,
    room: RoomId,
    seqs: &[Seq],
) -> Result<Vec<Event>, StoreError> {
    let Some(standing) = rooms::standing(store, room).await?.filter(|_| !seqs.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut places: BTreeMap<Bucket, Vec<i64>> = BTreeMap::new();
    for seq in seqs.iter().filter(|seq| **seq > Seq::ZERO && **seq <= standing.head.seq) {
        for bucket in store.buckets.places(*seq) {
            places.entry(bucket).or_default().push(integer(seq.0));
        }
    }
    let asked =
        places.iter().flat_map(|(bucket, seqs)| seqs.chunks(POSITIONS).map(move |seqs| (*bucket, seqs)));
    let found = Cql::for_each(asked, |(bucket, seqs)| {
        let values = (room.0, bucket_column(bucket), false, seqs);
        store.cql.rows::<EventRow>(&store.log.at, values)
    });
    let rows = found.await?.into_iter().flatten();
    let mut events = rows.map(|row| event(room, row)).collect::<Result<Vec<_>, _>>()?;
    events.sort_unstable_by_key(|event| event.seq);
    events.dedup_by_key(|event| event.seq);
    Ok(events)
}

/// Returns the bucket of the message at `seq`; `None` where there is none.
pub(crate) async fn bucket_of_message(
    store: &CqlStore,
    room: RoomId,
    seq: Seq,
) -> Result<Option<Bucket>, StoreError> {
    for bucket in store.buckets.places(seq).rev() {
        let values = (room.0, bucket_column(bucket), false, vec![integer(seq.0)]);
        if let Some(row) = store.cql.row::<EventRow>(&store.log.at, values).await? {
            let is_message = event(room, row)?.body.kind() == "message";
            return Ok(is_message.then_some(bucket));
        }
    }
    Ok(None)
}

/// Returns the messages up to `seq`, a position of the log.
pub(crate) async fn ord_at(store: &CqlStore, room: RoomId, seq: Seq) -> Result<u64, StoreError> {
    for bucket in store.buckets.places(seq).rev() {
        let values = (room.0, bucket_column(bucket), integer(seq.0));
        if let Some((ord,)) = store.cql.row::<(i64,)>(&store.log.ord, values).await? {
            return Ok(count(ord));
        }
    }
    Ok(0)
}
