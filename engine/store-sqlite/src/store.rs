//! The store itself: each method of the port, handed to the committer or to a reader.

mod credentials;
mod docket;
mod files;
mod people;
mod sign_ins;
mod transfer;

use crate::checkpoint::Checkpointer;
use crate::committer::WriteQueue;
use crate::health::SharedHealth;
use crate::open::{self, Opened};
use crate::options::{OpenError, SqliteOptions};
use crate::readers::ReadQueue;
use crate::search::SearchIndex;
use crate::{apply, read};
use rookery_engine::search::{Hits, Search, SearchError, SearchProgress, SearchQuery};
use rookery_engine::store::{
    Account, AccountCreated, Accounts, Activation, Answer, Append, AppendError, Commits, CursorKind, Cursors,
    Health, LastSeen, Log, Login, LoginSession, Mark, MemberCursor, Membership, Notice, Notices, Opening,
    Range, Reached, Receipt, RefreshToken, RoomRecord, RoomState, Rooms, RoomsCursor, Rotation,
    SettingsChange, Store, Ticket, TokenHash,
};
use rookery_protocol::{ClientId, Event, Head, Message, RoomId, Seq, SessionId, Timestamp, User, UserId};
use rusqlite::Connection;
use std::fs::File;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Bytes that a write of an account is counted as in a group.
const ACCOUNT_BYTES: usize = 512;

/// The embedded store.
///
/// Dropping it lets the threads finish what was accepted, without waiting for them; the directory
/// is free once they have ended. [`Store::close`] waits.
#[derive(Debug)]
pub struct SqliteStore {
    writes: WriteQueue,
    reads: ReadQueue,
    search: SearchIndex,
    health: SharedHealth,
    ending: Mutex<Option<Ending>>,
    ended: watch::Sender<bool>,
}

/// What is waited for at the end: the threads, then the last checkpoint, which needs the database to
/// itself. The directory's lock is let go of after it.
#[derive(Debug)]
struct Ending {
    threads: Vec<JoinHandle<()>>,
    checkpointer: JoinHandle<Checkpointer>,
    lock: File,
}

impl Ending {
    /// A thread that panicked has told the health already.
    fn wait(self) {
        for thread in self.threads {
            drop(thread.join());
        }
        if let Ok(checkpointer) = self.checkpointer.join() {
            checkpointer.at_close();
        }
        drop(self.lock);
    }
}

impl SqliteStore {
    /// Opens the store in `options.dir`, making it when it is absent and bringing its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; nothing has been changed then, except perhaps some of the migrations.
    pub fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let Opened { writes, reads, search, health, threads, checkpointer, lock } = open::open(options)?;
        let ending = Mutex::new(Some(Ending { threads, checkpointer, lock }));
        Ok(Self { writes, reads, search, health, ending, ended: watch::Sender::new(false) })
    }

    /// Lets the threads end and waits for that on a thread of its own, once.
    fn end(&self) {
        self.writes.close();
        self.reads.close();
        self.search.close(self.health.failure().is_some());
        let ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(ending) = ending else { return };
        let ended = self.ended.clone();
        let wait = move || {
            ending.wait();
            ended.send_replace(true);
        };
        // Without a thread for it the lock goes with the process.
        if let Err(error) = std::thread::Builder::new().name("store-close".to_owned()).spawn(wait) {
            tracing::error!(%error, "the store's end is not waited for");
            self.ended.send_replace(true);
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.end();
    }
}

impl Store for SqliteStore {
    fn activation(&self, room: RoomId, members: usize, events: usize) -> Answer<'_, Option<Activation>> {
        self.reads.read(move |connection| read::activation(connection, room, (members, events)))
    }

    fn opening(&self, room: RoomId, user: UserId, cursors: usize) -> Answer<'_, Option<Opening>> {
        self.reads.read(move |connection| read::opening(connection, (room, user), cursors))
    }

    fn login(&self, session: SessionId) -> Answer<'_, Option<Login>> {
        self.reads.read(move |connection| read::login(connection, session))
    }

    fn health(&self) -> Health {
        self.health.get()
    }

    fn commits(&self) -> Commits {
        self.health.commits()
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.write(apply::probe)
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut ended = self.ended.subscribe();
            self.end();
            // The sender is a field of this store, so it is there for as long as this waits.
            drop(ended.wait_for(|ended| *ended).await);
            self.health.failure().map_or(Ok(()), Err)
        })
    }
}

