//! The cases of what signing in depends on: replaced by whoever has seen the newest version, and by one.

use super::fixture::second;
use crate::store::{SignIn, Store};
use futures_util::future::join_all;
use rookery_protocol::Timestamp;
use uuid::Uuid;

super::case_list![
    a_record_is_found_as_it_was_put,
    a_record_is_replaced_by_who_has_seen_it,
    the_same_put_again_answers_the_same,
    of_a_hundred_who_replace_a_record_one_does,
    of_a_hundred_who_put_the_first_record_one_does,
    what_has_expired_is_not_there_and_its_place_is_free,
    a_purge_leaves_what_has_not_expired,
];

const NOW: Timestamp = second(10);

fn version(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn record(key: u8, number: u128) -> SignIn {
    SignIn {
        key: [key; 32],
        version: version(number),
        body: format!("{{\"is\":{number}}}"),
        expires_at: None,
    }
}

async fn a_record_is_found_as_it_was_put(store: &dyn Store) {
    assert_eq!(store.sign_in([1; 32], NOW).await, Ok(None));
    let ends = SignIn { expires_at: Some(second(11)), body: "ü\n\u{1f426}".repeat(500), ..record(2, 2) };
    for record in [record(1, 1), ends] {
        assert_eq!(store.put_sign_in(None, record.clone(), NOW).await, Ok(true));
        assert_eq!(store.sign_in(record.key, NOW).await, Ok(Some(record)));
    }
    assert_eq!(store.sign_in([3; 32], NOW).await, Ok(None));
}

async fn a_record_is_replaced_by_who_has_seen_it(store: &dyn Store) {
    store.put_sign_in(None, record(1, 1), NOW).await.expect("a write");
    for old in [None, Some(version(7))] {
        assert_eq!(store.put_sign_in(old, record(1, 2), NOW).await, Ok(false), "{old:?}");
    }
    assert_eq!(store.put_sign_in(Some(version(1)), record(2, 2), NOW).await, Ok(false), "of nothing");
    assert_eq!(store.sign_in([1; 32], NOW).await, Ok(Some(record(1, 1))));
    assert_eq!(store.sign_in([2; 32], NOW).await, Ok(None));
    assert_eq!(store.put_sign_in(Some(version(1)), record(1, 2), NOW).await, Ok(true));
    assert_eq!(store.sign_in([1; 32], NOW).await, Ok(Some(record(1, 2))));
}

async fn the_same_put_again_answers_the_same(store: &dyn Store) {
    for _ in 0..3 {
        assert_eq!(store.put_sign_in(None, record(1, 1), NOW).await, Ok(true));
    }
    for _ in 0..3 {
        assert_eq!(store.put_sign_in(Some(version(1)), record(1, 2), NOW).await, Ok(true));
    }
    assert_eq!(store.put_sign_in(None, record(1, 1), NOW).await, Ok(false), "it was replaced since");
}

async fn of_a_hundred_who_replace_a_record_one_does(store: &dyn Store) {
    store.put_sign_in(None, record(1, 1), NOW).await.expect("a write");
    let tries = (100..200).map(|number| store.put_sign_in(Some(version(1)), record(1, number), NOW));
    one_won(store, join_all(tries).await).await;
}

async fn of_a_hundred_who_put_the_first_record_one_does(store: &dyn Store) {
    let tries = (100..200).map(|number| store.put_sign_in(None, record(1, number), NOW));
    one_won(store, join_all(tries).await).await;
}

async fn one_won(store: &dyn Store, answers: Vec<Result<bool, crate::store::StoreError>>) {
    let won: Vec<_> = (100..).zip(&answers).filter(|(_, answer)| **answer == Ok(true)).collect();
    let [(winner, _)] = won[..] else { panic!("{} have won", won.len()) };
    assert_eq!(store.sign_in([1; 32], NOW).await, Ok(Some(record(1, winner))));
}

async fn what_has_expired_is_not_there_and_its_place_is_free(store: &dyn Store) {
    store.put_sign_in(None, record(1, 1), NOW).await.expect("a write");
    let gone = SignIn { expires_at: Some(NOW), ..record(1, 2) };
    for _ in 0..2 {
        assert_eq!(store.put_sign_in(Some(version(1)), gone.clone(), NOW).await, Ok(true));
    }
    assert_eq!(store.sign_in([1; 32], NOW).await, Ok(None));
    assert_eq!(
        store.put_sign_in(Some(version(2)), record(1, 3), NOW).await,
        Ok(false),
        "it is as good as gone"
    );
    assert_eq!(store.put_sign_in(None, record(1, 3), NOW).await, Ok(true));
    assert_eq!(store.sign_in([1; 32], NOW).await, Ok(Some(record(1, 3))));
}

async fn a_purge_leaves_what_has_not_expired(store: &dyn Store) {
    for (key, expires_at) in [(1, None), (2, Some(second(20))), (3, Some(second(12)))] {
        let record = SignIn { expires_at, ..record(key, key.into()) };
        store.put_sign_in(None, record, NOW).await.expect("a write");
    }
    store.purge(second(15)).await.expect("a purge");
    let mut left = Vec::new();
    for key in 1..=3 {
        left.push(store.sign_in([key; 32], second(15)).await.expect("a read").is_some());
    }
    assert_eq!(left, [true, true, false]);
}
