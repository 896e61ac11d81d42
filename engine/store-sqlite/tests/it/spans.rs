//! Logs that go over several spans of 4096 events read as if there were none.

use crate::scratch::{Scratch, open};
use rookery_engine::MemoryStore;
use rookery_engine::store::{Append, AppendError, Log, Projection, Range, Store};
use rookery_protocol::{
    ClientId, DeleteBody, EditBody, Event, EventBody, MessageBody, ReactionBody, RoomId, Seq, Timestamp,
    UserId,
};
use uuid::Uuid;

/// Events of one span, as in the schema.
const SPAN: u64 = 4096;

const BUSY: RoomId = RoomId(Uuid::from_u128(1));
const QUIET: RoomId = RoomId(Uuid::from_u128(2));

const READER: UserId = UserId(Uuid::from_u128(7));

#[tokio::test]
async fn pages_go_over_the_ends_of_spans() {
    let scratch = Scratch::new("spans");
    let (mut store, model) = (open(scratch.path()), MemoryStore::new());
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut heads = [(BUSY, 0), (QUIET, 0)];
    while heads[0].1 < 3 * SPAN {
        // The quiet room has a few events in each span.
        let (room, head) = &mut heads[usize::from(random.u8(0..40) == 0)];
        let append = changing(batch(*room, *head, random.u64(1..=64)), &mut random);
        *head += append.events.len() as u64;
        assert_eq!(store.append(append.clone()).await, Ok(()));
        model.append(append).await.expect("append");
    }
    for is_reopened in [false, true] {
        if is_reopened {
            store.close().await.expect("close");
            store = open(scratch.path());
        }
        for (room, head) in heads {
            assert_eq!(store.head(room).await, model.head(room).await);
            for _ in 0..100 {
                let seq = Seq(random.u64(0..head + 3));
                let limit = random.usize(0..200);
                for range in [Range::After(seq), Range::Before(seq)] {
                    let found = store.read(room, range, limit).await;
                    assert_eq!(found, model.read(room, range, limit).await, "{range:?}, at most {limit}");
                    let found = store.page(room, range, limit, READER).await;
                    let expected = model.page(room, range, limit, READER).await;
                    assert_eq!(found, expected, "a page {range:?}, at most {limit}");
                }
                let seqs: Vec<_> = (0..20).map(|_| Seq(random.u64(0..head + 3))).collect();
                let found = store.messages(room, &seqs, READER).await;
                assert_eq!(found, model.messages(room, &seqs, READER).await, "{seqs:?}");
            }
            let all = Range::After(Seq::ZERO);
            assert_eq!(store.read(room, all, usize::MAX).await, model.read(room, all, usize::MAX).await);
        }
    }
}

#[tokio::test]
async fn a_batch_is_taken_back_over_the_end_of_a_span() {
    let scratch = Scratch::new("undo");
    let store = open(scratch.path());
    let mut head = 0;
    while head < SPAN - 5 {
        let append = batch(BUSY, head, 64.min(SPAN - 5 - head));
        head += append.events.len() as u64;
        assert_eq!(store.append(append).await, Ok(()));
    }
    let mut events = batch(QUIET, 0, 10).events.to_vec();
    assert_eq!(store.append(batch(QUIET, 0, 1)).await, Ok(()));
    events.remove(0);
    // The last one repeats the room's first, when the batch has gone on in the next span already.
    let name = events[8].client_id.replace(ClientId(Uuid::from_u64_pair(2, 1))).expect("it had a name");
    let again =
        Append { room: QUIET, expected: Seq(1), events: events.clone().into(), projections: [].into() };
    let answer = store.append(again.clone()).await;
    assert!(matches!(answer, Err(AppendError::Duplicate { .. })), "{answer:?}");
    assert_eq!(store.read(QUIET, Range::After(Seq(1)), 100).await, Ok(vec![]));

    events[8].client_id = Some(name);
    assert_eq!(store.append(Append { events: events.clone().into(), ..again }).await, Ok(()));
    assert_eq!(store.read(QUIET, Range::After(Seq(1)), 100).await, Ok(events));
    assert_eq!(store.head(BUSY).await.map(|head| head.map(|head| head.seq)), Ok(Some(Seq(head))));
}

fn batch(room: RoomId, head: u64, events: u64) -> Append {
    let event = |seq| Event {
        room,
        seq: Seq(seq),
        ord: seq,
        at: Timestamp(1_700_000_000_000),
        by: READER,
        client_id: Some(ClientId(Uuid::from_u64_pair(room.0.as_u64_pair().1, seq))),
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text(format!("{seq}"))),
    };
    let events: Vec<_> = (head + 1..=head + events).map(event).collect();
    Append { room, expected: Seq(head), events: events.into(), projections: [].into() }
}

/// Makes most events of a batch changes of what is anywhere before them: now and then all of them.
fn changing(mut append: Append, random: &mut fastrand::Rng) -> Append {
    let mut events = append.events.to_vec();
    let mut projections = vec![];
    let share = random.u8(0..=10);
    for event in &mut events {
        if random.u8(0..10) >= share || event.seq == Seq(1) {
            continue;
        }
        let (target, rev) = (Seq(random.u64(1..event.seq.0)), event.seq);
        event.target = Some(target);
        let (body, projection) = match random.u8(0..8) {
            0 => (EventBody::Delete(DeleteBody {}), Projection::Deleted { target, rev }),
            1..4 => {
                let body = MessageBody::text(format!("edited at {rev}"));
                let edited = Projection::Edited { target, rev, at: event.at, body: Box::new(body.clone()) };
                (EventBody::Edit(EditBody { body }), edited)
            }
            _ => {
                let (emoji, on, user) = ("+1".to_owned(), true, event.by);
                let reacted = Projection::Reacted { target, rev, user, emoji: emoji.clone(), on };
                (EventBody::Reaction(ReactionBody { emoji, on }), reacted)
            }
        };
        event.body = body;
        projections.push(projection);
    }
    append.events = events.into();
    append.projections = projections.into();
    append
}
