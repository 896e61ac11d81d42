//! What is of no use any more: found by any node, forgotten whole, never while something refers to it.

use crate::cast::{START, content, file, room, second, upload, user};
use crate::keyspace::Keyspace;
use futures_util::future::join_all;
use rookery_engine::contract::Settled;
use rookery_engine::limits::INVITE_KEPT_MS;
use rookery_engine::store::{
    Append, AvatarOf, Begun, Files, Invite, InviteCreated, InviteUsed, Invites, Log, Projection,
};
use rookery_protocol::{Event, EventBody, FileId, MessageBody, Seq};
use rookery_store_cql::CqlStore;
use scylla::client::session::Session;

async fn uploaded(store: &impl Files, number: u128) {
    assert_eq!(store.begin_upload(upload(number, user(1)), u64::MAX).await, Ok(Begun::Begun));
    store.complete_upload(file(number), content(), second(1)).await.expect("complete");
}

/// Returns the rows of a table, of which a ledger that is empty has one.
async fn rows(session: &Session, keyspace: &Keyspace, table: &str) -> usize {
    let query = format!("SELECT * FROM {}.{table}", keyspace.options.keyspace);
    let result = session.query_unpaged(query, ()).await.expect("read");
    result.into_rows_result().expect("rows").rows_num()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_janitors_and_somebody_who_wants_a_file_agree_on_it() {
    const FILES: u128 = 30;
    let keyspace = Keyspace::new("garbage_janitors", 10_000).await;
    let [first, other] = [Settled(keyspace.open().await), Settled(keyspace.open().await)];
    for number in 0..FILES {
        uploaded(&first, number).await;
    }
    // Each is at the end of its time when somebody makes it a picture.
    let wants = (0..FILES).map(|number| {
        let (first, of) = (&first, AvatarOf::User(user(number)));
        async move { (number, first.hold_avatar(of, Some(file(number)), second(99)).await) }
    });
    let janitor = async |store: &Settled<CqlStore>| {
        let mut doomed: Vec<FileId> = vec![];
        for _ in 0..3 {
            doomed.extend(store.doom_files(second(100), 100).await.expect("doom"));
        }
        doomed
    };
    let (held, doomed, doomed_too) = tokio::join!(join_all(wants), janitor(&first), janitor(&other));
    for (number, is_held) in held {
        let is_held = is_held.expect("an answer");
        let is_doomed = doomed.contains(&file(number)) || doomed_too.contains(&file(number));
        assert!(is_held != is_doomed, "file {number}: held {is_held}, doomed {is_doomed}");
        let seen = other.readable_files(user(999), &[file(number)], second(100)).await.expect("read");
        assert_eq!(!seen.is_empty(), is_held);
    }
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_many_messages_goes_whole_and_only_after_the_last() {
    const MESSAGES: u64 = 250;
    let keyspace = Keyspace::new("garbage_whole", 10_000).await;
    let store = keyspace.open().await;
    uploaded(&store, 1).await;
    let mut seq = Seq::ZERO;
    let mut say = async |attach: Vec<(Seq, Vec<FileId>)>| {
        let expected = seq;
        let mut events = vec![];
        let mut projections = vec![];
        for (at, files) in attach {
            seq = seq.next();
            let body = EventBody::Message(MessageBody::text("look"));
            let (room, by) = (room(1), user(1));
            let event = Event {
                room,
                seq,
                ord: seq.0,
                at: START,
                by,
                client_id: None,
                target: None,
                reply_to: None,
                body,
            };
            let at = if at == Seq::ZERO { seq } else { at };
            projections.push(Projection::Attach { seq: at, files, rev: seq });
            events.push(event);
        }
        let append =
            Append { room: room(1), expected, events: events.into(), projections: projections.into() };
        store.append(append).await.expect("append");
    };
    for _ in 0..MESSAGES / 50 {
        say((0..50).map(|_| (Seq::ZERO, vec![file(1)])).collect()).await;
    }
    for batch in 0..MESSAGES / 50 {
        assert_eq!(store.doom_files(second(100), 10).await, Ok(vec![]), "a message has it");
        say((1..=50).map(|at| (Seq(batch * 50 + at), vec![])).collect()).await;
    }
    assert_eq!(store.doom_files(second(1), 10).await, Ok(vec![file(1)]));
    assert_eq!(store.forget_files(&[file(1)]).await, Ok(()));
    assert_eq!(store.doom_files(second(100), 10).await, Ok(vec![]));
    assert_eq!(store.begin_upload(upload(2, user(1)), 0).await, Ok(Begun::OverQuota(0)));
    let session = &keyspace.session;
    assert_eq!(rows(session, &keyspace, "files").await, 1, "the ledger");
    assert_eq!(rows(session, &keyspace, "garbage").await, 0);
    assert_eq!(rows(session, &keyspace, "file_owners").await, 0);
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invite_of_many_users_is_forgotten_whole() {
    const USERS: u32 = 450;
    let keyspace = Keyspace::new("garbage_crowds", 10_000).await;
    let store = keyspace.open().await;
    let invite = |number: u8, at| Invite {
        hash: [number; 32],
        room: room(1),
        by: user(1),
        created_at: at,
        expires_at: None,
        uses: (number == 1).then_some(USERS),
    };
    assert_eq!(store.create_invite(invite(1, START)).await, Ok(InviteCreated::Created));
    let uses = (0..u128::from(USERS)).map(|number| store.use_invite([1; 32], user(number), START));
    for used in join_all(uses).await {
        assert_eq!(used, Ok(InviteUsed::Used));
    }
    let late = START.plus_millis(INVITE_KEPT_MS);
    for number in 2..5 {
        assert_eq!(store.create_invite(invite(number, late)).await, Ok(InviteCreated::Created));
        let late_use = store.use_invite([1; 32], user(0), late).await;
        assert!(matches!(late_use, Ok(InviteUsed::Revoked | InviteUsed::Unknown)), "{late_use:?}");
    }
    assert_eq!(store.invite([1; 32]).await, Ok(None));
    assert_eq!(rows(&keyspace.session, &keyspace, "invites").await, 3);
    assert_eq!(rows(&keyspace.session, &keyspace, "invite_rooms").await, 3);
    keyspace.end().await;
}
