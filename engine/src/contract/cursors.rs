//! The cases of cursors and settings: how far members have come, and how they have their rooms.

use super::fixture::{Change, Pen, append, body, change, open_room, room, second, user};
use crate::store::{
    CursorKind::{self, Delivered, Read},
    Mark, MemberCursor, Membership, Projection, Reached, RoomState, Settings, SettingsChange, Store,
};
use rookery_protocol::{Notify, Role, RoomKind, Seq, UserId};
use serde_json::json;

super::case_list![
    a_cursor_moves_forward_in_any_order_of_its_marks,
    a_mark_and_what_its_own_message_implies_agree_in_any_order,
    what_is_read_has_been_delivered,
    unread_counts_what_a_mark_has_not_reached,
    cursors_are_listed_by_id_of_present_members,
    those_who_have_come_to_a_position_are_counted,
    a_cursor_outlasts_leaving_and_coming_back,
    settings_change_one_by_one_and_each_member_has_its_own,
    many_members_see_what_each_would_see,
];

fn to(number: u128, kind: CursorKind, seq: u64) -> Mark {
    Mark { user: user(number), kind, seq: Seq(seq) }
}

async fn mark(store: &dyn Store, marks: &[Mark]) {
    assert_eq!(store.mark(room(1), marks).await, Ok(()));
}

async fn state(store: &dyn Store, number: u128) -> RoomState {
    store.room_state(room(1), user(number)).await.expect("read").expect("a member")
}

/// Returns what is read, how many messages that were, what is unread, and what is delivered.
async fn seen(store: &dyn Store, number: u128) -> [u64; 4] {
    let state = state(store, number).await;
    [state.read.0, state.read_ord, state.unread(), state.delivered.0]
}

/// Returns room 1 with `members` from position 2 on and then five messages of the first.
async fn five_messages(store: &dyn Store, members: &[UserId]) -> Pen {
    let mut pen = open_room(store, room(1), RoomKind::Group, members).await;
    append(store, pen.messages(members[0], 5), vec![]).await;
    pen
}

async fn a_cursor_moves_forward_in_any_order_of_its_marks(store: &dyn Store) {
    // Members 1 to 3 joined at 2 to 4, and the messages are at 5 to 9.
    five_messages(store, &[1, 2, 3].map(user)).await;
    assert_eq!(seen(store, 2).await, [3, 0, 5, 3], "nothing read is read up to the joining");
    mark(store, &[]).await;
    for (marks, expected) in [
        (vec![to(2, Read, 6)], [6, 2, 3, 6]),
        (vec![to(2, Read, 6)], [6, 2, 3, 6]),
        (vec![to(2, Read, 5)], [6, 2, 3, 6]),
        (vec![to(2, Delivered, 5)], [6, 2, 3, 6]),
        (vec![to(2, Delivered, 8), to(2, Delivered, 7)], [6, 2, 3, 8]),
        (vec![to(2, Read, 7), to(2, Read, 6), to(2, Delivered, 6)], [7, 3, 2, 8]),
        (vec![to(2, Read, 0), to(2, Delivered, 0)], [7, 3, 2, 8]),
        (vec![to(2, Read, 9)], [9, 5, 0, 9]),
    ] {
        mark(store, &marks).await;
        assert_eq!(seen(store, 2).await, expected, "{marks:?}");
    }
    assert_eq!(seen(store, 3).await, [4, 0, 5, 4], "the other member's");
    mark(store, &[to(3, Read, 1)]).await;
    assert_eq!(seen(store, 3).await, [4, 0, 5, 4], "a mark before the joining");

    open_room(store, room(2), RoomKind::Group, &[user(2)]).await;
    let other = store.room_state(room(2), user(2)).await.expect("read").expect("a member");
    assert_eq!((other.read, other.delivered), (Seq(2), Seq(2)), "another room");
}

async fn a_mark_and_what_its_own_message_implies_agree_in_any_order(store: &dyn Store) {
    let mut pen = five_messages(store, &[1, 2].map(user)).await;
    let implied = |user, seq, ord| Projection::Read { user, seq: Seq(seq), ord };
    // The messages are at 4 to 8; each user's own come at 9 and 10.
    mark(store, &[to(2, Read, 7)]).await;
    append(store, vec![pen.message(user(1), "mine")], vec![implied(user(1), 9, 6)]).await;
    append(store, vec![pen.message(user(2), "mine")], vec![implied(user(2), 10, 7)]).await;
    mark(store, &[to(1, Read, 6), to(2, Read, 8), to(1, Delivered, 7)]).await;
    assert_eq!(seen(store, 1).await, [9, 6, 1, 9]);
    assert_eq!(seen(store, 2).await, [10, 7, 0, 10]);
    mark(store, &[to(1, Read, 10)]).await;
    let old = vec![implied(user(1), 9, 6), implied(user(2), 10, 7)];
    append(store, vec![pen.message(user(1), "late")], old).await;
    assert_eq!(seen(store, 1).await, [10, 7, 1, 10]);
    // A position between two messages counts those up to it.
    let [edit, pin] = [Change::Edit("so"), Change::Pin];
    let rev = change(store, &mut pen, (user(1), Seq(11)), edit).await;
    change(store, &mut pen, (user(1), Seq(11)), pin).await;
    mark(store, &[to(2, Read, rev.0)]).await;
    assert_eq!(seen(store, 2).await, [12, 8, 0, 12]);
}

