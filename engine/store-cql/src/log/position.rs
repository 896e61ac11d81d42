//! Where a log stands.

use crate::CqlStore;
use crate::bucket::Bucket;
use crate::columns::{decode, seq};
use crate::log::bucket_column;
use crate::project::{Standing, Tail, settle};
use crate::rooms;
use rookery_engine::store::StoreError;
use rookery_protocol::{RoomId, Seq};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use tokio::sync::{Mutex, MutexGuard};

/// Appends of this many rooms go on at once; two rooms of one lane wait for each other.
const LANES: usize = 1024;

/// Rooms whose standing one lane remembers: 16 are 16,384 in all, of about 300 bytes.
const ROOMS_PER_LANE: usize = 16;

/// Rooms in doubt that one lane remembers. Each is settled by its next append; there are more only where
/// rooms are given up one after another while the cluster is away.
const DOUBTS_PER_LANE: usize = 64;

/// One append a room at a time, and where the rooms stood after the newest one.
///
/// A standing that is remembered may be out of date when another node appends; then the append that relies
/// on it loses.
#[derive(Debug)]
pub(crate) struct Lanes(Vec<Mutex<Lane>>);

/// What one lane remembers of its rooms.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// All up to them has been put.
    standings: HashMap<RoomId, Standing>,
    /// Rooms with a batch of which it is not known whether it is applied, or will be. No read settles that,
    /// only the next batch that is decided.
    in_doubt: HashSet<RoomId>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Self((0..LANES).map(|_| Mutex::default()).collect())
    }

    /// Returns the lane of `room`, once nobody else has it.
    pub(super) async fn lane(&self, room: RoomId) -> MutexGuard<'_, Lane> {
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(room);
        let index = usize::try_from(hash % LANES as u64).unwrap_or(0);
        self.0[index].lock().await
    }
}

impl Lane {
    /// Takes what is remembered of `room`: from then on it is not, until it is known again.
    pub(super) fn take(&mut self, room: RoomId) -> Option<Standing> {
        self.standings.remove(&room)
    }

    pub(super) fn remember(&mut self, room: RoomId, standing: Standing) {
        if self.standings.len() >= ROOMS_PER_LANE {
            self.standings.clear();
        }
        self.standings.insert(room, standing);
    }

    pub(super) fn is_in_doubt(&self, room: RoomId) -> bool {
        self.in_doubt.contains(&room)
    }

    pub(super) fn doubt(&mut self, room: RoomId) {
        if self.in_doubt.len() >= DOUBTS_PER_LANE {
            self.in_doubt.clear();
        }
        self.in_doubt.insert(room);
    }

    pub(super) fn know(&mut self, room: RoomId) {
        self.in_doubt.remove(&room);
    }
}

/// Returns where the log of `room` stands, after putting what an append that was interrupted has left.
/// `None` is a log without events.
pub(crate) async fn current(store: &CqlStore, room: RoomId) -> Result<Option<Standing>, StoreError> {
    let known = rooms::standing(store, room).await?;
    let from = known.as_ref().map_or(0, |known| known.bucket);
    let Some((head, tail)) = newest_batch(store, room, from).await? else { return Ok(None) };
    if let Some(known) = known.filter(|known| known.head.seq == head) {
        return Ok(Some(known));
    }
    let tail: Tail = decode(&tail)?;
    settle(store, room, &tail).await?;
    Ok(Some(tail.standing))
}

/// Returns the newest head and its tail. `from` is a bucket that has events, or the first.
async fn newest_batch(
    store: &CqlStore,
    room: RoomId,
    from: Bucket,
) -> Result<Option<(Seq, Vec<u8>)>, StoreError> {
    let (mut bucket, mut newest) = (from, None);
    loop {
        let Some((head, tail)) = head_of(store, room, bucket).await? else { return Ok(newest) };
        newest = Some((head, tail));
        let next = store.buckets.of(head.next());
        if next == bucket {
            return Ok(newest);
        }
        bucket = next;
    }
}

async fn head_of(
    store: &CqlStore,
    room: RoomId,
    bucket: Bucket,
) -> Result<Option<(Seq, Vec<u8>)>, StoreError> {
    type Row = (uuid::Uuid, i64, Option<i64>, Option<Vec<u8>>);
    let row = store.cql.row::<Row>(&store.log.head, (room.0, bucket_column(bucket))).await?;
    Ok(row.and_then(|(_, _, head, tail)| Some((seq(head?), tail?))))
}
