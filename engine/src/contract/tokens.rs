//! The cases of login sessions, refresh tokens and tickets: spent once, ended for good.

use super::fixture::{account, second, session, session_id, token, user};
use crate::store::{Login, LoginSession, RefreshToken, Rotation, Store, StoreError, Ticket};
use futures_util::future::join_all;
use rookery_protocol::DeviceId;

super::case_list![
    a_session_is_found_as_it_was_begun,
    a_token_is_rotated_and_the_same_pair_again_answers_the_same,
    a_spent_token_revokes_its_session,
    a_token_ends_with_its_time_or_its_session,
    of_a_hundred_rotations_one_wins,
    a_session_is_revoked_once,
    a_ticket_is_taken_once_and_in_time,
    of_a_hundred_takers_one_gets_the_ticket,
    what_has_ended_is_forgotten_and_nothing_else,
    a_login_is_a_session_and_its_user,
];

async fn a_session_is_found_as_it_was_begun(store: &dyn Store) {
    assert_eq!(store.session(session_id(1)).await, Ok(None));
    let first = session(1);
    let second = LoginSession { device: Some(DeviceId(user(7).0)), device_name: None, ..session(2) };
    for (session, number) in [(&first, 1), (&second, 2), (&first, 1)] {
        assert_eq!(store.begin_session(session.clone(), token(number)).await, Ok(()));
    }
    assert_eq!(store.session(session_id(1)).await, Ok(Some(first)));
    assert_eq!(store.session(session_id(2)).await, Ok(Some(second)));
}

async fn a_token_is_rotated_and_the_same_pair_again_answers_the_same(store: &dyn Store) {
    store.begin_session(session(1), token(1)).await.expect("begin");
    for number in 1..=3 {
        for _ in 0..2 {
            let answer = store.rotate([number; 32], token(number + 1), second(i64::from(number))).await;
            assert_eq!(answer, Ok(Rotation::Rotated(session(1))));
        }
    }
    assert_eq!(store.rotate([9; 32], token(10), second(1)).await, Ok(Rotation::Invalid), "an unknown token");
    assert_eq!(store.session(session_id(1)).await, Ok(Some(session(1))));
}

async fn a_spent_token_revokes_its_session(store: &dyn Store) {
    store.begin_session(session(1), token(1)).await.expect("begin");
    store.begin_session(session(2), token(101)).await.expect("begin");
    assert_eq!(store.rotate([1; 32], token(2), second(1)).await, Ok(Rotation::Rotated(session(1))));
    for at in [2, 3] {
        let reused = store.rotate([1; 32], token(50), second(at)).await;
        assert_eq!(reused, Ok(Rotation::Reused(session_id(1))));
    }
    let revoked = LoginSession { revoked_at: Some(second(2)), ..session(1) };
    assert_eq!(store.session(session_id(1)).await, Ok(Some(revoked)));
    assert_eq!(store.rotate([2; 32], token(3), second(4)).await, Ok(Rotation::Invalid), "its current token");
    assert_eq!(store.rotate([1; 32], token(2), second(4)).await, Ok(Rotation::Invalid), "the first pair");
    assert_eq!(store.rotate([101; 32], token(102), second(4)).await, Ok(Rotation::Rotated(session(2))));
}

async fn a_token_ends_with_its_time_or_its_session(store: &dyn Store) {
    let long = RefreshToken { expires_at: second(2000), ..token(2) };
    store.begin_session(session(1), token(1)).await.expect("begin");
    store.begin_session(session(2), long).await.expect("begin");
    assert_eq!(
        store.rotate([1; 32], token(11), second(100)).await,
        Ok(Rotation::Invalid),
        "the token is over"
    );
    assert_eq!(
        store.rotate([2; 32], token(12), second(1000)).await,
        Ok(Rotation::Invalid),
        "the session is over"
    );
    assert_eq!(store.rotate([1; 32], token(11), second(99)).await, Ok(Rotation::Rotated(session(1))));
    assert_eq!(store.rotate([2; 32], token(12), second(999)).await, Ok(Rotation::Rotated(session(2))));
}

async fn of_a_hundred_rotations_one_wins(store: &dyn Store) {
    store.begin_session(session(1), token(1)).await.expect("begin");
    let answers = join_all((100..200).map(|number| store.rotate([1; 32], token(number), second(1)))).await;
    let count = |wanted: &Rotation| answers.iter().filter(|answer| answer.as_ref() == Ok(wanted)).count();
    // A winner that had to ask twice is told that the losers have ended the session since.
    assert_eq!(count(&Rotation::Rotated(session(1))) + count(&Rotation::Invalid), 1, "{answers:?}");
    assert_eq!(count(&Rotation::Reused(session_id(1))), 99);
    let revoked = LoginSession { revoked_at: Some(second(1)), ..session(1) };
    assert_eq!(store.session(session_id(1)).await, Ok(Some(revoked)));
}