async fn what_is_read_has_been_delivered(store: &dyn Store) {
    five_messages(store, &[1, 2].map(user)).await;
    let cursors = || store.cursors(room(1), 10);
    let cursor = |number, read, delivered| MemberCursor {
        user: user(number),
        read: Seq(read),
        delivered: Seq(delivered),
    };
    mark(store, &[to(1, Delivered, 5), to(2, Read, 6)]).await;
    assert_eq!(cursors().await, Ok(vec![cursor(1, 0, 5), cursor(2, 6, 6)]));
    mark(store, &[to(1, Read, 4), to(2, Delivered, 7)]).await;
    assert_eq!(cursors().await, Ok(vec![cursor(1, 4, 5), cursor(2, 6, 7)]));
    mark(store, &[to(1, Read, 8), to(2, Read, 7)]).await;
    assert_eq!(cursors().await, Ok(vec![cursor(1, 8, 8), cursor(2, 7, 7)]));
    for kind in [Read, Delivered] {
        let reached = store.reached(room(1), kind, Seq(7), 10).await;
        assert_eq!(reached, Ok(Reached { count: 2, users: vec![user(1), user(2)] }), "{kind:?}");
    }
}

async fn unread_counts_what_a_mark_has_not_reached(store: &dyn Store) {
    let mut pen = five_messages(store, &[1, 2].map(user)).await;
    let mention = |seq| Projection::Mention { user: Some(user(2)), seq };
    let event = pen.message(user(1), "to you");
    append(store, vec![event], vec![mention(Seq(9)), mention(Seq(5))]).await;
    let counts = || async {
        let state = state(store, 2).await;
        assert_eq!(store.total_unread(user(2)).await, Ok(state.unread()));
        (state.unread(), state.mentions)
    };
    assert_eq!(counts().await, (6, 2));
    mark(store, &[to(2, Delivered, 9)]).await;
    assert_eq!(counts().await, (6, 2), "it has arrived, and was not read");
    mark(store, &[to(2, Read, 5)]).await;
    assert_eq!(counts().await, (4, 1));
    change(store, &mut pen, (user(1), Seq(7)), Change::Edit("so")).await;
    change(store, &mut pen, (user(1), Seq(8)), Change::Delete).await;
    change(store, &mut pen, (user(2), Seq(7)), Change::React("+1")).await;
    assert_eq!(counts().await, (4, 1), "changes are no messages, and a deleted one was one");
    mark(store, &[to(2, Read, pen.seq.0)]).await;
    assert_eq!(counts().await, (0, 0));
}

/// Returns the event and the projection that take user `number`, who joined at `joined`, out of the room.
async fn leave(store: &dyn Store, pen: &mut Pen, number: u128, joined: u64) {
    let left = json!({ "type": "member", "body": { "user": user(number), "change": "left" } });
    let event = pen.event(user(number), None, body(&left));
    let gone = Membership {
        room: pen.room,
        user: user(number),
        role: None,
        joined: Seq(joined),
        joined_ord: 0,
        rev: pen.seq,
    };
    append(store, vec![event], vec![Projection::Member(gone)]).await;
}

async fn join(store: &dyn Store, pen: &mut Pen, number: u128) {
    let added =
        json!({ "type": "member", "body": { "user": user(number), "change": "added", "role": "member" } });
    let event = pen.event(user(1), None, body(&added));
    append(store, vec![event], vec![pen.membership(user(number), Some(Role::Member))]).await;
}

async fn cursors_are_listed_by_id_of_present_members(store: &dyn Store) {
    let mut pen = five_messages(store, &[5, 3, 9, 1, 7].map(user)).await;
    let found = |limit| async move {
        let cursors = store.cursors(room(1), limit).await.expect("read");
        cursors.into_iter().map(|cursor| (cursor.user, cursor.read.0)).collect::<Vec<_>>()
    };
    assert_eq!(found(10).await, [], "nobody has marked anything");
    mark(store, &[to(9, Read, 8), to(5, Read, 9), to(1, Delivered, 7), to(3, Read, 10), to(4, Read, 11)])
        .await;
    assert_eq!(found(10).await, [(user(1), 0), (user(3), 10), (user(5), 9), (user(9), 8)], "4 is no member");
    assert_eq!(found(2).await, [(user(1), 0), (user(3), 10)]);
    assert_eq!(found(0).await, []);
    leave(store, &mut pen, 3, 3).await;
    assert_eq!(found(2).await, [(user(1), 0), (user(5), 9)], "a page is of those who are there");
    assert_eq!(store.cursors(room(2), 10).await, Ok(vec![]));
}

