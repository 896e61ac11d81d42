//! The cases of files: the quota, one content an upload, who may read, and what becomes garbage.

use super::fixture::{Pen, append, body, open_room, room, second, text, user};
use crate::limits::FILE_CHARGE;
use crate::store::{
    AvatarOf, Begun, Completed, FileContent, FileRecord, Membership, Projection, Store, Thumb, Upload,
};
use rookery_protocol::{FileId, RoomKind, Seq, UserId};
use serde_json::json;
use uuid::Uuid;

super::case_list![
    an_upload_is_found_as_it_was_begun_and_completed,
    a_quota_is_kept_by_a_hundred_at_once,
    what_is_forgotten_counts_no_more,
    an_upload_has_one_content,
    a_file_is_read_by_its_owner_and_by_those_who_read_the_message,
    a_message_has_the_files_of_its_newest_change,
    an_avatar_is_seen_and_replaced,
    garbage_is_doomed_once_for_all_and_forgotten_after_that,
];

const QUOTA: u64 = 1 << 30;

pub(super) const fn file(number: u128) -> FileId {
    FileId(Uuid::from_u128((0x0e00 << 64) | number))
}

pub(super) fn upload(number: u128, owner: UserId) -> Upload {
    Upload {
        file: file(number),
        owner,
        name: format!("{number} \u{1f426}.png"),
        hint: number.is_multiple_of(2).then(|| "image/png".to_owned()),
        size: 10_000,
        expires_at: second(100),
    }
}

pub(super) fn content(hash: u8) -> FileContent {
    FileContent {
        mime: "image/png".to_owned(),
        size: 9_000,
        hash: [hash; 32],
        width: Some(640),
        height: Some(480),
        thumb: Some(Thumb { mime: "image/jpeg".to_owned(), size: 2_000 }),
    }
}

/// Begins and completes upload `number` of `owner`.
async fn uploaded(store: &dyn Store, number: u128, owner: UserId) -> FileRecord {
    assert_eq!(store.begin_upload(upload(number, owner), QUOTA).await, Ok(Begun::Begun));
    let record = FileRecord { upload: upload(number, owner), content: Some(content(1)) };
    let done = Completed::Complete(Box::new(record.clone()));
    assert_eq!(store.complete_upload(file(number), content(1), second(1)).await, Ok(done));
    record
}

/// Says something that carries `files`.
async fn say(store: &dyn Store, pen: &mut Pen, files: &[FileId]) -> Seq {
    let event = pen.event(user(1), None, text("look"));
    let seq = event.seq;
    append(store, vec![event], vec![Projection::Attach { seq, files: files.to_vec(), rev: seq }]).await;
    seq
}

/// Changes the files of the message at `seq`, as of the next event or as of an earlier one.
async fn change(store: &dyn Store, pen: &mut Pen, attach: (Seq, &[FileId], Option<Seq>)) {
    let event = pen.event(user(1), None, text("changed"));
    let (seq, files, rev) = attach;
    let rev = rev.unwrap_or(event.seq);
    append(store, vec![event], vec![Projection::Attach { seq, files: files.to_vec(), rev }]).await;
}

async fn reads(store: &dyn Store, who: u128, number: u128) -> bool {
    let found = store.readable_files(user(who), &[file(number)], second(1)).await.expect("read");
    found.iter().any(|record| record.upload.file == file(number))
}

async fn an_upload_is_found_as_it_was_begun_and_completed(store: &dyn Store) {
    let begun = FileRecord { upload: upload(1, user(1)), content: None };
    assert_eq!(store.file(file(1), second(1)).await, Ok(None));
    for _ in 0..2 {
        assert_eq!(store.begin_upload(upload(1, user(1)), QUOTA).await, Ok(Begun::Begun));
    }
    assert_eq!(store.file(file(1), second(99)).await, Ok(Some(begun)));
    assert_eq!(store.file(file(1), second(100)).await, Ok(None), "it has expired");
    assert_eq!(store.readable_files(user(1), &[file(1)], second(1)).await, Ok(vec![]), "nothing was sent");

    let plain = FileContent { width: None, height: None, thumb: None, ..content(7) };
    let complete = FileRecord { upload: upload(1, user(1)), content: Some(plain.clone()) };
    let done = Completed::Complete(Box::new(complete.clone()));
    assert_eq!(store.complete_upload(file(1), plain, second(1)).await, Ok(done));
    let second_file = uploaded(store, 2, user(1)).await;
    let mut found = store.readable_files(user(1), &[2, 9, 1, 2].map(file), second(1)).await.expect("read");
    found.sort_by_key(|record| record.upload.file);
    assert_eq!(found, [complete, second_file]);
    assert_eq!(store.readable_files(user(1), &[], second(1)).await, Ok(vec![]));
}

