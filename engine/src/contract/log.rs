//! The cases of the log: one order, nothing lost, nothing twice.

use super::fixture::{Pen, append, batch, body, client_id, room, second, text, user};
use crate::limits::BATCH_EVENTS;
use crate::store::{AppendError, Range, Receipt, Store, StoreError};
use futures_util::future::join_all;
use rookery_protocol::{Event, Head, Seq};
use serde_json::json;

super::case_list![
    an_append_is_in_the_log_as_it_was_sent,
    every_field_of_every_type_comes_back,
    long_and_odd_text_comes_back,
    a_batch_that_does_not_follow_is_refused,
    another_head_is_stale_and_changes_nothing,
    the_same_batch_again_is_known_and_its_events_are_there_once,
    of_many_appends_on_one_head_one_wins,
    many_rooms_are_written_at_once,
    a_client_id_is_found_for_its_room_and_its_sender_only,
    a_named_write_is_in_the_log_once,
    pages_go_both_ways_to_their_limits,
    a_read_after_the_answer_sees_it,
];

async fn all(store: &dyn Store, number: u128) -> Vec<Event> {
    store.read(room(number), Range::After(Seq::ZERO), usize::MAX).await.expect("read")
}

async fn an_append_is_in_the_log_as_it_was_sent(store: &dyn Store) {
    assert_eq!(store.head(room(1)).await, Ok(None), "a room that was never written to");
    assert_eq!(all(store, 1).await, []);

    let mut pen = Pen::new(room(1));
    let mut sent = Vec::new();
    for size in [1, 3, BATCH_EVENTS, 1] {
        let events = pen.messages(user(1), size);
        append(store, events.clone(), vec![]).await;
        sent.extend(events);
    }
    assert_eq!(all(store, 1).await, sent);
    assert_eq!(store.head(room(1)).await, Ok(Some(Head { seq: pen.seq, ord: pen.ord, at: pen.at })));
    assert_eq!(all(store, 2).await, [], "another room");
}

async fn every_field_of_every_type_comes_back(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let bodies = [
        json!({ "type": "room", "body": { "title": "a room" } }),
        json!({ "type": "member", "body": { "user": user(2), "change": "added", "role": "reader" } }),
        json!({ "type": "member", "body": { "user": user(2), "change": "left" } }),
        json!({ "type": "message", "body": { "kind": "text", "text": "to all", "mentions": ["all", user(3)] } }),
    ];
    let mut events: Vec<_> = bodies.iter().map(|json| pen.event(user(1), None, body(json))).collect();
    let answer = Event { reply_to: Some(Seq(4)), ..pen.message(user(2), "an answer") };
    let change = Event { target: Some(Seq(5)), ..pen.message(user(3), "a change") };
    events.extend([answer, change]);
    append(store, events.clone(), vec![]).await;
    assert_eq!(all(store, 1).await, events);
}

async fn long_and_odd_text_comes_back(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let long = "0123456789abcdef".repeat(1024);
    let letters = "\u{1f426}\u{200d}\u{2b1b} Z\u{351}a\u{34d} \u{202e}rtl \u{feff}\u{fffd}\u{10ffff} \u{7}\u{1}\"\\/ \u{2028}";
    let mut events = vec![];
    for words in [&long, letters, "NULL'; DROP TABLE events; --", " "] {
        let event = pen.message(user(1), words);
        append(store, vec![event.clone()], vec![]).await;
        events.push(event);
    }
    let attachment =
        |name| json!({ "id": user(9).0, "name": name, "mime": "image/png", "size": 1_u64 << 52 });
    let attachments: Vec<_> =
        (0..20).map(|number| attachment(format!("{number}{}", "n".repeat(2300)))).collect();
    let heavy =
        json!({ "type": "message", "body": { "kind": "image", "text": long, "attachments": attachments } });
    assert!(heavy.to_string().len() > 60 << 10, "about the largest frame");
    let heavy = pen.event(user(1), None, body(&heavy));
    append(store, vec![heavy.clone()], vec![]).await;
    events.push(heavy);
    assert_eq!(all(store, 1).await, events);
}

