//! The cases of batches that are not applied: nothing of what they imply is.

use super::fixture::{Change, Pen, append, batch, client_id, open_room, room, text, user};
use crate::store::{
    Append, AppendError, Membership, Notice, NoticeKind, Projection, Range, Store, StoreError,
};
use rookery_protocol::{Event, Message, Role, RoomKind, Seq};

super::case_list![
    a_stale_batch_leaves_nothing,
    a_refused_batch_leaves_nothing,
    a_batch_with_a_repetition_leaves_nothing,
    a_first_batch_that_repeats_itself_leaves_no_room,
    what_follows_a_batch_that_was_taken_back_is_in_its_place,
];

/// Returns room 1 with users 1 and 2 and two messages at 4 and 5, of which the first was reacted to.
async fn begin(store: &dyn Store) -> Pen {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[1, 2].map(user)).await;
    let messages = vec![pen.message(user(1), "first"), pen.event(user(1), Some(client_id(1)), text("named"))];
    append(store, messages, vec![]).await;
    let (event, projection) = pen.change(user(2), Seq(4), &Change::React("+1"));
    append(store, vec![event], vec![projection]).await;
    pen
}

/// Returns one projection of each kind, each of which would be seen.
fn everything(pen: &Pen) -> Vec<Projection> {
    let (rev, at) = (pen.seq, pen.at);
    let event = pen.clone().event(user(1), None, text("to know when"));
    let event = Event { seq: rev, ..event };
    let member = |number, role| {
        Projection::Member(Membership {
            room: room(1),
            user: user(number),
            role,
            joined: rev,
            joined_ord: 0,
            rev,
        })
    };
    let notice =
        Notice { user: user(2), room: room(1), seq: rev, kind: NoticeKind::Mention, by: user(1), at };
    vec![
        Projection::Room(pen.record(RoomKind::Channel, 77)),
        member(2, None),
        member(3, Some(Role::Owner)),
        Projection::Read { user: user(1), seq: rev, ord: 7 },
        Projection::Mention { user: None, seq: Seq(4) },
        Change::Edit("edited").of(Seq(4), &event),
        Change::React("x").of(Seq(4), &event),
        Change::Unreact("+1").of(Seq(4), &Event { by: user(2), ..event.clone() }),
        Change::Pin.of(Seq(5), &event),
        Change::Delete.of(Seq(4), &event),
        Projection::Notice(notice),
    ]
}

/// What anybody can see of the store.
#[derive(Debug, PartialEq)]
struct Everything {
    log: Vec<Event>,
    page: Vec<Message>,
    of_rooms: String,
    notices: Vec<Notice>,
}

async fn look(store: &dyn Store) -> Everything {
    let all = Range::After(Seq::ZERO);
    let users = [1, 2, 3].map(user);
    let rooms = [store.rooms_of(users[0], None, 9).await, store.rooms_of(users[2], None, 9).await];
    let of_rooms = format!(
        "{:?} {:?} {:?} {:?} {:?} {rooms:?}",
        store.room(room(1)).await,
        store.head(room(1)).await,
        store.members(room(1), None, 9).await,
        store.room_states(room(1), &users).await,
        store.cursors(room(1), 9).await,
    );
    Everything {
        log: store.read(room(1), all, usize::MAX).await.expect("read"),
        page: store.page(room(1), all, usize::MAX, user(2)).await.expect("read"),
        of_rooms,
        notices: store.notices(None, 9).await.expect("read"),
    }
}

async fn a_stale_batch_leaves_nothing(store: &dyn Store) {
    let mut pen = begin(store).await;
    let before = look(store).await;
    for seq in [0, 3, 5, 7, 900] {
        let mut other = Pen { seq: Seq(seq), ..pen.clone() };
        let event = other.message(user(1), "hello");
        let answer = store.append(batch(vec![event], everything(&other))).await;
        let stale = AppendError::Stale { expected: Seq(seq), head: Seq(6) };
        assert_eq!(answer, Err(stale));
        assert_eq!(look(store).await, before, "after {seq}");
    }
    let event = pen.message(user(1), "hello");
    append(store, vec![event], everything(&pen)).await;
    assert_ne!(look(store).await, before, "all of it would have been seen");
}

