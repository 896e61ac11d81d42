//! Messages as they are now: an entry of the log with what became of it.

use crate::CqlStore;
use crate::columns::{decode, integer, seq};
use crate::cql::{Cql, Read};
use crate::log::{entries, entries_at};
use crate::project::State;
use rookery_engine::store::{Range, StoreError};
use rookery_protocol::{Event, EventBody, Message, Reaction, RoomId, Seq, UserId};
use scylla::errors::PrepareError;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use crate::log::bucket_of_message;

/// Messages that one request asks for.
const MESSAGES: usize = 100;

/// The statements that read what became of messages.
#[derive(Debug)]
pub(crate) struct MessageStatements {
    states: Read,
    reactions: Read,
}

impl MessageStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            states: cql
                .read_statement("SELECT seq, state FROM changes WHERE room = ? AND bucket = ? AND seq IN ?")
                .await?,
            reactions: cql
                .read_statement(
                    "SELECT seq, emoji, is_live FROM reactions
                        WHERE room = ? AND bucket = ? AND user = ? AND seq IN ?",
                )
                .await?,
        })
    }
}

/// Reads at most `limit` entries of a page as they are now.
pub(crate) async fn page(
    store: &CqlStore,
    room: RoomId,
    range: Range,
    (limit, reader): (usize, UserId),
) -> Result<Vec<Message>, StoreError> {
    let events = entries(store, room, range, limit).await?;
    shown(store, room, events, reader).await
}

/// Reads the entries at these positions as they are now.
pub(crate) async fn at(
    store: &CqlStore,
    room: RoomId,
    seqs: &[Seq],
    reader: UserId,
) -> Result<Vec<Message>, StoreError> {
    let seqs: Vec<Seq> = seqs.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let events = entries_at(store, room, &seqs).await?;
    shown(store, room, events, reader).await
}

async fn shown(
    store: &CqlStore,
    room: RoomId,
    events: Vec<Event>,
    reader: UserId,
) -> Result<Vec<Message>, StoreError> {
    let seqs: Vec<Seq> = events.iter().map(|event| event.seq).collect();
    let mut states = states(store, room, &seqs).await?;
    let with_reactions = states.iter().filter(|(_, state)| !state.reactions.is_empty());
    let with_reactions: Vec<Seq> = with_reactions.map(|(seq, _)| *seq).collect();
    let mine = reactions_of(store, room, reader, &with_reactions).await?;
    events.into_iter().map(|event| show(&mut states, &mine, event)).collect()
}

fn show(
    states: &mut BTreeMap<Seq, State>,
    mine: &BTreeSet<(Seq, String)>,
    event: Event,
) -> Result<Message, StoreError> {
    let state = states.remove(&event.seq).unwrap_or_default();
    let seq = event.seq;
    let mut message = Message {
        event,
        rev: state.rev,
        edited_at: None,
        deleted: state.is_deleted,
        reactions: Vec::new(),
        pinned: state.is_pinned,
        quoted: None,
    };
    if let Some((at, text)) = state.edited {
        message.edited_at = Some(at);
        let body = EventBody::from_json("message", &text);
        message.event.body = body.map_err(|error| crate::columns::corrupt(&error))?;
    }
    if state.is_deleted {
        // The log says so a moment later.
        message.event.body = message.event.body.emptied();
    }
    let told = state.reactions.into_iter().map(|(emoji, count)| {
        let mine = mine.contains(&(seq, emoji.clone()));
        Reaction { emoji, count, mine }
    });
    message.reactions = told.collect();
    Ok(message)
}

/// Returns what became of the messages at these positions, of those that something became of.
pub(crate) async fn states(
    store: &CqlStore,
    room: RoomId,
    seqs: &[Seq],
) -> Result<BTreeMap<Seq, State>, StoreError> {
    let found = Cql::for_each(by_bucket(store, seqs), |(bucket, seqs)| {
        store.cql.rows::<(i64, Vec<u8>)>(&store.messages.states, (room.0, bucket, seqs))
    });
    let rows = found.await?.into_iter().flatten();
    rows.map(|(place, state)| Ok((seq(place), decode(&state)?))).collect()
}

/// Returns the emoji that `user` has set on the messages at these positions.
async fn reactions_of(
    store: &CqlStore,
    room: RoomId,
    user: UserId,
    seqs: &[Seq],
) -> Result<BTreeSet<(Seq, String)>, StoreError> {
    let found = Cql::for_each(by_bucket(store, seqs), |(bucket, seqs)| {
        let values = (room.0, bucket, user.0, seqs);
        store.cql.rows::<(i64, String, bool)>(&store.messages.reactions, values)
    });
    let rows = found.await?.into_iter().flatten();
    Ok(rows.filter(|(.., is_live)| *is_live).map(|(place, emoji, _)| (seq(place), emoji)).collect())
}

/// Returns whether a user has set an emoji on a message.
pub(crate) async fn is_set(
    store: &CqlStore,
    room: RoomId,
    (seq, user, emoji): &(Seq, UserId, String),
) -> Result<bool, StoreError> {
    let set = reactions_of(store, room, *user, &[*seq]).await?;
    Ok(set.contains(&(*seq, emoji.clone())))
}

/// Returns the positions by their own bucket, so many at a time.
fn by_bucket(store: &CqlStore, seqs: &[Seq]) -> Vec<(i64, Vec<i64>)> {
    let mut buckets: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for seq in seqs {
        buckets.entry(integer(store.buckets.of(*seq))).or_default().push(integer(seq.0));
    }
    let chunks = buckets.into_iter().flat_map(|(bucket, seqs)| {
        let chunks: Vec<_> = seqs.chunks(MESSAGES).map(|seqs| (bucket, seqs.to_vec())).collect();
        chunks
    });
    chunks.collect()
}
