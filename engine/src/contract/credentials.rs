//! The cases of proofs, addresses, the logins of a user, and mails.

use super::fixture::{account, second, session, session_id, token, user};
use crate::limits::REFRESH_AGAIN_MS;
use crate::store::{
    Account, AddressConfirmed, LoginSession, Mail, Proof, ProofOf, Rotation, Store, StoreError,
};
use futures_util::future::join_all;
use rookery_protocol::Timestamp;
use uuid::Uuid;

super::case_list![
    a_spent_token_is_answered_again_for_ten_seconds,
    a_spent_token_is_not_answered_again_once_its_successor_is_spent,
    the_logins_of_a_user_are_those_that_live,
    an_address_is_confirmed_once,
    an_address_is_changed_unless_another_account_has_it,
    of_two_accounts_that_change_to_one_address_one_gets_it,
    a_former_address_is_free,
    a_proof_is_taken_once_in_time_and_for_what_it_is_of,
    mails_are_due_in_order_and_until_they_are_forgotten,
    of_fifty_senders_one_gets_a_mail,
];

async fn a_spent_token_is_answered_again_for_ten_seconds(store: &dyn Store) {
    store.begin_session(session(1), token(1)).await.expect("begin");
    let spent = second(10);
    let before_the_end = spent.plus_millis(REFRESH_AGAIN_MS - 1);
    for at in [spent, before_the_end] {
        assert_eq!(store.rotate([1; 32], token(2), at).await, Ok(Rotation::Rotated(session(1))));
    }
    let late = spent.plus_millis(REFRESH_AGAIN_MS);
    assert!(
        matches!(
            store.rotate([1; 32], token(2), late).await,
            // Whoever had to ask twice is told that the session is over by then.
            Ok(Rotation::Reused(_) | Rotation::Invalid)
        ),
        "too late"
    );
    let revoked = LoginSession { revoked_at: Some(late), ..session(1) };
    assert_eq!(store.session(session_id(1)).await, Ok(Some(revoked)));
}

async fn a_spent_token_is_not_answered_again_once_its_successor_is_spent(store: &dyn Store) {
    store.begin_session(session(1), token(1)).await.expect("begin");
    for number in 1..=2 {
        let rotated = store.rotate([number; 32], token(number + 1), second(10)).await;
        assert_eq!(rotated, Ok(Rotation::Rotated(session(1))));
    }
    // The last one that was spent may be asked for again, and does no harm.
    assert_eq!(store.rotate([2; 32], token(3), second(11)).await, Ok(Rotation::Rotated(session(1))));
    let reused = store.rotate([1; 32], token(2), second(12)).await;
    assert!(matches!(reused, Ok(Rotation::Reused(_) | Rotation::Invalid)), "{reused:?}");
    let revoked = LoginSession { revoked_at: Some(second(12)), ..session(1) };
    assert_eq!(store.session(session_id(1)).await, Ok(Some(revoked)));
    assert_eq!(store.rotate([3; 32], token(4), second(13)).await, Ok(Rotation::Invalid), "its current token");
}

async fn the_logins_of_a_user_are_those_that_live(store: &dyn Store) {
    let of = |number: u128, begun: i64| LoginSession {
        user: user(1),
        created_at: second(begun),
        ..session(number)
    };
    let short = LoginSession { expires_at: second(50), ..of(3, 0) };
    for (begun, number) in [(of(1, 5), 1), (of(2, 7), 2), (short, 3), (of(4, 6), 4)] {
        store.begin_session(begun, token(number)).await.expect("begin");
    }
    store.begin_session(LoginSession { user: user(2), ..session(5) }, token(5)).await.expect("begin");
    assert_eq!(store.revoke(session_id(4), second(40)).await, Ok(true));
    let ids = async |now, limit| {
        let sessions = store.sessions_of(user(1), now, limit).await.expect("read");
        sessions.into_iter().map(|session| session.session).collect::<Vec<_>>()
    };
    assert_eq!(ids(second(49), 9).await, [2, 1, 3].map(session_id));
    assert_eq!(ids(second(50), 9).await, [2, 1].map(session_id));
    assert_eq!(ids(second(50), 1).await, [session_id(2)]);
    assert_eq!(store.sessions_of(user(9), second(1), 9).await, Ok(vec![]));
    assert_eq!(store.sessions_of(user(1), second(50), 9).await.expect("read")[1], of(1, 5));
}