async fn a_quota_is_kept_by_a_hundred_at_once(store: &dyn Store) {
    let begin = |number| store.begin_upload(upload(number, user(1)), 50_000);
    let answers = futures_util::future::join_all((0..100).map(begin)).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(Begun::Begun)).count(), 5);
    let refused = answers.iter().filter(|answer| **answer == Ok(Begun::OverQuota(50_000))).count();
    assert_eq!(refused, 95);
    assert_eq!(store.begin_upload(upload(200, user(2)), 50_000).await, Ok(Begun::Begun), "another's quota");
    // However small, a file counts as one block.
    let tiny = |number| Upload { size: 0, ..upload(number, user(3)) };
    for number in 300..303 {
        assert_eq!(store.begin_upload(tiny(number), 3 * FILE_CHARGE).await, Ok(Begun::Begun));
    }
    assert_eq!(store.begin_upload(tiny(303), 3 * FILE_CHARGE).await, Ok(Begun::OverQuota(3 * FILE_CHARGE)));
}

async fn what_is_forgotten_counts_no_more(store: &dyn Store) {
    uploaded(store, 1, user(1)).await;
    assert_eq!(
        store.begin_upload(upload(2, user(1)), 20_000).await,
        Ok(Begun::OverQuota(11_000)),
        "what is stored counts, with its thumb, not what was announced"
    );
    assert_eq!(store.doom_files(second(100), 10).await, Ok(vec![file(1)]));
    assert_eq!(store.begin_upload(upload(2, user(1)), 20_000).await, Ok(Begun::OverQuota(11_000)));
    for _ in 0..2 {
        assert_eq!(store.forget_files(&[file(1)]).await, Ok(()));
    }
    assert_eq!(store.begin_upload(upload(2, user(1)), 20_000).await, Ok(Begun::Begun));
}

async fn an_upload_has_one_content(store: &dyn Store) {
    assert_eq!(store.complete_upload(file(1), content(1), second(1)).await, Ok(Completed::Gone));
    let record = uploaded(store, 1, user(1)).await;
    let again = Completed::Complete(Box::new(record));
    assert_eq!(store.complete_upload(file(1), content(1), second(1)).await, Ok(again));
    assert_eq!(store.complete_upload(file(1), content(2), second(1)).await, Ok(Completed::Differs));
    assert_eq!(store.begin_upload(upload(2, user(1)), QUOTA).await, Ok(Begun::Begun));
    assert_eq!(store.complete_upload(file(2), content(1), second(100)).await, Ok(Completed::Gone));
}

async fn a_file_is_read_by_its_owner_and_by_those_who_read_the_message(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2), user(3)]).await;
    uploaded(store, 1, user(1)).await;
    assert!(reads(store, 1, 1).await, "one's own");
    assert!(!reads(store, 2, 1).await, "not yet said");
    say(store, &mut pen, &[file(1), file(99)]).await;
    assert!(reads(store, 2, 1).await && !reads(store, 4, 1).await);
    assert!(!reads(store, 2, 99).await, "there is no such file");

    // Whoever joins later does not read what came before; whoever goes reads nothing.
    let added = json!({ "type": "member", "body": { "user": user(5), "change": "added", "role": "member" } });
    let event = pen.event(user(1), None, body(&added));
    append(store, vec![event], vec![pen.membership(user(5), Some(rookery_protocol::Role::Member))]).await;
    assert!(!reads(store, 5, 1).await);
    let left = json!({ "type": "member", "body": { "user": user(3), "change": "left" } });
    let event = pen.event(user(3), None, body(&left));
    let gone =
        Membership { room: room(1), user: user(3), role: None, joined: Seq(4), joined_ord: 0, rev: pen.seq };
    append(store, vec![event], vec![Projection::Member(gone)]).await;
    assert!(!reads(store, 3, 1).await);

    // It lives for as long as a message has it, however late it is.
    assert!(matches!(store.file(file(1), second(1_000_000)).await, Ok(Some(_))));
    say(store, &mut pen, &[file(1)]).await;
    assert!(reads(store, 5, 1).await, "said again after it joined");
}