impl Search for SqliteStore {
    fn search(&self, query: SearchQuery) -> Answer<'_, Hits, SearchError> {
        Box::pin(self.search.search(&self.reads, query))
    }

    fn progress(&self) -> SearchProgress {
        self.search.progress()
    }
}

impl Log for SqliteStore {
    fn append(&self, append: Append) -> Answer<'_, (), AppendError> {
        Box::pin(async move {
            let room = append.room;
            let batch = apply::Batch::encode(append)?;
            self.writes.append(room, batch.bytes(), move |database| batch.apply(database)).await?
        })
    }

    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>> {
        self.reads.read(move |connection| read::events(connection, room, range, limit))
    }

    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>> {
        self.reads.read(move |connection| read::page(connection, room, range, (limit, reader)))
    }

    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>> {
        let seqs = seqs.to_vec();
        self.reads.read(move |connection| read::messages(connection, room, seqs, reader))
    }

    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        self.reads.read(move |connection| read::find(connection, room, by, client_id))
    }

    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>> {
        self.reads.read(move |connection| read::head(connection, room))
    }
}

impl Rooms for SqliteStore {
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        self.reads.read(move |connection| read::room(connection, room))
    }

    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>> {
        self.reads.read(move |connection| read::room_state(connection, room, user))
    }

    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        let users = users.to_vec();
        self.reads.read(move |connection| read::room_states(connection, room, users))
    }

    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()> {
        self.write(move |connection| apply::change_settings(connection, room, user, change))
    }

    fn rooms_of(
        &self,
        user: UserId,
        cursor: Option<RoomsCursor>,
        limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        self.reads.read(move |connection| read::rooms_of(connection, user, cursor, limit))
    }

    fn total_unread(&self, user: UserId) -> Answer<'_, u64> {
        self.reads.read(move |connection| read::total_unread(connection, user))
    }

    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>> {
        self.reads.read(move |connection| read::members(connection, room, after, limit))
    }
}

impl Cursors for SqliteStore {
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()> {
        let marks = marks.to_vec();
        self.write(move |connection| apply::mark(connection, room, &marks))
    }

    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        self.reads.read(move |connection| read::cursors(connection, room, limit))
    }

    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached> {
        self.reads.read(move |connection| read::reached(connection, (room, kind), seq, limit))
    }
}

impl Notices for SqliteStore {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        self.reads.read(move |connection| read::notices(connection, after, limit))
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        let notices = notices.to_vec();
        self.write(move |connection| apply::forget_notices(connection, &notices))
    }
}

impl SqliteStore {
    fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        self.writes.write(ACCOUNT_BYTES, move |database| work(&database.connection))
    }
}

impl LastSeen for SqliteStore {
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        let seen = seen.to_vec();
        self.write(move |connection| apply::seen(connection, &seen))
    }

    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        let users = users.to_vec();
        self.reads.read(move |connection| read::last_seen(connection, users))
    }
}

impl Accounts for SqliteStore {
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated> {
        self.write(move |connection| apply::create_account(connection, &account))
    }

    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>> {
        let email = email.to_owned();
        self.reads.read(move |connection| read::account_by_email(connection, &email))
    }

    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool> {
        let (old, new) = (old.to_owned(), new.to_owned());
        self.write(move |connection| apply::replace_password(connection, user, &old, &new))
    }

    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        let ids = ids.to_vec();
        self.reads.read(move |connection| read::users(connection, ids))
    }

    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()> {
        self.write(move |connection| apply::begin_session(connection, &session, token))
    }

    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>> {
        self.reads.read(move |connection| read::session(connection, session))
    }

    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation> {
        self.write(move |connection| apply::rotate(connection, old, new, now))
    }

    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool> {
        self.write(move |connection| apply::revoke(connection, session, now))
    }

    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()> {
        self.write(move |connection| apply::put_ticket(connection, ticket))
    }

    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>> {
        self.write(move |connection| apply::take_ticket(connection, hash, now))
    }

    fn purge(&self, before: Timestamp) -> Answer<'_, ()> {
        self.write(move |connection| apply::purge(connection, before))
    }
}
