//! The cases of notices: as durable as the event that they tell of, until they are forgotten.

use super::fixture::{Pen, append, batch, open_room, room, second, user};
use crate::store::{Notice, NoticeKind, Projection, Store};
use rookery_protocol::{RoomKind, Seq};

super::case_list![
    a_notice_is_there_with_its_event,
    a_notice_is_forgotten_once_and_for_all,
    notices_come_in_pages_in_their_order,
];

fn notice(to: u128, room_number: u128, seq: u64, kind: NoticeKind) -> Notice {
    Notice { user: user(to), room: room(room_number), seq: Seq(seq), kind, by: user(9), at: second(1) }
}

async fn all(store: &dyn Store) -> Vec<Notice> {
    store.notices(None, usize::MAX).await.expect("read")
}

fn implied(notices: &[Notice]) -> Vec<Projection> {
    notices.iter().copied().map(Projection::Notice).collect()
}

async fn a_notice_is_there_with_its_event(store: &dyn Store) {
    assert_eq!(all(store).await, []);
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1)]).await;
    assert_eq!(all(store).await, []);
    let first = notice(2, 1, 3, NoticeKind::Mention);
    let written = batch(vec![pen.message(user(1), "to you")], implied(&[first, first]));
    assert_eq!(store.append(written.clone()).await, Ok(()));
    assert_eq!(all(store).await, [first], "once");

    // One batch for each reason why it is not applied.
    let mut behind = Pen { seq: Seq(1), ..pen.clone() };
    let stale = behind.event(user(1), None, super::fixture::text("stale"));
    let repeated = Pen { seq: pen.seq, ..pen.clone() };
    let repeated = rookery_protocol::Event { seq: repeated.seq.next(), ..written.events[0].clone() };
    for event in [stale, repeated] {
        let refused = notice(3, 1, event.seq.0, NoticeKind::Mention);
        let answer = store.append(batch(vec![event], implied(&[refused]))).await;
        assert!(answer.is_err(), "{answer:?}");
        assert_eq!(all(store).await, [first], "{answer:?}");
    }
    let other = Notice { by: user(8), at: second(9), ..first };
    append(store, vec![pen.message(user(1), "go on")], implied(&[other])).await;
    assert_eq!(all(store).await, [first], "the first of the same name");
}

async fn a_notice_is_forgotten_once_and_for_all(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1)]).await;
    let notices = [
        notice(1, 1, 3, NoticeKind::Added),
        notice(1, 1, 3, NoticeKind::Mention),
        notice(1, 1, 4, NoticeKind::Mention),
        notice(2, 1, 3, NoticeKind::Mention),
    ];
    append(store, vec![pen.message(user(1), "to you")], implied(&notices)).await;
    assert_eq!(store.forget_notices(&[]).await, Ok(()));
    let strange = [notice(1, 2, 3, NoticeKind::Added), notice(3, 1, 3, NoticeKind::Added)];
    assert_eq!(store.forget_notices(&strange).await, Ok(()));
    assert_eq!(all(store).await, notices);
    let renamed = Notice { by: user(7), at: second(99), ..notices[1] };
    for _ in 0..2 {
        assert_eq!(store.forget_notices(&[renamed, strange[0], notices[3], notices[3]]).await, Ok(()));
        assert_eq!(all(store).await, [notices[0], notices[2]]);
    }
    assert_eq!(store.forget_notices(&notices).await, Ok(()));
    assert_eq!(all(store).await, []);
}

async fn notices_come_in_pages_in_their_order(store: &dyn Store) {
    let mut expected = vec![];
    for number in [2, 1] {
        let mut pen = open_room(store, room(number), RoomKind::Group, &[user(1)]).await;
        for _ in 0..2 {
            let event = pen.message(user(1), "to you");
            let mut notices = vec![];
            for to in [300, 2, 1] {
                notices.extend(NoticeKind::ALL.map(|kind| notice(to, number, pen.seq.0, kind)));
            }
            notices.reverse();
            append(store, vec![event], implied(&notices)).await;
            expected.extend(notices);
        }
    }
    expected.sort_by_key(|notice| (notice.user, notice.room, notice.seq, notice.kind.as_str()));
    assert_eq!(all(store).await, expected);
    for size in [1, 2, 5, 36, 37] {
        let (mut paged, mut after) = (vec![], None);
        loop {
            let page = store.notices(after, size).await.expect("read");
            assert!(page.len() <= size);
            let Some(last) = page.last() else { break };
            after = Some(*last);
            paged.extend(page);
        }
        assert_eq!(paged, expected, "pages of {size}");
    }
    // The one that a page ended with may be forgotten before the next is read.
    assert_eq!(store.forget_notices(&expected[..10]).await, Ok(()));
    assert_eq!(store.notices(Some(expected[9]), 3).await, Ok(expected[10..13].to_vec()));
    assert_eq!(store.notices(None, 0).await, Ok(vec![]));
}