async fn made(store: &dyn Store, number: u128, email: &str, handle: &str) -> Account {
    let account = account(number, email, handle);
    store.create_account(account.clone()).await.expect("create");
    account
}

async fn an_address_is_confirmed_once(store: &dyn Store) {
    let ada = made(store, 1, "a@example.org", "ada").await;
    assert_eq!(store.account(user(1)).await, Ok(Some(ada.clone())));
    assert_eq!(store.account(user(2)).await, Ok(None));
    let same = ("a@example.org", "a@example.org");
    assert_eq!(store.confirm_address(user(2), same, second(1)).await, Ok(AddressConfirmed::Moved));
    for at in [5, 9] {
        let answer = store.confirm_address(user(1), same, second(at)).await;
        assert_eq!(answer, Ok(AddressConfirmed::Confirmed));
    }
    let confirmed = Account { confirmed_at: Some(second(5)), ..ada };
    assert_eq!(store.account(user(1)).await, Ok(Some(confirmed.clone())));
    assert_eq!(store.account_by_email("a@example.org").await, Ok(Some(confirmed)));
    let other = ("b@example.org", "b@example.org");
    assert_eq!(store.confirm_address(user(1), other, second(9)).await, Ok(AddressConfirmed::Moved));
}

async fn an_address_is_changed_unless_another_account_has_it(store: &dyn Store) {
    let ada = made(store, 1, "a@example.org", "ada").await;
    made(store, 2, "b@example.org", "bob").await;
    let to = async |new| store.confirm_address(user(1), ("a@example.org", new), second(7)).await;
    assert_eq!(to("b@example.org").await, Ok(AddressConfirmed::Taken));
    assert_eq!(store.account(user(1)).await, Ok(Some(ada.clone())));
    for _ in 0..2 {
        assert_eq!(to("new@example.org").await, Ok(AddressConfirmed::Confirmed));
    }
    assert_eq!(to("newer@example.org").await, Ok(AddressConfirmed::Moved));
    let changed =
        Account { email: "new@example.org".to_owned(), confirmed_at: Some(second(7)), ..ada.clone() };
    assert_eq!(store.account_by_email("new@example.org").await, Ok(Some(changed.clone())));
    assert_eq!(store.account_by_email("a@example.org").await, Ok(None));
    // What else changes leaves the address as it is.
    let about = crate::store::ProfileChange { name: Some("Ada".to_owned()), ..Default::default() };
    store.change_profile(user(1), about, second(8)).await.expect("change");
    let handle = crate::store::ProfileChange { handle: Some("adele".to_owned()), ..Default::default() };
    store.change_profile(user(1), handle, second(9)).await.expect("change");
    let found = store.account(user(1)).await.expect("read").expect("it is there");
    assert_eq!((found.email, found.confirmed_at), (changed.email, changed.confirmed_at));
    assert_eq!((found.user.name.as_str(), found.user.handle.as_str()), ("Ada", "adele"));
}

async fn of_two_accounts_that_change_to_one_address_one_gets_it(store: &dyn Store) {
    let emails: Vec<_> = (0..8).map(|number| format!("{number}@example.org")).collect();
    for (number, email) in (0..8).zip(&emails) {
        made(store, number, email, &format!("user{number}")).await;
    }
    let change = |(number, email)| store.confirm_address(user(number), (email, "one@example.org"), second(1));
    let answers = join_all((0..8).zip(emails.iter().map(String::as_str)).map(change)).await;
    let count = |wanted| answers.iter().filter(|answer| **answer == Ok(wanted)).count();
    assert_eq!((count(AddressConfirmed::Confirmed), count(AddressConfirmed::Taken)), (1, 7), "{answers:?}");
    let winner = store.account_by_email("one@example.org").await.expect("read");
    assert_eq!(winner.map(|account| account.email).as_deref(), Some("one@example.org"));
}