async fn a_refused_batch_leaves_nothing(store: &dyn Store) {
    let mut pen = begin(store).await;
    let before = look(store).await;
    let event = pen.message(user(1), "hello");
    let good = batch(vec![event.clone()], everything(&pen));
    let foreign = Append { room: room(2), ..good.clone() };
    for bad in [Append { events: [].into(), ..good.clone() }, Append { expected: Seq(7), ..good }, foreign] {
        let answer = store.append(bad).await;
        assert!(matches!(answer, Err(AppendError::Store(StoreError::Refused(_)))), "{answer:?}");
        assert_eq!(look(store).await, before);
    }
}

async fn a_batch_with_a_repetition_leaves_nothing(store: &dyn Store) {
    let pen = begin(store).await;
    let before = look(store).await;
    for place in [0, 1, 30, 63] {
        let mut other = pen.clone();
        let mut events = other.messages(user(2), 64);
        events[place] = Event { by: user(1), client_id: Some(client_id(1)), ..events[place].clone() };
        let answer = store.append(batch(events, everything(&other))).await;
        assert_eq!(answer, Err(AppendError::Duplicate { by: user(1), client_id: client_id(1) }));
        assert_eq!(look(store).await, before, "a repetition at {place}");
    }
}

async fn a_first_batch_that_repeats_itself_leaves_no_room(store: &dyn Store) {
    let mut pen = Pen::new(room(1));
    let name = Some(client_id(1));
    let twice = vec![pen.event(user(1), name, text("once")), pen.event(user(1), name, text("twice"))];
    let mut projections = everything(&pen);
    projections.push(pen.membership(user(1), Some(Role::Member)));
    let answer = store.append(batch(twice.clone(), projections.clone())).await;
    assert_eq!(answer, Err(AppendError::Duplicate { by: user(1), client_id: client_id(1) }));
    assert_eq!(store.head(room(1)).await, Ok(None));
    assert_eq!(store.room(room(1)).await, Ok(None));
    assert_eq!(store.find(room(1), user(1), client_id(1)).await, Ok(None));
    let nothing = look(store).await;
    assert_eq!((nothing.log, nothing.page, nothing.notices), (vec![], vec![], vec![]));
    append(store, twice[..1].to_vec(), projections).await;
    assert_eq!(store.head(room(1)).await.map(|head| head.map(|head| head.seq)), Ok(Some(Seq(1))));
}

async fn what_follows_a_batch_that_was_taken_back_is_in_its_place(store: &dyn Store) {
    let mut pen = begin(store).await;
    let mut other = pen.clone();
    let mut events = other.messages(user(2), 3);
    events[2].client_id = Some(client_id(1));
    events[2].by = user(1);
    assert!(store.append(batch(events.clone(), everything(&other))).await.is_err());
    // The very same names are free again, and what goes by positions meets the new events.
    events.truncate(2);
    append(store, events.clone(), vec![]).await;
    drop(pen.messages(user(2), 2));
    let state = store.room_state(room(1), user(1)).await.expect("read").expect("a member");
    assert_eq!((state.head.seq, state.head.ord, state.head.at), (pen.seq, pen.ord, pen.at));
    assert_eq!(state.preview.map(|preview| preview.text), Some("message 1".to_owned()));
    for event in events {
        let name = event.client_id.expect("it has one");
        let found = store.find(room(1), user(2), name).await.expect("read");
        assert_eq!(found.map(|receipt| receipt.seq), Some(event.seq));
    }
    let (event, projection) = pen.change(user(1), Seq(7), &Change::Edit("found by its place"));
    append(store, vec![event], vec![projection]).await;
    let mark = crate::store::Mark { user: user(1), kind: crate::store::CursorKind::Read, seq: Seq(7) };
    assert_eq!(store.mark(room(1), &[mark]).await, Ok(()));
    let state = store.room_state(room(1), user(1)).await.expect("read").expect("a member");
    assert_eq!((state.read_ord, state.unread()), (3, 1));
}