async fn a_session_is_revoked_once(store: &dyn Store) {
    store.begin_session(session(1), token(1)).await.expect("begin");
    store.begin_session(session(2), token(2)).await.expect("begin");
    assert_eq!(store.revoke(session_id(3), second(1)).await, Ok(false), "no such session");
    assert_eq!(store.revoke(session_id(1), second(5)).await, Ok(true));
    assert_eq!(store.revoke(session_id(1), second(5)).await, Ok(true), "the same call again");
    assert_eq!(store.revoke(session_id(1), second(6)).await, Ok(false));
    assert_eq!(store.revoke(session_id(2), second(1000)).await, Ok(false), "over by then");
    let revoked = LoginSession { revoked_at: Some(second(5)), ..session(1) };
    assert_eq!(store.session(session_id(1)).await, Ok(Some(revoked)));
    assert_eq!(store.session(session_id(2)).await, Ok(Some(session(2))));
    assert_eq!(store.rotate([1; 32], token(11), second(6)).await, Ok(Rotation::Invalid));
}

fn ticket(number: u8) -> Ticket {
    let owner = u128::from(number);
    Ticket { hash: [number; 32], user: user(owner), session: session_id(owner), expires_at: second(30) }
}

async fn a_ticket_is_taken_once_and_in_time(store: &dyn Store) {
    for number in 1..=3 {
        assert_eq!(store.put_ticket(ticket(number)).await, Ok(()));
    }
    let first = store.take_ticket([1; 32], second(29)).await;
    assert!(is_taken_or_lost(&first, 1), "{first:?}");
    for (number, at, why) in [(1, 29, "taken"), (2, 30, "over"), (4, 1, "never put")] {
        let answer = store.take_ticket([number; 32], second(at)).await;
        assert!(!matches!(answer, Ok(Some(_))), "{why}: {answer:?}");
    }
    let third = store.take_ticket([3; 32], second(0)).await;
    assert!(is_taken_or_lost(&third, 3), "{third:?}");
}

/// The answer to taking a ticket that is there; a caller that did not hear it cannot ask again.
fn is_taken_or_lost(answer: &Result<Option<Ticket>, StoreError>, number: u8) -> bool {
    matches!(answer, Err(StoreError::Unknown(_))) || *answer == Ok(Some(ticket(number)))
}

async fn of_a_hundred_takers_one_gets_the_ticket(store: &dyn Store) {
    store.put_ticket(ticket(1)).await.expect("put");
    let answers = join_all((0..100).map(|_| store.take_ticket([1; 32], second(1)))).await;
    let winners = answers.iter().filter(|answer| **answer == Ok(Some(ticket(1)))).count();
    let lost = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Unknown(_)))).count();
    let losers = answers.iter().filter(|answer| **answer == Ok(None)).count();
    assert!(winners == 1 || (winners == 0 && lost > 0), "{answers:?}");
    assert_eq!(winners + lost + losers, 100);
}

async fn what_has_ended_is_forgotten_and_nothing_else(store: &dyn Store) {
    let until = |number: u8, expires_at| RefreshToken { hash: [number; 32], expires_at: second(expires_at) };
    for (number, session_end, token_end) in [(1, 100, 50), (2, 500, 150), (3, 500, 50)] {
        let session = LoginSession { expires_at: second(session_end), ..session(u128::from(number)) };
        store.begin_session(session, until(number, token_end)).await.expect("begin");
        let ticket = Ticket { expires_at: second(token_end), ..ticket(number) };
        store.put_ticket(ticket).await.expect("put");
    }
    store.begin_session(session(4), until(4, 900)).await.expect("begin");
    assert_eq!(store.revoke(session_id(4), second(20)).await, Ok(true));

    for _ in 0..2 {
        assert_eq!(store.purge(second(101)).await, Ok(()));
    }
    let mut kept = vec![];
    for number in 1..=4 {
        kept.push(store.session(session_id(number)).await.expect("read").is_some());
    }
    assert_eq!(kept, [false, true, true, false]);
    assert!(matches!(store.rotate([2; 32], until(12, 150), second(1)).await, Ok(Rotation::Rotated(_))));
    assert_eq!(store.rotate([3; 32], until(13, 150), second(1)).await, Ok(Rotation::Invalid));
    assert_eq!(store.rotate([4; 32], until(14, 150), second(1)).await, Ok(Rotation::Invalid));
    let gone = store.take_ticket([1; 32], second(1)).await;
    assert!(!matches!(gone, Ok(Some(_))), "{gone:?}");
    let kept = store.take_ticket([2; 32], second(1)).await;
    assert!(!matches!(kept, Ok(None)), "{kept:?}");
}

async fn a_login_is_a_session_and_its_user(store: &dyn Store) {
    assert_eq!(store.login(session_id(1)).await, Ok(None));
    store.begin_session(session(1), token(1)).await.expect("begin");
    assert_eq!(store.login(session_id(1)).await, Ok(Some(Login { session: session(1), user: None })));
    let account = account(1, "a@example.org", "alice");
    store.create_account(account.clone()).await.expect("create");
    let login = Login { session: session(1), user: Some(account.user) };
    assert_eq!(store.login(session_id(1)).await, Ok(Some(login)));
}
