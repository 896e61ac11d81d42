//! The cases of what administration keeps.

use crate::store::{Book, Entry, Store};
use futures_util::future::join_all;
use uuid::Uuid;

super::case_list![
    an_entry_is_written_where_the_one_before_it_is,
    an_audit_entry_is_never_changed_nor_forgotten,
    a_book_is_read_from_its_end_a_page_at_a_time,
    of_writers_of_one_revision_one_writes,
];

/// Returns an id of a moment so many seconds after the first one; a month has 2,629,746.
fn id(seconds: u128) -> Uuid {
    Uuid::from_u128(((1_700_000_000_000 + seconds * 1000) << 80) | (0x7 << 76) | (0x8 << 60))
}

fn entry(book: Book, seconds: u128, rev: u64, body: &str) -> Entry {
    Entry { book, id: id(seconds), rev, body: format!("{{\"text\":\"{body}\"}}") }
}

async fn an_entry_is_written_where_the_one_before_it_is(store: &dyn Store) {
    let (first, second) = (entry(Book::Reports, 1, 1, "a"), entry(Book::Reports, 1, 2, "b"));
    assert_eq!(store.put_entry(second.clone()).await, Ok(false), "there is none before it");
    for _ in 0..2 {
        assert_eq!(store.put_entry(first.clone()).await, Ok(true));
    }
    assert_eq!(store.put_entry(entry(Book::Reports, 1, 1, "other")).await, Ok(false));
    for _ in 0..2 {
        assert_eq!(store.put_entry(second.clone()).await, Ok(true));
    }
    assert_eq!(store.put_entry(first).await, Ok(false));
    assert_eq!(store.put_entry(entry(Book::Reports, 1, 4, "d")).await, Ok(false));
    assert_eq!(store.entry(Book::Reports, id(1)).await, Ok(Some(second)));
    assert_eq!(store.entry(Book::Jobs, id(1)).await, Ok(None));
    assert_eq!(store.entry(Book::Reports, id(2)).await, Ok(None));
    for _ in 0..2 {
        assert_eq!(store.forget_entry(Book::Reports, id(1)).await, Ok(()));
    }
    assert_eq!(store.entry(Book::Reports, id(1)).await, Ok(None));
    assert_eq!(store.entries(Book::Reports, None, 10).await, Ok(vec![]));
    assert_eq!(store.put_entry(entry(Book::Reports, 1, 1, "again")).await, Ok(true));
}

async fn an_audit_entry_is_never_changed_nor_forgotten(store: &dyn Store) {
    let first = entry(Book::Audit, 1, 1, "done");
    assert_eq!(store.put_entry(first.clone()).await, Ok(true));
    assert_eq!(store.put_entry(entry(Book::Audit, 1, 2, "undone")).await, Ok(false));
    assert_eq!(store.forget_entry(Book::Audit, id(1)).await, Ok(()));
    assert_eq!(store.entries(Book::Audit, None, 10).await, Ok(vec![first]));
}

async fn a_book_is_read_from_its_end_a_page_at_a_time(store: &dyn Store) {
    // Over more than a year.
    let places: Vec<u128> = (0..25).map(|number| number * 1_400_000).collect();
    for place in &places {
        assert_eq!(store.put_entry(entry(Book::Jobs, *place, 1, "x")).await, Ok(true));
        assert_eq!(store.put_entry(entry(Book::Days, *place + 1, 1, "y")).await, Ok(true));
    }
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = store.entries(Book::Jobs, before, 7).await.expect("a read");
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        read.extend(page.into_iter().map(|entry| entry.id));
    }
    assert_eq!(read, places.iter().rev().map(|place| id(*place)).collect::<Vec<_>>());
    assert_eq!(store.entries(Book::Jobs, None, 0).await, Ok(vec![]));
    let below = store.entries(Book::Jobs, Some(id(1_400_001)), 9).await.expect("a read");
    assert_eq!(below.iter().map(|entry| entry.id).collect::<Vec<_>>(), [id(1_400_000), id(0)]);
}

async fn of_writers_of_one_revision_one_writes(store: &dyn Store) {
    for rev in 1..4 {
        let writes = (0..8).map(|number| entry(Book::Standings, 5, rev, &number.to_string()));
        let answers = join_all(writes.map(|write| store.put_entry(write))).await;
        let written = answers.into_iter().filter(|answer| *answer == Ok(true)).count();
        assert_eq!(written, 1, "revision {rev}");
    }
}
