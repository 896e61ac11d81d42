//! A database that the first version made and filled, opened by this one.

use super::{MIGRATIONS, run};
use crate::{SqliteOptions, SqliteStore};
use rookery_engine::store::{
    Append, CursorKind, Cursors, Log, Mark, MemberCursor, Projection, Range, Rooms, Store,
};
use rookery_protocol::{ClientId, Event, EventBody, Head, MessageBody, RoomId, Seq, Timestamp, UserId};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const ME: UserId = UserId(Uuid::from_u128(7));
const OTHER: UserId = UserId(Uuid::from_u128(8));

/// Rooms with a log over three spans, with one message, and without any message.
const LONG: RoomId = RoomId(Uuid::from_u128(1));
const SHORT: RoomId = RoomId(Uuid::from_u128(2));
const SILENT: RoomId = RoomId(Uuid::from_u128(3));
/// A log that was begun and taken back.
const NOTHING: RoomId = RoomId(Uuid::from_u128(4));

/// No room of a list.
const INBOX: RoomId = RoomId(Uuid::from_u128(5));

/// Events of the long room: more than two spans of 4096.
const LENGTH: u64 = 9000;

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("rookery-from-start-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn event(room: RoomId, seq: u64, ord: u64) -> Event {
    let is_message = seq > 1 && room != SILENT;
    let body = if is_message {
        EventBody::Message(MessageBody::text(format!("{seq}")))
    } else {
        EventBody::from_json("room", r#"{"title":"a room"}"#).unwrap()
    };
    Event {
        room,
        seq: Seq(seq),
        ord,
        at: Timestamp(1_700_000_000_000 + i64::try_from(seq).unwrap()),
        by: OTHER,
        client_id: is_message.then(|| ClientId(Uuid::from_u64_pair(room.0.as_u64_pair().1, seq))),
        target: None,
        reply_to: None,
        body,
    }
}

/// Writes what the first version wrote: events by their arrival, the spans of each log, and members.
fn fill(connection: &Connection) {
    for (no, room) in [(1, LONG), (2, SHORT), (3, SILENT), (4, NOTHING), (5, INBOX)] {
        connection
            .execute("INSERT INTO logs (no, room) VALUES (?, ?)", params![no, room.0.as_bytes()])
            .unwrap();
    }
    let mut spans = [-1_i64; 6];
    let mut write = |no: i64, event: &Event| {
        let statement = "INSERT INTO events (log, seq, ord, at, by, type, client_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let mut statement = connection.prepare_cached(statement).unwrap();
        let (seq, ord) = (i64::try_from(event.seq.0).unwrap(), i64::try_from(event.ord).unwrap());
        let name = event.client_id.as_ref().map(|name| name.0.as_bytes());
        let (kind, body) = (event.body.kind(), event.body.to_json().unwrap());
        let values = params![no, seq, ord, event.at.0, event.by.0.as_bytes(), kind, name, body];
        statement.execute(values).unwrap();
        let span = connection.last_insert_rowid() >> 12;
        let newest = &mut spans[usize::try_from(no).unwrap()];
        if span != *newest {
            *newest = span;
            let statement = "INSERT INTO spans (log, first, span) VALUES (?, ?, ?)";
            connection.execute(statement, params![no, seq, span]).unwrap();
        }
    };
    for seq in 1..=LENGTH {
        write(1, &event(LONG, seq, seq - 1));
        // The newest event of the long room is no message.
        match seq {
            100 => write(2, &event(SHORT, 1, 0)),
            5000 => write(2, &event(SHORT, 2, 1)),
            6000 => write(3, &event(SILENT, 1, 0)),
            7000 => write(5, &event(INBOX, 1, 0)),
            _ => {}
        }
    }
    write(
        1,
        &Event { body: event(SILENT, 1, 0).body, client_id: None, ..event(LONG, LENGTH + 1, LENGTH - 1) },
    );
    for (room, kind) in [(LONG, "group"), (SHORT, "direct"), (SILENT, "group"), (INBOX, "inbox")] {
        let statement = "INSERT INTO rooms (room, kind, created_at, members, rev) VALUES (?, ?, 5, 2, 1)";
        connection.execute(statement, params![room.0.as_bytes(), kind]).unwrap();
        for user in [ME, OTHER] {
            let statement = "INSERT INTO members (room, user, role, joined, joined_ord, rev) VALUES (?, ?, 'member', 1, 0, 1)";
            connection.execute(statement, params![room.0.as_bytes(), user.0.as_bytes()]).unwrap();
        }
    }
    for (user, room, seq) in [(ME, LONG, 8000), (OTHER, LONG, 9), (OTHER, SHORT, 2)] {
        let statement = "INSERT INTO cursors (user, room, seq, ord) VALUES (?, ?, ?, ?)";
        connection.execute(statement, params![user.0.as_bytes(), room.0.as_bytes(), seq, seq - 1]).unwrap();
    }
    for (user, seq) in [(&ME.0.as_bytes()[..], 7999), (&ME.0.as_bytes()[..], 8001), (&[][..], 8002)] {
        let statement = "INSERT INTO mentions (room, user, seq) VALUES (?, ?, ?)";
        connection.execute(statement, params![LONG.0.as_bytes(), user, seq]).unwrap();
    }
}

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteOptions::in_dir(dir)).unwrap()
}

