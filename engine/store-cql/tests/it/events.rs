//! Batches of one room.

use rookery_engine::store::{Append, AppendError, Log, Range, StoreError};
use rookery_protocol::{ClientId, Event, EventBody, MessageBody, RoomId, Seq, Timestamp, UserId};
use rookery_store_cql::CqlStore;
use uuid::Uuid;

pub(crate) const ROOM: RoomId = RoomId(Uuid::from_u128(0xa000_0001));

pub(crate) const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(0xb000_0000 + number))
}

pub(crate) const fn name(number: u128) -> ClientId {
    ClientId(Uuid::from_u128((number << 100) + number))
}

/// Returns a message at `seq`; every event is a message.
pub(crate) fn message(seq: Seq, by: UserId, client_id: ClientId) -> Event {
    Event {
        room: ROOM,
        seq,
        ord: seq.0,
        at: Timestamp(1_700_000_000_000),
        by,
        client_id: Some(client_id),
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text(format!("{by} says {client_id}"))),
    }
}

/// What became of an append that was sent until it was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Applied,
    Duplicate,
}

/// Appends messages of these names after whatever the head is, as the home of the room does: again and again
/// until it is known what became of them.
pub(crate) async fn send(store: &CqlStore, by: UserId, names: &[ClientId]) -> Sent {
    let mut head = head(store).await;
    loop {
        let events = names.iter().zip(head.0 + 1..).map(|(name, seq)| message(Seq(seq), by, *name));
        let append = Append { room: ROOM, expected: head, events: events.collect(), projections: [].into() };
        match store.append(append).await {
            Ok(()) => return Sent::Applied,
            Err(AppendError::Duplicate { .. }) => return Sent::Duplicate,
            Err(AppendError::Stale { head: newest, .. }) => {
                if is_there(store, by, names, head).await {
                    return Sent::Applied;
                }
                head = newest;
            }
            Err(AppendError::Store(StoreError::Fatal(reason))) => panic!("{reason}"),
            Err(AppendError::Store(_)) => {}
        }
    }
}

/// Whether what follows `head` is what was to be appended there.
async fn is_there(store: &CqlStore, by: UserId, names: &[ClientId], head: Seq) -> bool {
    loop {
        if let Ok(found) = store.read(ROOM, Range::After(head), names.len()).await {
            let found: Vec<_> = found.iter().map(|event| (event.by, event.client_id)).collect();
            let sent: Vec<_> = names.iter().map(|name| (by, Some(*name))).collect();
            return found == sent;
        }
    }
}

/// Returns the head, once the store tells it.
pub(crate) async fn head(store: &CqlStore) -> Seq {
    loop {
        if let Ok(head) = store.head(ROOM).await {
            return head.map_or(Seq::ZERO, |head| head.seq);
        }
    }
}

/// Returns the whole log, which must be gapless and have every name once.
pub(crate) async fn whole_log(store: &CqlStore) -> Vec<Event> {
    let log = store.read(ROOM, Range::After(Seq::ZERO), usize::MAX).await.expect("read");
    let seqs: Vec<u64> = log.iter().map(|event| event.seq.0).collect();
    assert_eq!(seqs, (1..=log.len() as u64).collect::<Vec<_>>(), "gapless");
    let mut names: Vec<_> = log.iter().map(|event| (event.by, event.client_id)).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "each name once");
    log
}