async fn a_message_has_the_files_of_its_newest_change(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    for number in 1..=3 {
        uploaded(store, number, user(1)).await;
    }
    let first = say(store, &mut pen, &[file(1), file(2)]).await;
    let edit = pen.seq.next();
    change(store, &mut pen, (first, &[file(2), file(3)], None)).await;
    assert_eq!(
        [reads(store, 2, 1).await, reads(store, 2, 2).await, reads(store, 2, 3).await],
        [false, true, true]
    );
    assert!(!reads(store, 1, 1).await, "nothing refers to it, so it is nobody's any more");
    assert_eq!(store.doom_files(second(1), 10).await, Ok(vec![file(1)]));

    // An older change comes late; the newest one again.
    change(store, &mut pen, (first, &[file(2)], Some(first))).await;
    change(store, &mut pen, (first, &[], Some(edit))).await;
    assert!(reads(store, 2, 3).await);
    // One file in two messages lives until neither has it.
    let other = say(store, &mut pen, &[file(3)]).await;
    change(store, &mut pen, (first, &[], None)).await;
    assert_eq!([reads(store, 2, 2).await, reads(store, 2, 3).await], [false, true]);
    change(store, &mut pen, (other, &[], None)).await;
    assert!(!reads(store, 2, 3).await);
    assert_eq!(store.doom_files(second(1), 10).await, Ok([1, 2, 3].map(file).into()));
}

async fn an_avatar_is_seen_and_replaced(store: &dyn Store) {
    open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    let (mine, ours) = (AvatarOf::User(user(1)), AvatarOf::Room(room(1)));
    assert_eq!(store.hold_avatar(mine, Some(file(1)), second(1)).await, Ok(false), "there is none");
    assert_eq!(store.begin_upload(upload(1, user(1)), QUOTA).await, Ok(Begun::Begun));
    assert_eq!(store.hold_avatar(mine, Some(file(1)), second(1)).await, Ok(false), "not sent yet");
    for number in 1..=3 {
        uploaded(store, number, user(1)).await;
    }
    for _ in 0..2 {
        assert_eq!(store.hold_avatar(mine, Some(file(1)), second(1)).await, Ok(true));
        assert_eq!(store.hold_avatar(ours, Some(file(2)), second(1)).await, Ok(true));
    }
    assert!(reads(store, 9, 1).await, "everybody sees a user's");
    assert!(reads(store, 2, 2).await && !reads(store, 9, 2).await, "members see their room's");
    assert_eq!(store.hold_avatar(mine, Some(file(3)), second(1)).await, Ok(true));
    assert_eq!(store.hold_avatar(ours, None, second(1)).await, Ok(true));
    assert!(reads(store, 9, 3).await && !reads(store, 9, 1).await && !reads(store, 2, 2).await);
    assert_eq!(store.doom_files(second(1), 10).await, Ok([1, 2].map(file).into()));
    assert_eq!(store.hold_avatar(mine, Some(file(1)), second(1)).await, Ok(false), "it is gone");
    assert!(reads(store, 9, 3).await);
}

async fn garbage_is_doomed_once_for_all_and_forgotten_after_that(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    for number in [5, 3, 4, 1, 2] {
        uploaded(store, number, user(1)).await;
    }
    say(store, &mut pen, &[file(2)]).await;
    assert_eq!(store.doom_files(second(99), 10).await, Ok(vec![]));
    assert_eq!(store.doom_files(second(100), 2).await, Ok([1, 3].map(file).into()), "two at a time");
    assert_eq!(store.doom_files(second(100), 2).await, Ok([1, 3].map(file).into()), "until forgotten");
    // A message that is too late does not bring it back.
    say(store, &mut pen, &[file(1), file(4)]).await;
    assert_eq!([reads(store, 2, 1).await, reads(store, 2, 4).await], [false, true]);
    assert_eq!(store.forget_files(&[1, 2, 3, 4, 5].map(file)).await, Ok(()));
    assert_eq!(store.doom_files(second(100), 10).await, Ok(vec![file(5)]));
    assert_eq!([reads(store, 2, 2).await, reads(store, 2, 4).await], [true, true], "what lives is kept");
    assert_eq!(store.file(file(1), second(1)).await, Ok(None));
}