#[tokio::test]
async fn what_the_first_version_wrote_is_read_and_written_on() {
    let scratch = Scratch::new();
    let mut connection = Connection::open(scratch.0.join(crate::open::DATABASE_FILE)).unwrap();
    run(&mut connection, &MIGRATIONS[..1]).unwrap();
    let transaction = connection.transaction().unwrap();
    fill(&transaction);
    transaction.commit().unwrap();
    drop(connection);

    for _ in 0..2 {
        let store = open(&scratch.0);
        check(&store).await;
        store.close().await.unwrap();
    }
    let store = open(&scratch.0);
    write_on(&store).await;
    store.close().await.unwrap();
    assert_eq!(crate::quick_check(&scratch.0).unwrap(), [""; 0]);
}

async fn check(store: &SqliteStore) {
    let head = |seq, ord| Some(Head { seq: Seq(seq), ord, at: event(LONG, seq, ord).at });
    assert_eq!(store.head(LONG).await, Ok(head(LENGTH + 1, LENGTH - 1)));
    assert_eq!(store.head(SHORT).await, Ok(head(2, 1)));
    assert_eq!(store.head(SILENT).await, Ok(head(1, 0)));
    assert_eq!(store.head(NOTHING).await, Ok(None));

    let log = store.read(LONG, Range::After(Seq::ZERO), usize::MAX).await.unwrap();
    assert!(log.iter().zip(1..).all(|(event, seq)| event.seq == Seq(seq)));
    assert_eq!(log.len() as u64, LENGTH + 1);
    let page = store.page(LONG, Range::Before(Seq(4200)), 200, ME).await.unwrap();
    assert_eq!(
        page.iter().map(|message| &message.event).collect::<Vec<_>>(),
        log[3999..4199].iter().collect::<Vec<_>>()
    );

    let rooms = store.rooms_of(ME, None, 10).await.unwrap();
    let previews = rooms.iter().map(|state| state.preview.as_ref().map(|preview| preview.text.as_str()));
    let listed: Vec<_> = rooms.iter().map(|state| state.record.room).zip(previews).collect();
    assert_eq!(listed, [(LONG, Some("9000")), (SHORT, Some("2")), (SILENT, None)]);
    let mine = &rooms[0];
    assert_eq!((mine.read, mine.read_ord, mine.unread(), mine.delivered), (Seq(8000), 7999, 1000, Seq(8000)));
    assert_eq!(mine.mentions, 2);
    assert_eq!(store.total_unread(ME).await, Ok(1001));
    let cursor = |user, seq| MemberCursor { user, read: Seq(seq), delivered: Seq(seq) };
    assert_eq!(store.cursors(LONG, 10).await, Ok(vec![cursor(ME, 8000), cursor(OTHER, 9)]));
}

async fn write_on(store: &SqliteStore) {
    for (room, seq, ord) in [(LONG, LENGTH + 2, LENGTH), (NOTHING, 1, 0)] {
        let next = event(room, seq, ord);
        let deleted = Projection::Deleted { target: Seq(5000), rev: next.seq };
        let append = Append {
            room,
            expected: Seq(seq - 1),
            events: [next.clone()].into(),
            projections: [deleted].into(),
        };
        assert_eq!(store.append(append).await, Ok(()));
        assert_eq!(store.head(room).await, Ok(Some(Head { seq: next.seq, ord, at: next.at })));
    }
    let emptied = store.messages(LONG, &[Seq(5000)], ME).await.unwrap();
    assert!(emptied[0].deleted && matches!(emptied[0].event.body, EventBody::Emptied(_)));
    let mark = Mark { user: ME, kind: CursorKind::Read, seq: Seq(LENGTH) };
    store.mark(LONG, &[mark]).await.unwrap();
    let state = store.room_state(LONG, ME).await.unwrap().unwrap();
    assert_eq!((state.read_ord, state.unread(), state.mentions), (LENGTH - 1, 1, 0));
}
