//! A store that is being written to while it is read: what is listed early, and referred to later on.
//!
//! Whether a listing has had something is told by when that was written: before the reading began it was
//! listed. For what was written since, what the listings have had is remembered, so that takes the more room
//! the more is written meanwhile, and no more.

use crate::cql::Read;
use crate::options::{CqlOptions, OpenError};
use crate::{CqlStore, invites};
use rookery_engine::store::{
    Answer, Asked, Export, Implied, Import, Page, Part, Place, Progress, Record, StoreError, TokenHash,
};
use rookery_protocol::{Event, FileId, RoomId, Seq, UserId};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// How much the clocks of two servers differ at most, in microseconds: a minute, where an operator who lets
/// them drift by a second has lost writes already.
const CLOCKS_DIFFER: i64 = 60_000_000;

/// What a backup is made of: one reading of a store that others may use.
///
/// All that was acknowledged before this was opened is in it. Of what comes later some is and some is not, but
/// each log is as it was at one moment, and whatever refers to something has it. Files that are being sent
/// are left out: none of their bytes is there yet.
#[derive(Debug)]
pub struct CqlSource {
    store: CqlStore,
    /// What was written up to then, in microseconds since 1970, was there when the first listing began.
    since: i64,
    seen: Mutex<Seen>,
    written: WriteTimes,
}

/// When something was written by the clocks of the servers.
#[derive(Debug)]
struct WriteTimes {
    file: Read,
    invite: Read,
    account: Read,
}

/// What the listings have had of what was written since.
#[derive(Debug, Default)]
struct Seen {
    files: HashSet<FileId>,
    invites: HashSet<TokenHash>,
    /// With the handle that it had then.
    accounts: HashMap<UserId, String>,
}

impl CqlSource {
    /// Opens the store to be read from now on, if there is one; nothing of the keyspace is changed, but that
    /// appends which somebody has left halfway are brought to their end.
    ///
    /// # Errors
    /// [`OpenError`]; also when the keyspace was made by another version.
    pub async fn open(options: &CqlOptions) -> Result<Option<Self>, OpenError> {
        let Some(store) = CqlStore::open_as_it_is(options).await? else { return Ok(None) };
        let prepare = async |text: &str| store.cql.read_statement(text).await;
        let written = WriteTimes {
            file: prepare(
                "SELECT WRITETIME(mime) FROM files
                    WHERE owner_id = ? AND file_id = ? AND holder_id = ? AND place = ?",
            )
            .await?,
            invite: prepare(
                "SELECT WRITETIME(by_id) FROM invites
                    WHERE room_id = ? AND kind = ? AND hash = ? AND user_id = ?",
            )
            .await?,
            account: prepare("SELECT WRITETIME(turn) FROM users WHERE user_id = ?").await?,
        };
        let since = now(&store).await?.saturating_sub(CLOCKS_DIFFER);
        Ok(Some(Self { store, since, seen: Mutex::default(), written }))
    }

