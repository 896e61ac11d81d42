//! The cases of invites: who may come in by one, how often, how long.

use super::fixture::{START, room, second, user};
use crate::limits::{INVITE_KEPT_MS, INVITES_PER_ROOM};
use crate::store::{Invite, InviteCreated, InviteUsed, Store};
use futures_util::future::join_all;

super::case_list![
    an_invite_is_found_as_it_was_made,
    an_invite_is_used_once_a_user_until_it_is_used_up,
    an_invite_ends_with_its_time,
    an_invite_that_was_taken_back_lets_nobody_in,
    of_a_hundred_who_want_the_last_use_one_gets_it,
    a_room_has_a_bounded_number_of_good_invites,
    what_is_of_no_use_is_forgotten_and_nothing_else,
];

fn invite(number: u8) -> Invite {
    Invite { hash: [number; 32], room: room(1), by: user(1), created_at: START, expires_at: None, uses: None }
}

async fn make(store: &dyn Store, invite: Invite) {
    assert_eq!(store.create_invite(invite).await, Ok(InviteCreated::Created));
}

async fn an_invite_is_found_as_it_was_made(store: &dyn Store) {
    assert_eq!(store.invite([1; 32]).await, Ok(None));
    let invites = [
        invite(1),
        Invite { expires_at: Some(second(9)), ..invite(2) },
        Invite { uses: Some(u32::MAX), room: room(2), by: user(2), ..invite(3) },
    ];
    for invite in invites {
        make(store, invite).await;
        make(store, invite).await;
        assert_eq!(store.invite(invite.hash).await, Ok(Some(invite)));
    }
}

async fn an_invite_is_used_once_a_user_until_it_is_used_up(store: &dyn Store) {
    make(store, Invite { uses: Some(2), ..invite(1) }).await;
    make(store, invite(2)).await;
    let take = async |number| store.use_invite([1; 32], user(number), second(1)).await.expect("a write");
    assert_eq!([take(1).await, take(1).await, take(2).await], [InviteUsed::Used; 3]);
    assert_eq!(take(3).await, InviteUsed::Exhausted);
    assert_eq!([take(1).await, take(2).await], [InviteUsed::Used; 2], "they have taken theirs");
    for number in 1..9 {
        assert_eq!(store.use_invite([2; 32], user(number), second(1)).await, Ok(InviteUsed::Used));
    }
    assert_eq!(store.use_invite([3; 32], user(1), second(1)).await, Ok(InviteUsed::Unknown));
}

async fn an_invite_ends_with_its_time(store: &dyn Store) {
    make(store, Invite { expires_at: Some(second(5)), ..invite(1) }).await;
    assert_eq!(store.use_invite([1; 32], user(1), second(4)).await, Ok(InviteUsed::Used));
    for number in [1, 2] {
        assert_eq!(store.use_invite([1; 32], user(number), second(5)).await, Ok(InviteUsed::Expired));
    }
}

async fn an_invite_that_was_taken_back_lets_nobody_in(store: &dyn Store) {
    make(store, invite(1)).await;
    assert_eq!(store.use_invite([1; 32], user(1), second(1)).await, Ok(InviteUsed::Used));
    assert_eq!(store.revoke_invite(room(2), [1; 32], second(2)).await, Ok(false), "another room's");
    assert_eq!(store.revoke_invite(room(1), [2; 32], second(2)).await, Ok(false), "no invite");
    assert_eq!(store.use_invite([1; 32], user(2), second(2)).await, Ok(InviteUsed::Used));
    for at in [3, 4] {
        assert_eq!(store.revoke_invite(room(1), [1; 32], second(at)).await, Ok(true));
    }
    for number in [1, 3] {
        assert_eq!(store.use_invite([1; 32], user(number), second(2)).await, Ok(InviteUsed::Revoked));
    }
    assert_eq!(store.invite([1; 32]).await, Ok(Some(invite(1))));
}

async fn of_a_hundred_who_want_the_last_use_one_gets_it(store: &dyn Store) {
    make(store, Invite { uses: Some(1), ..invite(1) }).await;
    let takes = (0..100).map(|number| store.use_invite([1; 32], user(number), second(1)));
    let answers = join_all(takes).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(InviteUsed::Used)).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(InviteUsed::Exhausted)).count(), 99);
}

fn hash(number: usize) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&(number as u64).to_be_bytes());
    hash
}

async fn a_room_has_a_bounded_number_of_good_invites(store: &dyn Store) {
    for number in 0..INVITES_PER_ROOM {
        make(store, Invite { hash: hash(number), uses: Some(1), ..invite(0) }).await;
    }
    let one_more = Invite { hash: hash(1000), ..invite(0) };
    assert_eq!(store.create_invite(one_more).await, Ok(InviteCreated::TooMany));
    make(store, Invite { hash: hash(0), ..invite(0) }).await;
    make(store, Invite { hash: hash(1001), room: room(2), ..invite(0) }).await;
    // One that is used up, or taken back, makes a place.
    assert_eq!(store.use_invite(hash(5), user(1), second(1)).await, Ok(InviteUsed::Used));
    make(store, one_more).await;
    let another = Invite { hash: hash(1002), ..one_more };
    assert_eq!(store.create_invite(another).await, Ok(InviteCreated::TooMany));
    assert_eq!(store.revoke_invite(room(1), hash(6), second(1)).await, Ok(true));
    make(store, another).await;
}

async fn what_is_of_no_use_is_forgotten_and_nothing_else(store: &dyn Store) {
    let expiring = Invite { expires_at: Some(second(5)), ..invite(1) };
    let once = Invite { uses: Some(1), ..invite(2) };
    let elsewhere = Invite { room: room(2), ..expiring };
    let elsewhere = Invite { hash: [4; 32], ..elsewhere };
    for invite in [expiring, once, invite(3), elsewhere] {
        make(store, invite).await;
    }
    assert_eq!(store.use_invite([2; 32], user(1), second(1)).await, Ok(InviteUsed::Used));
    let known = async || {
        let mut known = Vec::new();
        for number in 1..=4 {
            known.extend(store.invite([number; 32]).await.expect("read").map(|_| number));
        }
        known
    };
    make(store, Invite { created_at: second(4), ..invite(10) }).await;
    assert_eq!(known().await, [1, 2, 3, 4]);
    make(store, Invite { created_at: second(5), ..invite(11) }).await;
    assert_eq!(known().await, [2, 3, 4]);
    // The use of one that is used up is remembered for a while, in which its user may ask again.
    make(store, Invite { created_at: second(1).plus_millis(INVITE_KEPT_MS - 1), ..invite(12) }).await;
    assert_eq!(known().await, [2, 3, 4]);
    make(store, Invite { created_at: second(1).plus_millis(INVITE_KEPT_MS), ..invite(13) }).await;
    assert_eq!(known().await, [3, 4]);
}
