//! The cases of people: one owner for each handle, found by its beginning, blocked both ways.

use super::fixture::{START, account, second, user};
use crate::limits::{BLOCKS_PER_USER, HANDLE_KEPT_MS};
use crate::store::{AccountCreated, BlockSet, ProfileChange, ProfileChanged, Store, TextChange};
use futures_util::future::join_all;
use rookery_protocol::{Timestamp, User};

super::case_list![
    a_profile_changes_where_it_is_told_to_and_again_the_same,
    a_handle_has_one_owner_and_stays_its_former_owner_s_for_a_while,
    of_a_hundred_who_want_a_handle_one_gets_it,
    users_are_found_by_the_beginning_of_their_handle,
    a_block_is_set_and_taken_off_and_holds_both_ways,
    somebody_blocks_a_bounded_number,
];

const KEPT_UNTIL: Timestamp = START.plus_millis(HANDLE_KEPT_MS);

async fn people(store: &dyn Store, handles: &[&str]) -> Vec<User> {
    let mut users = Vec::new();
    for (handle, number) in handles.iter().zip(1..) {
        let account = account(number, &format!("{number}@example.org"), handle);
        users.push(account.user.clone());
        assert_eq!(store.create_account(account).await, Ok(AccountCreated::Created));
    }
    users
}

fn to_handle(handle: &str) -> ProfileChange {
    ProfileChange { handle: Some(handle.to_owned()), ..ProfileChange::default() }
}

async fn take(store: &dyn Store, number: u128, handle: &str, now: Timestamp) -> bool {
    match store.change_profile(user(number), to_handle(handle), now).await.expect("a write") {
        ProfileChanged::Changed(user) => {
            assert_eq!(user.handle, handle);
            true
        }
        ProfileChanged::HandleTaken => false,
        ProfileChanged::NoSuchUser => panic!("user {number} is there"),
    }
}

async fn a_profile_changes_where_it_is_told_to_and_again_the_same(store: &dyn Store) {
    let before = people(store, &["ada", "bob"]).await.remove(1);
    let nothing = ProfileChange::default();
    assert_eq!(store.change_profile(user(9), nothing.clone(), START).await, Ok(ProfileChanged::NoSuchUser));
    let unchanged = store.change_profile(before.id, nothing, START).await;
    assert_eq!(unchanged, Ok(ProfileChanged::Changed(before.clone())));

    let change = ProfileChange {
        name: Some("Robert".to_owned()),
        handle: Some("rob".to_owned()),
        about: TextChange::Clear,
        avatar: TextChange::Set("/v1/files/1".to_owned()),
    };
    let after = User {
        handle: "rob".to_owned(),
        name: "Robert".to_owned(),
        about: None,
        avatar: Some("/v1/files/1".to_owned()),
        ..before
    };
    for _ in 0..2 {
        let changed = store.change_profile(after.id, change.clone(), START).await;
        assert_eq!(changed, Ok(ProfileChanged::Changed(after.clone())));
    }
    assert_eq!(store.users(&[after.id]).await, Ok(vec![after.clone()]));

    // Refused for its handle, nothing of it is done.
    let taken = ProfileChange { name: Some("Ada".to_owned()), ..to_handle("ada") };
    assert_eq!(store.change_profile(after.id, taken, START).await, Ok(ProfileChanged::HandleTaken));
    let cleared = ProfileChange { avatar: TextChange::Clear, ..ProfileChange::default() };
    let after = User { avatar: None, ..after };
    assert_eq!(store.change_profile(after.id, cleared, START).await, Ok(ProfileChanged::Changed(after)));
}

async fn a_handle_has_one_owner_and_stays_its_former_owner_s_for_a_while(store: &dyn Store) {
    people(store, &["ada", "bob"]).await;
    assert!(!take(store, 2, "ada", START).await, "it is somebody else's");
    assert!(take(store, 1, "countess", START).await);
    let just_before = KEPT_UNTIL.plus_millis(-1);
    assert!(!take(store, 2, "ada", just_before).await, "it was somebody else's");
    let late = |at| crate::store::Account { created_at: at, ..account(3, "c@example.org", "ada") };
    assert_eq!(store.create_account(late(just_before)).await, Ok(AccountCreated::HandleTaken));

    // Its former owner takes it back, and gives it up anew.
    assert!(take(store, 1, "ada", just_before).await);
    assert!(!take(store, 2, "countess", just_before).await);
    assert!(take(store, 1, "lovelace", just_before).await);
    assert!(!take(store, 2, "ada", KEPT_UNTIL).await, "it was hers again meanwhile");
    let end = just_before.plus_millis(HANDLE_KEPT_MS);
    assert!(take(store, 2, "ada", end).await);
    assert!(!take(store, 1, "ada", end).await);
    // What had been kept for its first owner is not so any more.
    assert!(take(store, 2, "bob", end).await);
    assert!(!take(store, 1, "ada", end).await);
    assert!(!take(store, 1, "bob", end).await);
    assert_eq!(store.create_account(late(end)).await, Ok(AccountCreated::HandleTaken));
    let free = end.plus_millis(HANDLE_KEPT_MS);
    assert_eq!(store.create_account(late(free)).await, Ok(AccountCreated::Created));
}

