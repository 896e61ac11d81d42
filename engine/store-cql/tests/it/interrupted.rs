//! A process that ends between a batch and what follows from it.

use crate::events::{ROOM, head, message, name, user};
use crate::keyspace::Keyspace;
use rookery_engine::MemoryStore;
use rookery_engine::store::{
    Append, Log, Membership, Notice, NoticeKind, Projection, Range, RoomRecord, Rooms, Store,
};
use rookery_protocol::{EventBody, MessageBody, Role, RoomKind, Seq, Timestamp};
use rookery_store_cql::CqlStore;
use std::time::Duration;

/// Returns a batch with one of nearly everything that can follow from one.
fn everything(expected: Seq, number: u128) -> Append {
    let mut events: Vec<_> = (0..4)
        .map(|place| message(Seq(expected.0 + 1 + place), user(1), name(number * 4 + u128::from(place))))
        .collect();
    let [first, second, third, last] = [0, 1, 2, 3].map(|place: usize| events[place].seq);
    let edit = MessageBody::text(format!("edited in {number}"));
    events[2].body = EventBody::from_json("delete", "{}").expect("a delete");
    events[2].target = Some(second);
    let record = RoomRecord {
        room: ROOM,
        kind: RoomKind::Group,
        title: Some(format!("after {number}")),
        about: None,
        avatar: None,
        created_at: Timestamp(1),
        members: 1,
        rev: last,
    };
    let member = Membership {
        room: ROOM,
        user: user(1),
        role: Some(Role::Owner),
        joined: Seq(1),
        joined_ord: 0,
        rev: first,
    };
    let notice = Notice {
        user: user(2),
        room: ROOM,
        seq: last,
        kind: NoticeKind::Mention,
        by: user(1),
        at: Timestamp(2),
    };
    let reacted = |target, rev| Projection::Reacted {
        target,
        rev,
        user: user(1),
        emoji: "+1".to_owned(),
        on: number % 3 != 2,
    };
    let mut projections = vec![
        Projection::Room(record),
        Projection::Member(member),
        Projection::Read { user: user(1), seq: first, ord: first.0 },
        Projection::Mention { user: Some(user(1)), seq: last },
        Projection::Edited { target: first, rev: second, at: Timestamp(3), body: Box::new(edit) },
        Projection::Deleted { target: second, rev: third },
        Projection::Notice(notice),
    ];
    // Of the batch before too: what became of its messages is needed for that.
    if expected > Seq::ZERO {
        projections.push(reacted(expected, first));
    }
    projections.push(reacted(last, last));
    Append { room: ROOM, expected, events: events.into(), projections: projections.into() }
}

/// Everything that the two are to agree on.
async fn seen(store: &dyn Store) -> String {
    let all = Range::After(Seq::ZERO);
    let mut found = Vec::new();
    for event in store.read(ROOM, all, usize::MAX).await.expect("read") {
        let name = event.client_id.expect("each has a name");
        found.push(store.find(ROOM, event.by, name).await.expect("find"));
    }
    format!(
        "{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n{found:#?}",
        store.head(ROOM).await,
        store.page(ROOM, all, usize::MAX, user(1)).await,
        store.room_state(ROOM, user(1)).await,
        store.rooms_of(user(1), None, 10).await,
        store.cursors(ROOM, 10).await,
        store.notices(None, usize::MAX).await,
    )
}

async fn assert_agree(store: &dyn Store, model: &dyn Store) {
    let (found, expected) = (seen(store).await, seen(model).await);
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {number}");
    }
    assert_eq!(found.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_has_left_is_put_by_the_next_one() {
    let keyspace = Keyspace::new("left", 7).await;
    let store = keyspace.open().await;
    store.append(everything(Seq::ZERO, 0)).await.expect("append");
    let expected = seen(&store).await;
    assert!(expected.contains("edited in 0"));
    drop(store);

    // As if it had died right after the batch: the log is all that there is.
    keyspace.empty(|table| table != "log").await;
    let next = keyspace.open().await;
    assert_eq!(next.room(ROOM).await, Ok(None), "it is gone");
    assert_eq!(head(&next).await, Seq(4));
    assert_eq!(seen(&next).await, expected, "who asks for the head has it put");

    keyspace.empty(|table| table != "log").await;
    let other = keyspace.open().await;
    other.append(everything(Seq(4), 1)).await.expect("append");
    let memory = MemoryStore::new();
    memory.append(everything(Seq::ZERO, 0)).await.expect("append");
    memory.append(everything(Seq(4), 1)).await.expect("append");
    assert_agree(&other, &memory).await;
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_is_dropped_anywhere_is_whole_or_not_there() {
    const TRIES: u128 = 60;
    let keyspace = Keyspace::new("dropped", 7).await;
    let memory = MemoryStore::new();
    let mut store = keyspace.open().await;
    let (mut at, mut interrupted) = (Seq::ZERO, 0);
    for number in 0..TRIES {
        // From before the first request to after the last one; how long one takes is the machine's matter.
        let patience = Duration::from_micros(125) * u32::try_from((number % 40).pow(2)).expect("small");
        let answer = tokio::time::timeout(patience, store.append(everything(at, number))).await;
        if answer.is_err() {
            interrupted += 1;
            store = Box::pin(anew(&keyspace, store, number)).await;
        }
        let before = at;
        at = follow(&store, &memory, at).await;
        assert!(at > before || answer != Ok(Ok(())), "acked and not there");
    }
    // One whose answer was not waited for may still come. Not after another one was applied.
    while store.append(everything(at, TRIES)).await.is_err() {
        at = follow(&store, &memory, at).await;
    }
    at = follow(&store, &memory, at).await;
    eprintln!("{interrupted} of {TRIES} were interrupted, the log has {at}");
    assert!(interrupted > 0);
    assert_agree(&store, &memory).await;
    keyspace.end().await;
}

/// Has `memory` append the batches that the log has after `at`. Returns the head.
async fn follow(store: &CqlStore, memory: &MemoryStore, at: Seq) -> Seq {
    let head = head(store).await;
    let found = store.read(ROOM, Range::After(at), usize::MAX).await.expect("read");
    let mut at = at;
    for batch in found.chunks(4) {
        let number = batch[0].client_id.expect("each has a name").0.as_u128() & 0xffff_ffff;
        memory.append(everything(at, number / 4)).await.expect("a whole batch follows the one before");
        at = Seq(at.0 + 4);
    }
    assert!(at >= head, "what the head says is there");
    at
}

/// Returns a store that knows nothing, now and then the old one.
async fn anew(keyspace: &Keyspace, store: CqlStore, number: u128) -> CqlStore {
    if number.is_multiple_of(4) { keyspace.open().await } else { store }
}
