//! The cases of accounts: one address, one handle, one winner.

use super::fixture::{account, user};
use crate::store::{AccountCreated, Store};
use futures_util::future::join_all;

super::case_list![
    an_account_is_found_as_it_was_created,
    an_address_and_a_handle_are_taken_once,
    of_a_hundred_registrations_one_wins,
    a_password_is_replaced_only_where_it_is_the_old_one,
];

async fn an_account_is_found_as_it_was_created(store: &dyn Store) {
    assert_eq!(store.account_by_email("a@example.org").await, Ok(None));
    let accounts = [
        account(1, "a@example.org", "ada"),
        account(2, "b@example.org", "bob"),
        account(3, "c'@example.org", "c_d.3"),
    ];
    for account in &accounts {
        assert_eq!(store.create_account(account.clone()).await, Ok(AccountCreated::Created));
    }
    for account in &accounts {
        assert_eq!(store.account_by_email(&account.email).await, Ok(Some(account.clone())));
    }
    assert_eq!(store.account_by_email("A@example.org").await, Ok(None), "addresses come normalised");

    let mut users = store.users(&[3, 9, 1, 3].map(user)).await.expect("read");
    users.sort_by_key(|user| user.id);
    assert_eq!(users, [accounts[0].user.clone(), accounts[2].user.clone()]);
    assert_eq!(store.users(&[]).await, Ok(vec![]));
}

async fn an_address_and_a_handle_are_taken_once(store: &dyn Store) {
    let first = account(1, "a@example.org", "ada");
    for (account, answer) in [
        (first.clone(), AccountCreated::Created),
        (first.clone(), AccountCreated::Created),
        (account(2, "a@example.org", "bob"), AccountCreated::EmailTaken),
        (account(2, "b@example.org", "ada"), AccountCreated::HandleTaken),
        (account(2, "a@example.org", "ada"), AccountCreated::HandleTaken),
        (account(2, "b@example.org", "bob"), AccountCreated::Created),
    ] {
        assert_eq!(store.create_account(account.clone()).await, Ok(answer), "{account:?}");
    }
    assert_eq!(store.account_by_email("a@example.org").await, Ok(Some(first)));
}

async fn of_a_hundred_registrations_one_wins(store: &dyn Store) {
    let by_email = |number| account(number, "a@example.org", &format!("user{number}"));
    let by_handle = |number| account(number, &format!("{number}@example.org"), "ada");
    let answers = join_all((0..100).map(|number| store.create_account(by_email(number)))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(AccountCreated::Created)).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(AccountCreated::EmailTaken)).count(), 99);
    let answers = join_all((100..200).map(|number| store.create_account(by_handle(number)))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(AccountCreated::Created)).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(AccountCreated::HandleTaken)).count(), 99);
    let everybody: Vec<_> = (0..200).map(user).collect();
    assert_eq!(store.users(&everybody).await.map(|users| users.len()), Ok(2));
}

async fn a_password_is_replaced_only_where_it_is_the_old_one(store: &dyn Store) {
    let mut account = account(1, "a@example.org", "ada");
    let old = account.password.clone();
    assert_eq!(store.create_account(account.clone()).await, Ok(AccountCreated::Created));
    assert_eq!(store.replace_password(user(1), "wrong", "new").await, Ok(false));
    assert_eq!(store.replace_password(user(2), &old, "new").await, Ok(false), "nobody");
    assert_eq!(store.replace_password(user(1), &old, "new").await, Ok(true));
    assert_eq!(store.replace_password(user(1), &old, "new").await, Ok(true), "the same call again");
    assert_eq!(store.replace_password(user(1), &old, "newer").await, Ok(false));
    "new".clone_into(&mut account.password);
    assert_eq!(store.account_by_email(&account.email).await, Ok(Some(account)));

    let rivals: Vec<_> = (0..50).map(|number| format!("rival {number}")).collect();
    let answers = join_all(rivals.iter().map(|rival| store.replace_password(user(1), "new", rival))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(true)).count(), 1);
}