async fn of_a_hundred_who_want_a_handle_one_gets_it(store: &dyn Store) {
    let handles: Vec<_> = (0..100).map(|number| format!("user{number}")).collect();
    let handles: Vec<_> = handles.iter().map(String::as_str).collect();
    people(store, &handles).await;
    let takes = (1..=100).map(|number| take(store, number, "ada", START));
    assert_eq!(join_all(takes).await.into_iter().filter(|won| *won).count(), 1);
}

async fn users_are_found_by_the_beginning_of_their_handle(store: &dyn Store) {
    people(store, &["bo", "bob", "b_b", "b.b", "boa", "cob", "bozo"]).await;
    let find = async |by, prefix: &str, limit| -> Vec<String> {
        let found = store.users_by_handle(user(by), prefix, limit).await.expect("read");
        found.into_iter().map(|user| user.handle).collect()
    };
    assert_eq!(find(6, "bo", 10).await, ["bo", "boa", "bob", "bozo"]);
    assert_eq!(find(6, "bo", 2).await, ["bo", "boa"]);
    assert_eq!(find(6, "b_", 10).await, ["b_b"], "no sign of it is a wildcard");
    assert_eq!(find(6, "bob", 10).await, ["bob"]);
    assert_eq!(find(6, "bobb", 10).await, Vec::<String>::new());
    assert_eq!(find(1, "bo", 10).await, ["bo", "boa", "bob", "bozo"], "oneself as well");

    store.block(user(6), user(2), START).await.expect("block");
    store.block(user(5), user(6), START).await.expect("block");
    assert_eq!(find(6, "bo", 2).await, ["bo", "bozo"]);
    assert_eq!(find(2, "co", 10).await, Vec::<String>::new());
    assert_eq!(find(5, "bo", 10).await, ["bo", "boa", "bob", "bozo"]);
    store.unblock(user(6), user(2)).await.expect("unblock");
    assert_eq!(find(6, "bo", 10).await, ["bo", "bob", "bozo"]);
    take(store, 2, "rob", START).await;
    assert_eq!(find(6, "bo", 10).await, ["bo", "bozo"]);
}

async fn a_block_is_set_and_taken_off_and_holds_both_ways(store: &dyn Store) {
    let all: Vec<_> = (1..=4).rev().map(user).collect();
    let between = async |number| store.blocks_between(user(number), &all).await.expect("read");
    assert_eq!(between(1).await, []);
    for at in [1, 2] {
        assert_eq!(store.block(user(1), user(2), second(at)).await, Ok(BlockSet::Set));
    }
    assert_eq!(store.block(user(3), user(1), second(3)).await, Ok(BlockSet::Set));
    assert_eq!(between(1).await, [user(2), user(3)]);
    assert_eq!((between(2).await, between(3).await), (vec![user(1)], vec![user(1)]));
    assert_eq!(between(4).await, []);
    assert_eq!(store.blocks_between(user(1), &[user(3), user(3)]).await, Ok(vec![user(3)]), "each once");
    assert_eq!(store.blocks_between(user(1), &[]).await, Ok(vec![]));

    assert_eq!(store.block(user(2), user(1), second(4)).await, Ok(BlockSet::Set));
    for _ in 0..2 {
        assert_eq!(store.unblock(user(1), user(2)).await, Ok(()));
        assert_eq!(between(1).await, [user(2), user(3)], "the other one still blocks");
    }
    assert_eq!(store.unblock(user(2), user(1)).await, Ok(()));
    assert_eq!(between(1).await, [user(3)]);
}

async fn somebody_blocks_a_bounded_number(store: &dyn Store) {
    let blocks = (0..BLOCKS_PER_USER as u128).map(|number| store.block(user(1), user(10 + number), START));
    assert!(join_all(blocks).await.into_iter().all(|set| set == Ok(BlockSet::Set)));
    assert_eq!(store.block(user(1), user(2), START).await, Ok(BlockSet::TooMany));
    assert_eq!(store.block(user(1), user(10), START).await, Ok(BlockSet::Set), "one that is there");
    assert_eq!(store.block(user(2), user(1), START).await, Ok(BlockSet::Set), "somebody else");
    store.unblock(user(1), user(10)).await.expect("unblock");
    assert_eq!(store.block(user(1), user(2), START).await, Ok(BlockSet::Set));
}