async fn a_former_address_is_free(store: &dyn Store) {
    made(store, 1, "a@example.org", "ada").await;
    let change = ("a@example.org", "b@example.org");
    assert_eq!(store.confirm_address(user(1), change, second(1)).await, Ok(AddressConfirmed::Confirmed));
    let next = made(store, 2, "a@example.org", "bob").await;
    assert_eq!(store.account_by_email("a@example.org").await, Ok(Some(next)));
    let back = ("b@example.org", "a@example.org");
    assert_eq!(store.confirm_address(user(1), back, second(2)).await, Ok(AddressConfirmed::Taken));
}

fn proof(number: u8, of: ProofOf) -> Proof {
    Proof {
        hash: [number; 32],
        user: user(u128::from(number)),
        of,
        email: "a@example.org".to_owned(),
        sent_to: format!("{number}@example.org"),
        expires_at: second(30),
    }
}

async fn a_proof_is_taken_once_in_time_and_for_what_it_is_of(store: &dyn Store) {
    for number in 1..=3 {
        let proof = proof(number, ProofOf::Password);
        for _ in 0..2 {
            assert_eq!(store.put_proof(proof.clone()).await, Ok(()));
        }
    }
    let other = store.take_proof([1; 32], ProofOf::Address, second(1)).await;
    assert!(!matches!(other, Ok(Some(_))), "of something else: {other:?}");
    let takers = (0..20).map(|_| store.take_proof([1; 32], ProofOf::Password, second(29)));
    let answers = join_all(takers).await;
    let taken = answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count();
    let lost = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Unknown(_)))).count();
    assert!(taken == 1 || (taken == 0 && lost > 0), "{answers:?}");
    assert!(answers.iter().flatten().flatten().all(|found| *found == proof(1, ProofOf::Password)));
    for (number, at, why) in [(1, 29, "taken"), (2, 30, "over"), (4, 1, "never put")] {
        let answer = store.take_proof([number; 32], ProofOf::Password, second(at)).await;
        assert!(!matches!(answer, Ok(Some(_))), "{why}: {answer:?}");
    }
    for _ in 0..2 {
        assert_eq!(store.purge(second(31)).await, Ok(()));
    }
    let purged = store.take_proof([3; 32], ProofOf::Password, second(1)).await;
    assert!(!matches!(purged, Ok(Some(_))), "purged: {purged:?}");
}

fn mail(number: u128, due: i64) -> Mail {
    Mail { id: Uuid::from_u128(number), due_at: second(due), tries: 0, letter: format!("letter {number}") }
}

async fn due(store: &dyn Store, now: Timestamp, limit: usize) -> Vec<Mail> {
    store.mails_due(now, limit).await.expect("read")
}

async fn mails_are_due_in_order_and_until_they_are_forgotten(store: &dyn Store) {
    for (number, at) in [(1, 9), (2, 5), (3, 7), (4, 50)] {
        for _ in 0..2 {
            assert_eq!(store.put_mail(mail(number, at)).await, Ok(()));
        }
    }
    assert_eq!(due(store, second(9), 9).await, [mail(2, 5), mail(3, 7), mail(1, 9)]);
    assert_eq!(due(store, second(9), 2).await, [mail(2, 5), mail(3, 7)]);
    assert_eq!(due(store, second(4), 9).await, []);
    for _ in 0..2 {
        assert_eq!(store.delay_mail(&mail(2, 5), second(8)).await, Ok(true), "sent again it is the same");
    }
    assert_eq!(store.delay_mail(&mail(2, 5), second(20)).await, Ok(false), "it was moved");
    let moved = Mail { tries: 1, ..mail(2, 8) };
    assert_eq!(due(store, second(9), 9).await, [mail(3, 7), moved.clone(), mail(1, 9)]);
    for number in [2, 2, 9] {
        assert_eq!(store.forget_mail(Uuid::from_u128(number)).await, Ok(()));
    }
    assert_eq!(due(store, second(9), 9).await, [mail(3, 7), mail(1, 9)]);
    assert_eq!(store.delay_mail(&moved, second(20)).await, Ok(false), "it is gone");
}

async fn of_fifty_senders_one_gets_a_mail(store: &dyn Store) {
    let mail = mail(1, 1);
    store.put_mail(mail.clone()).await.expect("put");
    let answers = join_all((0..50).map(|number| store.delay_mail(&mail, second(60 + number)))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(true)).count(), 1, "{answers:?}");
}
