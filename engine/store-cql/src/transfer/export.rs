//! Listings: a table's keys page by page, and what each of them names, read as a server reads it.
//!
//! A place is the driver's: where the page ended that the servers have sent. It is good for any node, and
//! for as long as the tables are the same.

use crate::CqlStore;
use crate::columns::{corrupt, count, seq, user};
use crate::cql::{Cql, Read};
use crate::invites::is_use;
use crate::rooms::{self, SettingsColumns, settings};
use crate::{docket, files, messages, notices};
use rookery_engine::store::{
    Asked, Implied, Page, Part, Place, Record, RefreshToken, SignIn, StoreError, TokenHash,
};
use rookery_protocol::{FileId, RoomId, Seq, SessionId, Timestamp, UserId};
use scylla::errors::PrepareError;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What lists a table.
#[derive(Debug)]
pub(super) struct Scans {
    users: Read,
    handles: Read,
    sessions: Read,
    tokens: Read,
    files: Read,
    pictures: Read,
    members: Read,
    settings: Read,
    notices: Read,
    blocks: Read,
    invites: Read,
    uses: Read,
    last_seen: Read,
    sign_ins: Read,
    docket: Read,
    logs: Read,
}

impl Scans {
    pub(super) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        let scan = async |columns: &str| cql.read_statement(&format!("SELECT {columns}")).await;
        Ok(Self {
            users: scan("user_id FROM users").await?,
            handles: scan("handle, user_id, claim, until FROM handles").await?,
            sessions: scan("session_id FROM sessions").await?,
            tokens: scan("hash, session_id, expires_at, replaced_by FROM refresh_tokens").await?,
            files: scan("file_id FROM file_owners").await?,
            pictures: scan("holder_id, place, files FROM file_sets").await?,
            members: scan("room, user, read_seq, read_ord, delivered FROM members").await?,
            settings: scan("room, user, notify, muted_until, pinned, archived FROM members").await?,
            notices: scan("user, room, seq, kind, author, at FROM notices").await?,
            blocks: scan("user_id, other_id, at FROM blocks").await?,
            invites: scan("hash FROM invite_rooms").await?,
            uses: scan("kind, hash, user_id FROM invites").await?,
            last_seen: scan("user_id, at FROM last_seen").await?,
            sign_ins: scan("key, version, body, expires_at FROM sign_ins").await?,
            docket: scan("book, id, rev, body FROM docket").await?,
            logs: scan("DISTINCT room, bucket, head FROM log").await?,
        })
    }
}

/// A page of a listing that is under way.
struct Listing<'a> {
    store: &'a CqlStore,
    after: Option<Vec<u8>>,
    limit: usize,
}

impl<'a> Listing<'a> {
    fn new(store: &'a CqlStore, after: Option<Place>, limit: usize) -> Self {
        Self { store, after: after.map(|place| place.0), limit }
    }

    /// Reads a page of rows and has each become a thing, or nothing.
    async fn each<R, T, F>(self, scan: &Read, thing: impl FnMut(R) -> F) -> Result<Page<T>, StoreError>
    where
        R: for<'frame> scylla::deserialize::row::DeserializeRow<'frame, 'frame>,
        F: Future<Output = Result<Option<T>, StoreError>>,
    {
        let (rows, next) = self.store.cql.page::<R>(scan, self.after, self.limit).await?;
        let items = Cql::for_each(rows, thing).await?;
        Ok(Page { items: items.into_iter().flatten().collect(), next: next.map(Place) })
    }
}

/// Returns the rooms that have a log: those with its first bucket, whatever else was put of them.
pub(super) async fn rooms(
    store: &CqlStore,
    after: Option<Place>,
    limit: usize,
) -> Result<Page<RoomId>, StoreError> {
    let listing = Listing::new(store, after, limit);
    let room = async |(room, bucket, head): (Uuid, i64, Option<i64>)| {
        Ok((bucket == 0 && head.is_some()).then_some(RoomId(room)))
    };
    listing.each(&store.transfer.scans.logs, room).await
}

