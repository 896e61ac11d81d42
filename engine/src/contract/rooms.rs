//! The cases of projections: what a member sees of its rooms.

use super::fixture::{Pen, append, batch, body, open_room, room, text, user};
use crate::store::{
    Activation, Membership, Opening, Projection, Range, RoomState, RoomsCursor, Settings, Store,
};
use rookery_protocol::{Event, Head, Role, RoomId, RoomKind, Seq, UserId};
use serde_json::json;

super::case_list![
    a_room_is_seen_by_its_members_only,
    projections_written_again_change_nothing,
    an_older_projection_never_replaces_a_newer_one,
    unread_counts_messages_after_the_cursor_or_the_joining,
    mentions_after_the_cursor_are_counted_once_a_message,
    leaving_hides_the_room_and_coming_back_shows_it,
    rooms_are_listed_by_newest_activity_in_pages,
    members_are_listed_by_id_in_pages,
    an_activation_says_what_its_parts_say,
    an_opening_says_what_its_parts_say,
];

async fn state(store: &dyn Store, room: RoomId, user: UserId) -> Option<RoomState> {
    store.room_state(room, user).await.expect("read")
}

/// Appends a message of `by` with what else follows from it.
async fn say(
    store: &dyn Store,
    pen: &mut Pen,
    by: UserId,
    projections: impl FnOnce(&Event) -> Vec<Projection>,
) {
    let event = pen.message(by, "hello");
    let projections = projections(&event);
    append(store, vec![event], projections).await;
}

fn read_to(user: UserId, seq: u64, ord: u64) -> Projection {
    Projection::Read { user, seq: Seq(seq), ord }
}

async fn a_room_is_seen_by_its_members_only(store: &dyn Store) {
    assert_eq!(store.room(room(1)).await, Ok(None));
    assert_eq!(state(store, room(1), user(1)).await, None);
    let pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    open_room(store, room(2), RoomKind::Channel, &[user(3)]).await;

    let record = pen.record(RoomKind::Group, 2);
    assert_eq!(store.room(room(1)).await, Ok(Some(record.clone())));
    let membership = Membership {
        room: room(1),
        user: user(1),
        role: Some(Role::Member),
        joined: Seq(2),
        joined_ord: 0,
        rev: Seq(2),
    };
    let head = Head { seq: Seq(3), ord: 0, at: pen.at };
    let seen = RoomState {
        record,
        head,
        membership,
        read: Seq(2),
        read_ord: 0,
        delivered: Seq(2),
        mentions: 0,
        settings: Settings::default(),
        preview: None,
    };
    assert_eq!(state(store, room(1), user(1)).await, Some(seen));
    assert_eq!(state(store, room(1), user(3)).await, None);
}

async fn projections_written_again_change_nothing(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    let event = pen.message(user(1), "to you");
    let seq = pen.seq;
    let projections = vec![
        Projection::Room(pen.record(RoomKind::Group, 2)),
        pen.membership(user(3), Some(Role::Reader)),
        read_to(user(1), 4, 1),
        Projection::Mention { user: Some(user(2)), seq },
        Projection::Mention { user: None, seq },
    ];
    append(store, vec![event], projections.clone()).await;
    let seen = |number| state(store, room(1), user(number));
    let before = [seen(1).await, seen(2).await, seen(3).await];
    assert_eq!(before[1].as_ref().map(|state| (state.unread(), state.mentions)), Some((1, 1)));

    append(store, vec![pen.event(user(1), None, body(&change(3)))], projections).await;
    let mut after = [seen(1).await, seen(2).await, seen(3).await];
    for state in after.iter_mut().flatten() {
        assert_eq!(state.head, Head { seq: Seq(5), ord: 1, at: pen.at });
        state.head = Head { seq: Seq(4), ord: 1, at: pen.at.plus_millis(-1000) };
    }
    assert_eq!(after, before);
}

/// Returns a change of user `number`'s role, an event that counts as no message.
fn change(number: u128) -> serde_json::Value {
    json!({ "type": "member", "body": { "user": user(number), "change": "role", "role": "admin" } })
}

async fn an_older_projection_never_replaces_a_newer_one(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1)]).await;
    let old = pen.clone();
    let event = pen.event(user(1), None, body(&change(2)));
    let new_record = pen.record(RoomKind::Group, 2);
    let new = vec![
        Projection::Room(new_record.clone()),
        pen.membership(user(2), Some(Role::Admin)),
        read_to(user(2), 3, 0),
    ];
    append(store, vec![event], new).await;
    let before = state(store, room(1), user(2)).await;

    let mut older = vec![
        Projection::Room(old.record(RoomKind::Channel, 1)),
        old.membership(user(2), None),
        read_to(user(2), 2, 0),
    ];
    let event = pen.event(user(1), None, body(&change(1)));
    older.push(pen.membership(user(1), Some(Role::Admin)));
    append(store, vec![event], older).await;
    let after = state(store, room(1), user(2)).await.expect("still a member");
    assert_eq!(store.room(room(1)).await, Ok(Some(new_record)));
    assert_eq!(after.head.seq, Seq(4));
    assert_eq!(Some(RoomState { head: before.as_ref().expect("a member").head, ..after }), before);
}

