//! A room of 100,000 members.

use crate::events::{ROOM, message, name, user};
use crate::keyspace::Keyspace;
use rookery_engine::store::{Append, CursorKind, Cursors, Log, Mark, Rooms};
use rookery_protocol::{Seq, UserId};
use scylla::statement::batch::{Batch, BatchType};
use uuid::Uuid;

const MEMBERS: u128 = 100_000;

/// Members that are written at once: as rows, since 100,000 appends would be a test of something else.
const TOGETHER: u128 = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_100_000_members_is_read_in_pages() {
    let keyspace = Keyspace::new("members", 10_000).await;
    let store = keyspace.open().await;
    let first = message(Seq(1), user(1), name(1));
    let append = Append { room: ROOM, expected: Seq::ZERO, events: [first].into(), projections: [].into() };
    store.append(append).await.expect("append");
    let insert = format!(
        "INSERT INTO {}.members (room, user, role, joined, joined_ord, rev) VALUES (?, ?, 'member', 1, 0, 1)",
        keyspace.options.keyspace
    );
    let insert = keyspace.session.prepare(insert).await.expect("prepare");
    let mut batch = Batch::new(BatchType::Unlogged);
    (0..TOGETHER).for_each(|_| batch.append_statement(insert.clone()));
    for from in (0..MEMBERS).step_by(usize::try_from(TOGETHER).expect("small")) {
        let rows =
            (from..from + TOGETHER).map(|number| (ROOM.0, Uuid::from_u128(number).as_bytes().to_vec()));
        keyspace.session.batch(&batch, rows.collect::<Vec<_>>()).await.expect("insert");
    }

    let (mut found, mut after) = (0, None);
    loop {
        let page = store.members(ROOM, after, 1500).await.expect("read");
        let Some(last) = page.last() else { break };
        let expected = (found..).map(|number| UserId(Uuid::from_u128(number)));
        assert!(page.iter().map(|member| member.user).eq(expected.take(page.len())), "ascending, none twice");
        found += page.len() as u128;
        after = Some(last.user);
    }
    assert_eq!(found, MEMBERS);

    let number = |number| UserId(Uuid::from_u128(number));
    let marks = [5, 99_999].map(|at| Mark { user: number(at), kind: CursorKind::Read, seq: Seq(1) });
    store.mark(ROOM, &marks).await.expect("mark");
    let reached = store.reached(ROOM, CursorKind::Read, Seq(1), 10).await.expect("read");
    assert_eq!((reached.count, reached.users), (2, vec![number(5), number(99_999)]));
    keyspace.end().await;
}
