//! The cases of presence: the latest moment stays, whatever comes when.

use super::fixture::{second, user};
use crate::store::Store;
use futures_util::future::join_all;
use rookery_protocol::{Timestamp, UserId};

super::case_list![
    the_latest_moment_of_a_user_stays,
    of_many_moments_at_once_the_latest_stays,
    one_call_notes_many_users,
];

/// Returns what the store knows of users 0 to 9, in their order.
async fn known(store: &dyn Store) -> Vec<(UserId, Timestamp)> {
    let everybody: Vec<_> = (0..10).chain(0..3).map(user).collect();
    let mut known = store.last_seen(&everybody).await.expect("read");
    known.sort_unstable();
    known
}

async fn the_latest_moment_of_a_user_stays(store: &dyn Store) {
    assert_eq!(known(store).await, []);
    assert_eq!(store.seen(&[(user(1), second(10))]).await, Ok(()));
    assert_eq!(known(store).await, [(user(1), second(10))]);
    for late in [second(9), second(10), second(-100)] {
        assert_eq!(store.seen(&[(user(1), late)]).await, Ok(()));
    }
    assert_eq!(known(store).await, [(user(1), second(10))]);
    assert_eq!(store.seen(&[(user(2), second(1)), (user(1), second(11))]).await, Ok(()));
    assert_eq!(known(store).await, [(user(1), second(11)), (user(2), second(1))]);
    assert_eq!(store.last_seen(&[]).await, Ok(vec![]));
    assert_eq!(store.last_seen(&[user(9)]).await, Ok(vec![]));
}

async fn of_many_moments_at_once_the_latest_stays(store: &dyn Store) {
    let notes: Vec<_> = (0..50).map(|number| [(user(1), second((number * 7) % 50))]).collect();
    let answers = join_all(notes.iter().map(|note| store.seen(note))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(known(store).await, [(user(1), second(49))]);
}

async fn one_call_notes_many_users(store: &dyn Store) {
    assert_eq!(store.seen(&[]).await, Ok(()));
    let mut notes: Vec<_> = (0..10).map(|number| (user(number), second(1))).collect();
    // The same user twice in one call, the later moment first.
    notes.push((user(3), second(5)));
    notes.push((user(3), second(2)));
    assert_eq!(store.seen(&notes).await, Ok(()));
    let known = known(store).await;
    assert_eq!((known.len(), known[3], known[4]), (10, (user(3), second(5)), (user(4), second(1))));
}