async fn unread_counts_messages_after_the_cursor_or_the_joining(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    for _ in 0..3 {
        say(store, &mut pen, user(1), |event| vec![read_to(user(1), event.seq.0, event.ord)]).await;
    }
    let event = pen.event(user(1), None, body(&change(3)));
    append(store, vec![event], vec![pen.membership(user(3), Some(Role::Member))]).await;
    say(store, &mut pen, user(1), |event| vec![read_to(user(1), event.seq.0, event.ord)]).await;

    let mut seen = vec![];
    for number in 1..=3 {
        let state = state(store, room(1), user(number)).await.expect("a member");
        seen.push((state.read.0, state.read_ord, state.unread()));
    }
    assert_eq!(seen, [(8, 4, 0), (3, 0, 4), (7, 3, 1)]);

    // A cursor moves forward only, also when the marks come in another order.
    let marks = vec![read_to(user(2), 6, 3), read_to(user(2), 4, 1), read_to(user(3), 5, 2)];
    append(store, vec![pen.event(user(1), None, body(&change(1)))], marks).await;
    let second = state(store, room(1), user(2)).await.expect("a member");
    assert_eq!((second.read, second.read_ord, second.unread()), (Seq(6), 3, 1));
    let third = state(store, room(1), user(3)).await.expect("a member");
    assert_eq!((third.read, third.read_ord, third.unread()), (Seq(7), 3, 1), "a mark before the joining");
    assert_eq!(store.total_unread(user(2)).await, Ok(1));
}

async fn mentions_after_the_cursor_are_counted_once_a_message(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2), user(3)]).await;
    let mention =
        |user: Option<UserId>| move |event: &Event| vec![Projection::Mention { user, seq: event.seq }];
    say(store, &mut pen, user(1), mention(Some(user(2)))).await;
    say(store, &mut pen, user(1), mention(None)).await;
    say(store, &mut pen, user(1), |event| {
        [None, Some(user(2)), Some(user(3))].map(|user| Projection::Mention { user, seq: event.seq }).into()
    })
    .await;
    say(store, &mut pen, user(1), |_| vec![]).await;
    let mentions =
        |number| async move { state(store, room(1), user(number)).await.map(|state| state.mentions) };
    assert_eq!([mentions(1).await, mentions(2).await, mentions(3).await], [Some(2), Some(3), Some(2)]);

    say(store, &mut pen, user(1), |_| vec![read_to(user(2), 6, 2), read_to(user(3), 8, 4)]).await;
    assert_eq!([mentions(1).await, mentions(2).await, mentions(3).await], [Some(2), Some(1), Some(0)]);
}

async fn leaving_hides_the_room_and_coming_back_shows_it(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    say(store, &mut pen, user(1), |_| vec![]).await;
    let joined = pen.clone();
    let left = json!({ "type": "member", "body": { "user": user(2), "change": "left" } });
    let event = pen.event(user(2), None, body(&left));
    let gone = Projection::Member(Membership {
        room: room(1),
        user: user(2),
        role: None,
        joined: Seq(3),
        joined_ord: 0,
        rev: pen.seq,
    });
    append(store, vec![event], vec![gone, Projection::Room(pen.record(RoomKind::Group, 1))]).await;
    assert_eq!(joined.seq.next(), pen.seq);
    assert_eq!(state(store, room(1), user(2)).await, None);
    assert_eq!(store.rooms_of(user(2), None, 10).await, Ok(vec![]));
    assert_eq!(store.total_unread(user(2)).await, Ok(0));
    let members = store.members(room(1), None, 10).await.expect("read");
    assert_eq!(members.iter().map(|member| member.user).collect::<Vec<_>>(), [user(1)]);

    let event = pen.event(user(1), None, body(&change(2)));
    append(store, vec![event], vec![pen.membership(user(2), Some(Role::Reader))]).await;
    let back = state(store, room(1), user(2)).await.expect("a member again");
    assert_eq!(
        (back.membership.role, back.read, back.read_ord, back.unread()),
        (Some(Role::Reader), Seq(6), 1, 0)
    );
}

