//! The cases of what is left of a user.

use super::files::{content, file, upload};
use super::fixture::{
    account, append, body, open_room, room, second, session, session_id, text, token, user,
};
use crate::store::{Projection, SettingsChange, Store};
use rookery_protocol::{FileId, RoomId, RoomKind, UserId};
use serde_json::json;

super::case_list![
    rooms_are_found_that_one_is_in_or_was,
    files_are_found_by_whoever_sent_them,
    a_file_is_taken_from_all_who_have_it,
    whom_one_blocks_is_told_in_pages,
    what_is_forgotten_of_one_is_kept_of_others,
];

async fn rooms_ever(store: &dyn Store, who: UserId, limit: usize) -> Vec<RoomId> {
    let (mut rooms, mut after) = (Vec::new(), None);
    loop {
        let page = store.rooms_ever(who, after, limit).await.expect("a read");
        let Some(last) = page.last() else { break };
        after = Some(*last);
        rooms.extend(page);
    }
    rooms.sort_unstable();
    rooms
}

async fn rooms_are_found_that_one_is_in_or_was(store: &dyn Store) {
    for number in 1..=5 {
        let mut pen = open_room(store, room(number), RoomKind::Group, &[user(1), user(2)]).await;
        if number == 3 {
            let change = json!({ "user": user(2), "change": "left" });
            let event = pen.event(user(2), None, body(&json!({ "type": "member", "body": change })));
            let gone = [pen.membership(user(2), None), Projection::Room(pen.record(RoomKind::Group, 1))];
            append(store, vec![event], gone.into()).await;
        }
    }
    let all: Vec<_> = (1..=5).map(room).collect();
    assert_eq!(rooms_ever(store, user(2), 2).await, all);
    assert_eq!(rooms_ever(store, user(1), 10).await, all);
    assert_eq!(rooms_ever(store, user(9), 10).await, []);
}

async fn files_are_found_by_whoever_sent_them(store: &dyn Store) {
    for number in 1..=4 {
        let owner = if number == 4 { user(2) } else { user(1) };
        store.begin_upload(upload(number, owner), u64::MAX).await.expect("a write");
        store.complete_upload(file(number), content(1), second(0)).await.expect("a write");
    }
    let (mut found, mut after): (Vec<FileId>, _) = (Vec::new(), None);
    loop {
        let page = store.files_of(user(1), after, 2).await.expect("a read");
        let Some(last) = page.last() else { break };
        after = Some(last.upload.file);
        found.extend(page.iter().map(|record| record.upload.file));
    }
    found.sort_unstable();
    assert_eq!(found, [file(1), file(2), file(3)]);
}

async fn a_file_is_taken_from_all_who_have_it(store: &dyn Store) {
    for number in [1, 2] {
        store.begin_upload(upload(number, user(1)), u64::MAX).await.expect("a write");
        store.complete_upload(file(number), content(1), second(0)).await.expect("a write");
    }
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    // One is in a message of its own, and in one of somebody who sent it on.
    for who in [user(1), user(2)] {
        let event = pen.event(who, None, text("look"));
        let (seq, files) = (event.seq, vec![file(1)]);
        append(store, vec![event], vec![Projection::Attach { seq, files, rev: seq }]).await;
    }
    let reads = async |who: UserId| {
        let found = store.readable_files(who, &[file(1), file(2)], second(0)).await.expect("a read");
        found.into_iter().map(|record| record.upload.file).collect::<Vec<_>>()
    };
    assert_eq!(reads(user(2)).await, [file(1)]);
    for _ in 0..2 {
        assert_eq!(store.doom_file(file(1)).await, Ok(()));
        assert_eq!(reads(user(2)).await, []);
        assert_eq!(reads(user(1)).await, [file(2)]);
        assert_eq!(store.files_of(user(1), None, 10).await.map(|files| files.len()), Ok(1));
    }
    assert_eq!(store.doom_file(file(9)).await, Ok(()), "which is not there");
    assert_eq!(store.doom_files(second(0), 10).await, Ok(vec![file(1)]));
    store.forget_files(&[file(1)]).await.expect("a write");
    assert_eq!(store.doom_files(second(0), 10).await, Ok(vec![]));
    assert_eq!(store.file(file(1), second(0)).await, Ok(None));
}

async fn whom_one_blocks_is_told_in_pages(store: &dyn Store) {
    for other in 2..7 {
        let at = second(i64::try_from(other).expect("it is small"));
        store.block(user(1), user(other), at).await.expect("a write");
    }
    store.block(user(2), user(1), second(9)).await.expect("a write");
    store.unblock(user(1), user(4)).await.expect("a write");
    let (mut told, mut after) = (Vec::new(), None);
    loop {
        let page = store.blocks_of(user(1), after, 3).await.expect("a read");
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        told.extend(page);
    }
    told.sort_unstable();
    assert_eq!(told, [2, 3, 5, 6].map(|other: u8| (user(other.into()), second(other.into()))));
    assert_eq!(store.blocks_of(user(3), None, 3).await, Ok(vec![]));
    assert_eq!(store.blocks_of(user(1), None, 0).await, Ok(vec![]));
}

async fn what_is_forgotten_of_one_is_kept_of_others(store: &dyn Store) {
    for number in [1, 2] {
        let who = user(number);
        let made = account(number, &format!("{number}@example.org"), &format!("user{number}"));
        store.create_account(made).await.expect("a write");
        store.seen(&[(who, second(1))]).await.expect("a write");
        store.block(who, user(3), second(1)).await.expect("a write");
        let first = token(if number == 1 { 1 } else { 2 });
        store.begin_session(session(number), first).await.expect("a write");
    }
    open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    for number in [1, 2] {
        let change = SettingsChange { pinned: Some(true), ..SettingsChange::default() };
        store.change_settings(room(1), user(number), change).await.expect("a write");
    }
    for _ in 0..2 {
        assert_eq!(store.forget_traces(user(1), &["user1".to_owned()]).await, Ok(()));
    }
    assert_eq!(store.last_seen(&[user(1), user(2)]).await, Ok(vec![(user(2), second(1))]));
    for (number, is_kept) in [(1, false), (2, true)] {
        let who = user(number);
        assert_eq!(store.blocks_between(who, &[user(3)]).await.map(|found| !found.is_empty()), Ok(is_kept));
        let session = store.session(session_id(number)).await.expect("a read");
        assert_eq!(session.is_some(), is_kept, "the login of {number}");
        let state = store.room_state(room(1), who).await.expect("a read").expect("a member");
        assert_eq!(state.settings.pinned, is_kept);
    }
    let accounts = store.users(&[user(1)]).await.expect("a read");
    assert_eq!(accounts.len(), 1, "the account is not a trace");
}