    /// Returns how far the store has been filled from a backup, if that has not ended.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn importing(&self) -> Result<Option<Progress>, StoreError> {
        self.store.importing().await
    }

    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns whether something was there when the first listing began.
    async fn is_old(
        &self,
        written: &Read,
        key: impl scylla::serialize::row::SerializeRow,
    ) -> Result<bool, StoreError> {
        let at = self.store.cql.row::<(Option<i64>,)>(written, key).await?;
        Ok(at.is_some_and(|(at,)| at.is_some_and(|at| at <= self.since)))
    }

    async fn is_old_file(&self, file: FileId, owner: UserId) -> Result<bool, StoreError> {
        self.is_old(&self.written.file, crate::files::key_of(owner, file)).await
    }

    async fn is_old_invite(&self, room: RoomId, hash: TokenHash) -> Result<bool, StoreError> {
        self.is_old(&self.written.invite, invites::key_of(room, hash)).await
    }

    async fn is_old_account(&self, user: UserId) -> Result<bool, StoreError> {
        self.is_old(&self.written.account, (user.0,)).await
    }

    /// Returns whether a record goes along, and remembers it where others will ask for it.
    async fn takes(&self, record: &Record) -> Result<bool, StoreError> {
        match record {
            Record::File(file) if file.content.is_none() => Ok(false),
            Record::File(file) => {
                let (file, owner) = (file.upload.file, file.upload.owner);
                if !self.is_old_file(file, owner).await? {
                    self.seen(|seen| seen.files.insert(file));
                }
                Ok(true)
            }
            Record::Invite { invite, .. } => {
                if !self.is_old_invite(invite.room, invite.hash).await? {
                    self.seen(|seen| seen.invites.insert(invite.hash));
                }
                Ok(true)
            }
            Record::InviteUse { hash, .. } => {
                let Some(row) = self.store.find_invite(*hash).await? else { return Ok(false) };
                let has_seen = self.seen(|seen| seen.invites.contains(hash));
                Ok(has_seen || self.is_old_invite(row.invite.room, *hash).await?)
            }
            Record::Account(account) => {
                let (user, handle) = (account.user.id, &account.user.handle);
                if !self.is_old_account(user).await? {
                    self.seen(|seen| seen.accounts.insert(user, handle.clone()));
                }
                Ok(true)
            }
            // A handle is an account's own or kept for it, and the account may have been listed with it.
            Record::KeptHandle { handle, user, .. } => {
                let listed = self.seen(|seen| seen.accounts.get(user).map(|listed| listed != handle));
                match listed {
                    Some(is_other) => Ok(is_other),
                    None => self.is_old_account(*user).await,
                }
            }
            _ => Ok(true),
        }
    }

    async fn listed(
        &self,
        part: Part,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Page<Record>, StoreError> {
        let Page { items, next } = self.store.rows(part, after, limit).await?;
        let taken =
            crate::cql::Cql::for_each(items, async |record| Ok(self.takes(&record).await?.then_some(record)));
        Ok(Page { items: taken.await?.into_iter().flatten().collect(), next })
    }

    async fn came_late(&self, files: Vec<FileId>) -> Result<Option<Vec<Record>>, StoreError> {
        let mut late = Vec::new();
        for file in files.into_iter().collect::<HashSet<_>>() {
            if self.seen(|seen| seen.files.contains(&file)) {
                continue;
            }
            let Some(record) = self.store.file_ever(file).await? else { return Ok(None) };
            if !self.is_old_file(file, record.upload.owner).await? {
                late.push(record);
            }
        }
        self.seen(|seen| seen.files.extend(late.iter().map(|record| record.upload.file)));
        Ok(Some(late.into_iter().map(Record::File).collect()))
    }
}

/// Returns what time it is by the clock of a server, in microseconds since 1970.
async fn now(store: &CqlStore) -> Result<i64, OpenError> {
    let read = store.cql.read_statement("SELECT toUnixTimestamp(now()) FROM system.local").await?;
    let row = store.cql.row::<(i64,)>(&read, ()).await?;
    Ok(row.map_or(i64::MIN, |(millis,)| millis.saturating_mul(1000)))
}

impl Export for CqlSource {
    fn rows(&self, part: Part, after: Option<Place>, limit: usize) -> Answer<'_, Page<Record>> {
        Box::pin(self.listed(part, after, limit))
    }

    fn rooms(&self, after: Option<Place>, limit: usize) -> Answer<'_, Page<RoomId>> {
        self.store.rooms(after, limit)
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        self.store.events(room, after, limit)
    }

    fn implied<'a>(&'a self, room: RoomId, asked: &'a Asked) -> Answer<'a, Vec<Implied>> {
        self.store.implied(room, asked)
    }

    fn late(&self, files: Vec<FileId>) -> Answer<'_, Option<Vec<Record>>> {
        Box::pin(self.came_late(files))
    }
}