async fn a_batch_that_does_not_follow_is_refused(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let good = batch(pen.messages(user(1), 2), vec![]);
    let mut gap = good.events.to_vec();
    gap[1].seq = Seq(3);
    let mut foreign = good.events.to_vec();
    foreign[1].room = room(2);
    let too_many = Pen::new(room(1)).messages(user(1), BATCH_EVENTS + 1);
    for events in [vec![], gap, foreign, too_many] {
        let bad = crate::store::Append { events: events.into(), ..good.clone() };
        let answer = store.append(bad).await;
        assert!(matches!(answer, Err(AppendError::Store(StoreError::Refused(_)))), "{answer:?}");
    }
    assert_eq!(all(store, 1).await, []);
    assert_eq!(store.append(good).await, Ok(()));
}

async fn another_head_is_stale_and_changes_nothing(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let mut ahead = pen.clone();
    drop(ahead.messages(user(2), 1));
    let early = batch(ahead.messages(user(2), 1), vec![]);
    let stale = |expected, head| Err(AppendError::Stale { expected: Seq(expected), head: Seq(head) });
    assert_eq!(store.append(early.clone()).await, stale(1, 0), "a room without events");

    let sent = pen.messages(user(1), 3);
    append(store, sent.clone(), vec![]).await;
    assert_eq!(store.append(early).await, stale(1, 3), "behind the head");
    drop(pen.messages(user(1), 2));
    let late = batch(pen.messages(user(1), 1), vec![pen.membership(user(7), None)]);
    assert_eq!(store.append(late).await, stale(5, 3), "beyond the head");

    assert_eq!(all(store, 1).await, sent);
    assert_eq!(store.members(room(1), None, 10).await, Ok(vec![]));
}

async fn the_same_batch_again_is_known_and_its_events_are_there_once(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let sent = batch(pen.messages(user(1), 2), vec![]);
    assert_eq!(store.append(sent.clone()).await, Ok(()));
    let answer = store.append(sent.clone()).await;
    assert!(is_known(&answer), "{answer:?}");
    assert_eq!(all(store, 1).await, sent.events[..]);
}

/// The answer to a batch that is in the log already: stale, unless the caller had to send it twice
/// and found it there.
pub(super) fn is_known(answer: &Result<(), AppendError>) -> bool {
    matches!(answer, Ok(()) | Err(AppendError::Stale { .. }))
}

async fn of_many_appends_on_one_head_one_wins(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    for round in 0..5 {
        let rivals = (0..20).map(|number| {
            let mut pen = pen.clone();
            let client_id = client_id(round * 100 + number);
            pen.event(user(number), Some(client_id), text(&format!("{number} wins")))
        });
        let rivals: Vec<_> = rivals.collect();
        let answers =
            join_all(rivals.iter().map(|event| store.append(batch(vec![event.clone()], vec![])))).await;
        let won: Vec<_> = rivals.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        let stale = Err(AppendError::Stale { expected: pen.seq, head: pen.seq.next() });
        assert_eq!(answers.iter().filter(|answer| **answer == stale).count(), 19, "{answers:?}");
        assert_eq!(all(store, 1).await.last(), Some(won[0].0));
        drop(pen.message(user(0), "the place is taken"));
    }
}

async fn many_rooms_are_written_at_once(store: &dyn Store) {
    let write = |number: u128| async move {
        let mut pen = Pen::new(room(number));
        let mut sent = vec![];
        for size in 1..=8 {
            let events = pen.messages(user(number), size);
            append(store, events.clone(), vec![]).await;
            sent.extend(events);
        }
        sent
    };
    let sent = join_all((0..64).map(write)).await;
    for (number, sent) in (0..).zip(sent) {
        assert_eq!(all(store, number).await, sent);
    }
}

