//! Putting what follows from a batch.
//!
//! Everything is put before the standing is, so a standing says that all up to there has been put.

use super::{Put, Standing, Tail};
use crate::CqlStore;
use crate::columns::{encode, integer, ordered, role_word, stamp};
use crate::cql::{Bound, Conditional, Cql, bound};
use crate::{files, notices};
use rookery_engine::store::StoreError;
use rookery_protocol::{RoomId, Seq};
use scylla::serialize::row::SerializeRow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows of one partition that are written as one request.
const TOGETHER: usize = 32;

/// A table and a partition key in it, as far as it differs in one room.
type Partition = (&'static str, u128, u64);

/// Puts what follows from the newest batch of `room`, and then its standing. Any number of nodes may do so
/// at once, and again.
pub(crate) async fn settle(store: &CqlStore, room: RoomId, tail: &Tail) -> Result<(), StoreError> {
    let Tail { standing, puts } = tail;
    let mut plain: BTreeMap<Partition, Vec<Bound<'_>>> = BTreeMap::new();
    for put in puts {
        for (partition, write) in writes(store, room, standing, put)? {
            plain.entry(partition).or_default().push(write);
        }
    }
    let mut together = Vec::new();
    for mut writes in plain.into_values() {
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(TOGETHER));
            together.push(std::mem::replace(&mut writes, rest));
        }
    }
    Cql::for_each(together, |writes| async move { store.cql.write_together(&writes).await }).await?;
    for put in puts {
        match put {
            Put::Emptied { bucket, events } => {
                for events in events.chunks(TOGETHER) {
                    empty(store, (room, *bucket), events).await?;
                }
            }
            Put::Attach { seq, files, rev } => files::attach(store, (room, *seq), files, *rev).await?,
            Put::Finished { bucket, head } => finish(store, (room, *bucket), *head).await?,
            _ => {}
        }
    }
    let values = (stamp(standing.head.seq), encode(standing)?, room.0);
    store.cql.write(&store.log.put_standing, values).await
}

/// Returns the plain writes of one put, each with its partition.
fn writes<'a>(
    store: &'a CqlStore,
    room: RoomId,
    standing: &Standing,
    put: &'a Put,
) -> Result<Vec<(Partition, Bound<'a>)>, StoreError> {
    let room = room.0;
    let of_batch = stamp(standing.head.seq);
    let (log, places) = (&store.log, store.buckets);
    Ok(match put {
        Put::Name { by, client_id, seq, ord, at } => {
            let era = crate::log::era(*client_id);
            let values = (room, by.0, era, client_id.0, integer(seq.0), integer(*ord), at.0);
            vec![(("names", by.0.as_u128(), era.unsigned_abs().into()), bound(&log.put_name, values))]
        }
        Put::Record(record) => {
            let values = (stamp(record.rev), encode(record)?, room);
            vec![(("rooms", 0, 0), bound(&store.rooms.put_record, values))]
        }
        Put::Member { user, role, joined, joined_ord, rev } => {
            let (role, at) = (role_word(*role), stamp(*rev));
            let (joined, joined_ord, rev) = (integer(joined.0), integer(*joined_ord), integer(rev.0));
            let member = (at, role, joined, joined_ord, rev, room, ordered(user.0));
            let of_user = (at, role, user.0, room);
            vec![
                (("members", 0, 0), bound(&store.rooms.put_member, member)),
                (("user_rooms", user.0.as_u128(), 0), bound(&store.rooms.put_user_room, of_user)),
            ]
        }
        Put::Read { user, seq, ord } => {
            let values = (stamp(*seq), integer(seq.0), integer(*ord), room, ordered(user.0));
            vec![(("members", 0, 0), bound(&store.cursors.put_read, values))]
        }
        Put::Mention { user, seq, is_live } => {
            let user = user.map_or(Uuid::nil(), |user| user.0);
            let values = (room, user, integer(seq.0), *is_live, of_batch);
            vec![(("mentions", user.as_u128(), 0), bound(&log.put_mention, values))]
        }
        Put::State { seq, state } => {
            let bucket = places.of(*seq);
            let values = (room, integer(bucket), integer(seq.0), encode(state)?, of_batch);
            vec![(("changes", 0, bucket), bound(&log.put_state, values))]
        }
        Put::Reaction { seq, user, emoji, is_live } => {
            let bucket = places.of(*seq);
            let values = (room, integer(bucket), user.0, integer(seq.0), emoji, *is_live, of_batch);
            vec![(("reactions", user.0.as_u128(), bucket), bound(&log.put_reaction, values))]
        }
        Put::Edit { target, seq } => {
            let values = (room, integer(target.0), integer(seq.0), integer(standing.bucket));
            vec![(("edits", 0, target.0), bound(&log.put_edit, values))]
        }
        Put::Notice { user, room, seq, kind, by, at } => {
            let (shard, rev) = (notices::shard(*user), integer(standing.head.seq.0));
            let (user, room, seq) = (ordered(user.0), ordered(room.0), integer(seq.0));
            let values = (shard, user, room, seq, kind, by.0, at.0, rev, of_batch);
            vec![(("notices", 0, shard.unsigned_abs().into()), bound(&store.notices.put, values))]
        }
        Put::Emptied { .. } | Put::Attach { .. } | Put::Finished { .. } => Vec::new(),
    })
}

/// Takes the bodies of events away, each whether it is a change and its position.
async fn empty(
    store: &CqlStore,
    (room, bucket): (RoomId, u64),
    events: &[(bool, Seq)],
) -> Result<(), StoreError> {
    let values = events.iter().map(|(is_change, seq)| {
        let values = (room.0, integer(bucket), *is_change, integer(seq.0));
        let values: Box<dyn SerializeRow + Send + Sync> = Box::new(values);
        (&store.log.empty, values)
    });
    let statements: Vec<(&Conditional, _)> = values.collect();
    // That a row is not there has no reason but damage; then there is nothing to take away either.
    store.cql.settled(|| store.cql.decide_together(&statements, &[])).await.map(drop)
}

/// Lets go of what followed from the newest batch of a finished bucket.
async fn finish(store: &CqlStore, (room, bucket): (RoomId, u64), head: Seq) -> Result<(), StoreError> {
    let values = (Vec::<u8>::new(), room.0, integer(bucket), integer(head.0));
    store.cql.settled(|| store.cql.decide(&store.log.finish, values.clone())).await.map(drop)
}