pub(super) async fn rows(
    store: &CqlStore,
    part: Part,
    after: Option<Place>,
    limit: usize,
) -> Result<Page<Record>, StoreError> {
    let listing = Listing::new(store, after, limit);
    match part {
        Part::Logs => Ok(Page { items: Vec::new(), next: None }),
        Part::Accounts | Part::KeptHandles | Part::Sessions | Part::RefreshTokens | Part::SignIns => {
            accounts(listing, part).await
        }
        Part::Files | Part::Avatars => of_files(listing, part).await,
        Part::Cursors | Part::Settings | Part::Notices => of_rooms(listing, part).await,
        Part::Blocks | Part::Invites | Part::InviteUses | Part::LastSeen | Part::Docket => {
            people(listing, part).await
        }
    }
}

async fn accounts(listing: Listing<'_>, part: Part) -> Result<Page<Record>, StoreError> {
    let store = listing.store;
    let scans = &store.transfer.scans;
    match part {
        Part::KeptHandles => {
            let kept = async |(handle, user, claim, until): (String, Uuid, Uuid, Option<i64>)| {
                let user = UserId(user);
                match until.filter(|until| *until != 0) {
                    Some(until) if !store.has_handle(user, &handle, claim).await? => {
                        Ok(Some(Record::KeptHandle { handle, user, until: Timestamp(until) }))
                    }
                    _ => Ok(None),
                }
            };
            listing.each(&scans.handles, kept).await
        }
        Part::Sessions => {
            let session =
                async |(session,): (Uuid,)| Ok(store.login(SessionId(session)).await?.map(Record::Session));
            listing.each(&scans.sessions, session).await
        }
        Part::RefreshTokens => {
            type Row = (Vec<u8>, Uuid, i64, Option<Vec<u8>>);
            let token = async |(hash, session, expires_at, replaced_by): Row| {
                let expires_at = Timestamp(expires_at);
                if store.is_forgotten(expires_at).await? {
                    return Ok(None);
                }
                let (token, session) =
                    (RefreshToken { hash: token_hash(hash)?, expires_at }, SessionId(session));
                let hash = |column| token_hash(crate::sessions::replaced_by(column).0);
                let replaced_by = replaced_by.map(hash).transpose()?;
                Ok(Some(Record::RefreshToken { token, session, replaced_by }))
            };
            listing.each(&scans.tokens, token).await
        }
        Part::SignIns => {
            type Row = (Vec<u8>, Option<Uuid>, Option<String>, Option<i64>);
            let record = async |row: Row| {
                let (key, Some(version), Some(body), None) = row else { return Ok(None) };
                Ok(Some(Record::SignIn(SignIn { key: token_hash(key)?, version, body, expires_at: None })))
            };
            listing.each(&scans.sign_ins, record).await
        }
        _ => {
            let account = async |(user,): (Uuid,)| {
                let record = store.account(UserId(user)).await?;
                Ok(record.and_then(crate::accounts::Record::account).map(Record::Account))
            };
            listing.each(&scans.users, account).await
        }
    }
}

async fn of_files(listing: Listing<'_>, part: Part) -> Result<Page<Record>, StoreError> {
    let store = listing.store;
    let scans = &store.transfer.scans;
    if part == Part::Files {
        let file = async |(file,): (Uuid,)| Ok(store.file_ever(FileId(file)).await?.map(Record::File));
        return listing.each(&scans.files, file).await;
    }
    let picture = async |(holder, place, held): (Uuid, i64, Option<Vec<Uuid>>)| {
        let Some(of) = files::picture_of(holder, place) else { return Ok(None) };
        let Some(file) = held.and_then(|mut held| held.pop()) else { return Ok(None) };
        let living = store.file_ever(FileId(file)).await?;
        Ok(living.map(|record| Record::Avatar { of, file: record.upload.file }))
    };
    listing.each(&scans.pictures, picture).await
}

async fn of_rooms(listing: Listing<'_>, part: Part) -> Result<Page<Record>, StoreError> {
    let scans = &listing.store.transfer.scans;
    match part {
        Part::Cursors => {
            type Row = (Uuid, Vec<u8>, Option<i64>, Option<i64>, Option<i64>);
            let cursor = async |(room, whose, read, read_ord, delivered): Row| {
                if read.or(delivered).is_none() {
                    return Ok(None);
                }
                let [read, read_ord, delivered] = [read, read_ord, delivered].map(Option::unwrap_or_default);
                Ok(Some(Record::Cursor {
                    room: RoomId(room),
                    user: user(&whose)?,
                    read: seq(read),
                    read_ord: count(read_ord),
                    delivered: seq(delivered),
                }))
            };
            listing.each(&scans.members, cursor).await
        }
        Part::Settings => {
            type Row = (Uuid, Vec<u8>, Option<String>, Option<i64>, Option<bool>, Option<bool>);
            let setting = async |(room, whose, notify, muted_until, pinned, archived): Row| {
                let columns: SettingsColumns = (notify, muted_until, pinned, archived);
                let Some(settings) = settings(columns) else { return Ok(None) };
                Ok(Some(Record::Settings { room: RoomId(room), user: user(&whose)?, settings }))
            };
            listing.each(&scans.settings, setting).await
        }
        _ => {
            let notice = async |row: notices::Row| notices::notice(row).map(Record::Notice).map(Some);
            listing.each(&scans.notices, notice).await
        }
    }
}