async fn a_client_id_is_found_for_its_room_and_its_sender_only(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let first = pen.event(user(1), Some(client_id(1)), text("one"));
    let second = pen.event(user(2), Some(client_id(1)), text("the same name, another sender"));
    let mut other = Pen::new(room(2));
    let third = other.event(user(1), Some(client_id(1)), text("the same name, another room"));
    append(store, vec![first.clone(), second.clone()], vec![]).await;
    append(store, vec![third.clone()], vec![]).await;
    for event in [first, second, third] {
        let receipt = Receipt { seq: event.seq, ord: event.ord, at: event.at };
        assert_eq!(store.find(event.room, event.by, client_id(1)).await, Ok(Some(receipt)));
        assert_eq!(store.find(event.room, event.by, client_id(2)).await, Ok(None));
    }
    assert_eq!(store.find(room(2), user(2), client_id(1)).await, Ok(None));
    assert_eq!(store.find(room(3), user(1), client_id(1)).await, Ok(None), "a room without events");
}

async fn a_named_write_is_in_the_log_once(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let first = pen.event(user(1), Some(client_id(1)), text("one"));
    append(store, vec![first.clone()], vec![]).await;
    // Second in its batch, so that what came before it must be taken back.
    let before = pen.event(user(2), Some(client_id(2)), text("before"));
    let again = pen.event(user(1), Some(client_id(1)), text("one, again"));
    let batch = batch(vec![before.clone(), again], vec![]);
    let duplicate = AppendError::Duplicate { by: user(1), client_id: client_id(1) };
    assert_eq!(store.append(batch).await, Err(duplicate));
    assert_eq!(all(store, 1).await, std::slice::from_ref(&first), "nothing of the batch is there");
    assert_eq!(store.find(room(1), user(2), client_id(2)).await, Ok(None));
    append(store, vec![before.clone()], vec![]).await;
    assert_eq!(all(store, 1).await, [first, before]);
}

async fn pages_go_both_ways_to_their_limits(store: &dyn Store) {
    // Rooms next to it in any order, so that a page cannot run over into them.
    for number in [1, 2, 3] {
        let mut pen = Pen::new(room(number));
        append(store, pen.messages(user(1), 10), vec![]).await;
    }
    let last = u64::MAX;
    for (range, limit, expected) in [
        (Range::After(Seq(0)), 3, 1..=3),
        (Range::After(Seq(4)), 3, 5..=7),
        (Range::After(Seq(8)), 100, 9..=10),
        (Range::After(Seq(9)), usize::MAX, 10..=10),
        (Range::Before(Seq(last)), 3, 8..=10),
        (Range::Before(Seq(11)), 3, 8..=10),
        (Range::Before(Seq(5)), 2, 3..=4),
        (Range::Before(Seq(3)), 100, 1..=2),
        (Range::Before(Seq(11)), usize::MAX, 1..=10),
    ] {
        let page = store.read(room(2), range, limit).await.expect("read");
        assert!(page.iter().all(|event| event.room == room(2)));
        let found: Vec<_> = page.iter().map(|event| event.seq.0).collect();
        assert_eq!(found, expected.collect::<Vec<_>>(), "{range:?}, at most {limit}");
    }
    for (range, limit) in [
        (Range::After(Seq(10)), 5),
        (Range::After(Seq(11)), 5),
        (Range::After(Seq(last)), 5),
        (Range::Before(Seq(1)), 5),
        (Range::Before(Seq(0)), 5),
        (Range::After(Seq(0)), 0),
        (Range::Before(Seq(last)), 0),
    ] {
        assert_eq!(store.read(room(2), range, limit).await, Ok(vec![]), "{range:?}, at most {limit}");
    }
}

async fn a_read_after_the_answer_sees_it(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    for number in 0..50 {
        let event = pen.event(user(1), Some(client_id(number)), text("now"));
        append(store, vec![event.clone()], vec![]).await;
        let newest = store.read(room(1), Range::Before(Seq(u64::MAX)), 1);
        let (newest, head, found) =
            (newest.await, store.head(room(1)).await, store.find(room(1), user(1), client_id(number)).await);
        assert_eq!(newest, Ok(vec![event.clone()]));
        assert_eq!(head, Ok(Some(Head { seq: event.seq, ord: event.ord, at: event.at })));
        assert_eq!(found, Ok(Some(Receipt { seq: event.seq, ord: event.ord, at: event.at })));
    }
    assert_eq!(pen.at, second(50));
}