async fn those_who_have_come_to_a_position_are_counted(store: &dyn Store) {
    // They joined at 2 to 5, and the messages are at 6 to 10.
    let mut pen = five_messages(store, &[1, 2, 3, 4].map(user)).await;
    join(store, &mut pen, 5).await;
    append(store, vec![pen.message(user(1), "hello")], vec![]).await;
    mark(store, &[to(1, Read, 12), to(2, Read, 7), to(3, Delivered, 8), to(4, Read, 6), to(5, Read, 12)])
        .await;
    mark(store, &[to(6, Read, 12)]).await;
    let reached = |kind, seq, limit| async move {
        let Reached { count, users } = store.reached(room(1), kind, Seq(seq), limit).await.expect("read");
        assert!(users.len() <= limit);
        (count, users)
    };
    let users = |numbers: &[u128]| numbers.iter().copied().map(user).collect::<Vec<_>>();
    assert_eq!(reached(Read, 6, 10).await, (3, users(&[1, 2, 4])), "5 had not joined");
    assert_eq!(reached(Read, 7, 10).await, (2, users(&[1, 2])));
    assert_eq!(reached(Delivered, 7, 10).await, (3, users(&[1, 2, 3])));
    assert_eq!(reached(Delivered, 8, 10).await, (2, users(&[1, 3])));
    assert_eq!(reached(Read, 12, 10).await, (2, users(&[1, 5])), "6 is no member");
    assert_eq!(reached(Read, 13, 10).await, (0, vec![]));
    assert_eq!(reached(Delivered, 6, 2).await, (4, users(&[1, 2])), "all are counted, and some named");
    assert_eq!(reached(Read, 6, 0).await, (3, vec![]));
    leave(store, &mut pen, 1, 2).await;
    assert_eq!(reached(Read, 7, 10).await, (1, users(&[2])), "who has gone is not there");
    assert_eq!(store.reached(room(2), Read, Seq(1), 10).await, Ok(Reached::default()));
}

async fn a_cursor_outlasts_leaving_and_coming_back(store: &dyn Store) {
    let mut pen = five_messages(store, &[1, 2].map(user)).await;
    mark(store, &[to(2, Read, 8), to(1, Read, 8)]).await;
    leave(store, &mut pen, 2, 3).await;
    mark(store, &[to(2, Read, 9)]).await;
    join(store, &mut pen, 2).await;
    assert_eq!(seen(store, 2).await, [10, 5, 0, 10], "from where it joined again");
    let reached = store.reached(room(1), Read, Seq(8), 10).await.expect("read");
    assert_eq!(reached, Reached { count: 1, users: vec![user(1)] }, "it joined after that");
    let cursors = store.cursors(room(1), 10).await.expect("read");
    assert_eq!(cursors.iter().map(|cursor| cursor.read.0).collect::<Vec<_>>(), [8, 9]);
}

async fn settings_change_one_by_one_and_each_member_has_its_own(store: &dyn Store) {
    open_room(store, room(1), RoomKind::Group, &[1, 2].map(user)).await;
    open_room(store, room(2), RoomKind::Group, &[user(1)]).await;
    let none = SettingsChange::default();
    let mut expected = Settings::default();
    assert_eq!(state(store, 1).await.settings, expected);
    for change in [
        SettingsChange { pinned: Some(true), ..none },
        SettingsChange { notify: Some(Notify::None), ..none },
        SettingsChange { muted_until: Some(Some(second(5))), ..none },
        none,
        SettingsChange { archived: Some(true), notify: Some(Notify::Mentions), ..none },
        SettingsChange { muted_until: Some(None), pinned: Some(false), ..none },
        SettingsChange { notify: Some(Notify::All), archived: Some(false), ..none },
    ] {
        expected = change.of(expected);
        for _ in 0..2 {
            assert_eq!(store.change_settings(room(1), user(1), change).await, Ok(()));
            assert_eq!(state(store, 1).await.settings, expected, "{change:?}");
        }
        let listed = store.rooms_of(user(1), None, 10).await.expect("read");
        let listed: Vec<_> = listed.iter().map(|state| (state.record.room, state.settings)).collect();
        assert!(listed.contains(&(room(1), expected)) && listed.contains(&(room(2), Settings::default())));
        assert_eq!(state(store, 2).await.settings, Settings::default(), "the other member's");
    }
}

async fn many_members_see_what_each_would_see(store: &dyn Store) {
    let mut pen = five_messages(store, &[4, 2, 3, 1].map(user)).await;
    leave(store, &mut pen, 3, 4).await;
    mark(store, &[to(1, Read, 8), to(2, Delivered, 9)]).await;
    let change = SettingsChange { pinned: Some(true), ..SettingsChange::default() };
    assert_eq!(store.change_settings(room(1), user(2), change).await, Ok(()));
    let expected = vec![state(store, 1).await, state(store, 2).await, state(store, 4).await];
    let asked = [4, 3, 9, 1, 2, 4].map(user);
    assert_eq!(store.room_states(room(1), &asked).await, Ok(expected), "each once, by id, members only");
    assert_eq!(store.room_states(room(1), &[]).await, Ok(vec![]));
    assert_eq!(store.room_states(room(2), &asked).await, Ok(vec![]));
}