/// A partition that is a ledger may have no row but its version: then the key's other columns are absent.
async fn people(listing: Listing<'_>, part: Part) -> Result<Page<Record>, StoreError> {
    let store = listing.store;
    let scans = &store.transfer.scans;
    match part {
        Part::Blocks => {
            let block = async |(user, other, at): (Uuid, Option<Uuid>, Option<i64>)| {
                let (Some(other), Some(at)) = (other, at) else { return Ok(None) };
                Ok(Some(Record::Block { user: UserId(user), other: UserId(other), at: Timestamp(at) }))
            };
            listing.each(&scans.blocks, block).await
        }
        Part::Invites => {
            let invite = async |(hash,): (Vec<u8>,)| {
                let row = store.find_invite(token_hash(hash)?).await?;
                Ok(row.map(|row| Record::Invite {
                    invite: row.invite,
                    used_at: row.used_at,
                    revoked_at: row.revoked_at,
                }))
            };
            listing.each(&scans.invites, invite).await
        }
        Part::InviteUses => {
            let a_use = async |(kind, hash, user): (Option<i8>, Option<Vec<u8>>, Option<Uuid>)| {
                let (Some(hash), Some(user), true) = (hash, user, kind.is_some_and(is_use)) else {
                    return Ok(None);
                };
                Ok(Some(Record::InviteUse { hash: token_hash(hash)?, user: UserId(user) }))
            };
            listing.each(&scans.uses, a_use).await
        }
        Part::Docket => {
            let entry = async |row: docket::Row| docket::entry(row).map(Record::Entry).map(Some);
            listing.each(&scans.docket, entry).await
        }
        _ => {
            let seen = async |(user, at): (Uuid, i64)| {
                Ok(Some(Record::LastSeen { user: UserId(user), at: Timestamp(at) }))
            };
            listing.each(&scans.last_seen, seen).await
        }
    }
}

/// Returns what the tables hold of what `asked` asks about.
pub(super) async fn implied(
    store: &CqlStore,
    room: RoomId,
    asked: &Asked,
) -> Result<Vec<Implied>, StoreError> {
    let mut found = Vec::new();
    if !asked.records.is_empty() {
        let record = rooms::record(store, room).await?;
        found.extend(record.filter(|record| asked.records.contains(&record.rev)).map(Implied::Room));
    }
    let members = Cql::for_each(asked.members.iter().copied(), async |(user, rev)| {
        let membership = rooms::membership(store, room, user).await?;
        Ok(membership.filter(|membership| membership.rev == rev).map(Implied::Member))
    });
    found.extend(members.await?.into_iter().flatten());
    let seqs: BTreeSet<Seq> = asked.mentions.iter().map(|(seq, _)| *seq).collect();
    let states = messages::states(store, room, &Vec::from_iter(seqs)).await?;
    let is_mentioned = |(seq, user): &&(Seq, Option<UserId>)| {
        states.get(seq).is_some_and(|state| state.mentions.contains(user))
    };
    let mentions = asked.mentions.iter().filter(is_mentioned);
    found.extend(mentions.map(|(seq, user)| Implied::Mention { user: *user, seq: *seq }));
    let files = Cql::for_each(asked.files.iter().copied(), async |(seq, rev)| {
        let files = files::files_of(store, (room, seq), rev).await?;
        Ok(files.map(|files| Implied::Attach { seq, files, rev }))
    });
    found.extend(files.await?.into_iter().flatten());
    Ok(found)
}

fn token_hash(blob: Vec<u8>) -> Result<TokenHash, StoreError> {
    let wrong = |blob: Vec<u8>| format!("a hash of {} bytes", blob.len());
    blob.try_into().map_err(|blob| corrupt(&std::io::Error::other(wrong(blob))))
}