async fn rooms_are_listed_by_newest_activity_in_pages(store: &dyn Store) {
    for number in 1..=7 {
        let mut pen = open_room(store, room(number), RoomKind::Group, &[user(1), user(2)]).await;
        // Rooms 2 and 3, and 5 and 6, have the same newest moment.
        let moments = [0, 60, 60, 20, 90, 90, 10][usize::try_from(number).expect("small") - 1];
        pen.at = pen.at.plus_millis(moments * 1000);
        say(store, &mut pen, user(2), |_| vec![]).await;
    }
    open_room(store, room(8), RoomKind::Inbox, &[user(1)]).await;
    open_room(store, room(9), RoomKind::Group, &[user(2)]).await;

    let all = store.rooms_of(user(1), None, 100).await.expect("read");
    let order: Vec<_> = all.iter().map(|state| state.record.room).collect();
    assert_eq!(order, [6, 5, 3, 2, 4, 7, 1].map(room));
    for size in [1, 2, 3, 7, 8] {
        let (mut paged, mut cursor) = (vec![], None);
        loop {
            let page = store.rooms_of(user(1), cursor, size).await.expect("read");
            let Some(last) = page.last() else { break };
            assert!(page.len() <= size);
            cursor = Some(RoomsCursor { at: last.head.at, room: last.record.room });
            paged.extend(page);
        }
        assert_eq!(paged, all, "pages of {size}");
    }
    for state in &all {
        assert_eq!(store.room_state(state.record.room, user(1)).await, Ok(Some(state.clone())));
    }
    assert_eq!(store.total_unread(user(1)).await, Ok(7));
    assert_eq!(store.rooms_of(user(3), None, 100).await, Ok(vec![]));
    assert_eq!(store.total_unread(user(3)).await, Ok(0));
}

async fn members_are_listed_by_id_in_pages(store: &dyn Store) {
    let users: Vec<_> = [5, 1, 9, 3, 7].map(user).into();
    let mut pen = open_room(store, room(1), RoomKind::Group, &users).await;
    open_room(store, room(2), RoomKind::Group, &[user(4)]).await;
    let event = pen.event(user(1), None, text("bye"));
    append(store, vec![event], vec![pen.membership(user(3), None)]).await;

    let all = store.members(room(1), None, 100).await.expect("read");
    assert_eq!(all.iter().map(|member| member.user).collect::<Vec<_>>(), [1, 5, 7, 9].map(user));
    assert_eq!(all[1].joined, Seq(2), "the first that was added");
    for size in [1, 2, 3] {
        let (mut paged, mut after) = (vec![], None);
        loop {
            let page = store.members(room(1), after, size).await.expect("read");
            let Some(last) = page.last() else { break };
            assert!(page.len() <= size);
            after = Some(last.user);
            paged.extend(page);
        }
        assert_eq!(paged, all, "pages of {size}");
    }
    assert_eq!(store.members(room(1), Some(user(3)), 1).await, Ok(vec![all[1]]), "after one who has gone");
    assert_eq!(store.members(room(3), None, 10).await, Ok(vec![]));
    assert!(store.append(batch(vec![pen.message(user(1), "go on")], vec![])).await.is_ok());
}

async fn an_activation_says_what_its_parts_say(store: &dyn Store) {
    assert_eq!(store.activation(room(1), 10, 10).await, Ok(None));
    let users: Vec<UserId> = (1..=5).map(user).collect();
    let mut pen = open_room(store, room(1), RoomKind::Group, &users).await;
    for _ in 0..4 {
        say(store, &mut pen, user(1), |_| Vec::new()).await;
    }
    for (members, events) in [(10, 100), (5, 3), (2, 1)] {
        let head = store.head(room(1)).await.expect("read").expect("it has events");
        let parts = Activation {
            head,
            record: store.room(room(1)).await.expect("read"),
            members: store.members(room(1), None, members).await.expect("read"),
            events: store.read(room(1), Range::Before(head.seq.next()), events).await.expect("read"),
        };
        assert_eq!((parts.members.len(), parts.events.len()), (members.min(5), events.min(10)));
        assert_eq!(store.activation(room(1), members, events).await, Ok(Some(parts)));
    }
}

async fn an_opening_says_what_its_parts_say(store: &dyn Store) {
    assert_eq!(store.opening(room(1), user(1), 10).await, Ok(None));
    let users: Vec<UserId> = (1..=3).map(user).collect();
    let mut pen = open_room(store, room(1), RoomKind::Group, &users).await;
    say(store, &mut pen, user(1), |event| vec![read_to(user(1), event.seq.0, event.ord)]).await;
    for (most, is_small) in [(3, true), (2, false)] {
        let state = state(store, room(1), user(2)).await.expect("a member");
        let cursors = store.cursors(room(1), most).await.expect("read");
        assert_eq!(cursors.len(), 1);
        let opening = Opening { state, cursors: is_small.then_some(cursors) };
        assert_eq!(store.opening(room(1), user(2), most).await, Ok(Some(opening)));
    }
    assert_eq!(store.opening(room(1), user(4), 10).await, Ok(None), "no member");
}
