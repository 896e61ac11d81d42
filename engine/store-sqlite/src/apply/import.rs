//! Writing what comes from another store. What is there already stays as it is.

use super::batch::Batch;
use super::files::{avatar, charge_by, replace};
use super::sessions::insert_session;
use super::sign_ins::insert_sign_in;
use super::{accounts, cursors, docket, notices, presence};
use crate::columns::integer;
use crate::committer::Database;
use rookery_engine::store::{
    AppendError, FileRecord, Invite, Progress, Record, RefreshToken, StoreError, TokenHash,
};
use rookery_protocol::{Seq, SessionId, Timestamp, UserId};
use rusqlite::{Connection, params};

/// Bytes that a record which is no batch is counted as.
const RECORD_BYTES: usize = 256;

/// Records ready to be written, their texts made by the caller's thread.
#[derive(Debug)]
pub(crate) struct Incoming {
    records: Vec<(Record, Option<Batch>)>,
    progress: Progress,
}

impl Incoming {
    pub(crate) fn encode(records: &[Record], progress: Progress) -> Result<Self, StoreError> {
        let encode = |record: &Record| {
            let append = match record {
                Record::Batch(batch) => Some(batch.append()),
                _ => None,
            };
            let batch = append.map(Batch::encode).transpose()?;
            Ok((record.clone(), batch))
        };
        let records = records.iter().map(encode).collect::<Result<_, StoreError>>()?;
        Ok(Self { records, progress })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.records.iter().map(|(_, batch)| batch.as_ref().map_or(RECORD_BYTES, Batch::bytes)).sum()
    }

    /// Writes all of them. The inner result is what the caller is told; after an error of it some are written.
    pub(crate) fn apply(&self, database: &mut Database) -> rusqlite::Result<Result<(), StoreError>> {
        for (record, batch) in &self.records {
            match (record, batch) {
                (Record::Batch(records), Some(batch)) => {
                    let head = database.position(records.room)?.map_or(Seq::ZERO, |position| position.head);
                    if head >= records.newest() {
                        continue;
                    }
                    match batch.apply(database)? {
                        Ok(()) => {}
                        Err(AppendError::Store(error)) => return Ok(Err(error)),
                        Err(other) => return Ok(Err(StoreError::Refused(other.to_string()))),
                    }
                }
                _ => row(&database.connection, record)?,
            }
        }
        let Progress { backup, done } = self.progress;
        let statement = "INSERT OR REPLACE INTO import (one, backup, done) VALUES (1, ?, ?)";
        let values = params![backup.as_bytes(), integer(done)];
        database.connection.prepare_cached(statement)?.execute(values)?;
        Ok(Ok(()))
    }
}

pub(crate) fn end_import(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM import")?.execute([]).map(drop)
}

fn row(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Batch(_) => Ok(()),
        Record::Account(account) => accounts::insert(connection, account),
        Record::KeptHandle { handle, user, until } => {
            let statement = "INSERT INTO kept_handles (handle, user, until) VALUES (?, ?, ?)
                ON CONFLICT DO NOTHING";
            let values = params![handle, user.0.as_bytes(), until.0];
            connection.prepare_cached(statement)?.execute(values).map(drop)
        }
        Record::Session(session) => insert_session(connection, session),
        Record::RefreshToken { token, session, replaced_by } => {
            refresh_token(connection, *token, *session, *replaced_by)
        }
        Record::File(record) => file(connection, record),
        Record::Avatar { of, file } => replace(connection, avatar(*of), &[*file]),
        Record::Cursor { room, user, read, read_ord, delivered } => {
            cursors::read(connection, (*room, *user), *read, *read_ord)?;
            cursors::delivered(connection, *room, *user, *delivered)
        }
        Record::Settings { room, user, settings } => {
            cursors::put_settings(connection, *room, *user, *settings)
        }
        Record::Notice(notice) => notices::keep(connection, notice),
        Record::Block { user, other, at } => {
            let statement = "INSERT INTO blocks (user, other, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
            let values = params![user.0.as_bytes(), other.0.as_bytes(), at.0];
            connection.prepare_cached(statement)?.execute(values).map(drop)
        }
        Record::Invite { invite, used_at, revoked_at } => {
            put_invite(connection, invite, *used_at, *revoked_at)
        }
        Record::InviteUse { hash, user } => use_invite(connection, *hash, *user),
        Record::Entry(entry) => docket::keep_entry(connection, entry),
        Record::LastSeen { user, at } => presence::seen(connection, &[(*user, *at)]),
        Record::SignIn(record) => insert_sign_in(connection, record),
    }
}

fn refresh_token(
    connection: &Connection,
    token: RefreshToken,
    session: SessionId,
    replaced_by: Option<TokenHash>,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO refresh_tokens (hash, session, expires_at, replaced_by) VALUES (?, ?, ?, ?)
        ON CONFLICT DO NOTHING";
    let values = params![token.hash, session.0.as_bytes(), token.expires_at.0, replaced_by];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

fn file(connection: &Connection, record: &FileRecord) -> rusqlite::Result<()> {
    let (upload, content) = (&record.upload, record.content.as_ref());
    let thumb = content.and_then(|content| content.thumb.as_ref());
    let charge = integer(record.charge());
    let statement = "INSERT INTO files (file, owner, name, hint, size, expires_at, charge, garbage_at,
            mime, stored, hash, width, height, thumb_mime, thumb_size)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING";
    let is_new = connection.prepare_cached(statement)?.execute(params![
        upload.file.0.as_bytes(),
        upload.owner.0.as_bytes(),
        upload.name,
        upload.hint,
        integer(upload.size),
        upload.expires_at.0,
        charge,
        content.map(|content| &content.mime),
        content.map(|content| integer(content.size)),
        content.map(|content| content.hash),
        content.and_then(|content| content.width),
        content.and_then(|content| content.height),
        thumb.map(|thumb| &thumb.mime),
        thumb.map(|thumb| integer(thumb.size)),
    ])?;
    if is_new > 0 { charge_by(connection, upload.owner, charge) } else { Ok(()) }
}

fn put_invite(
    connection: &Connection,
    invite: &Invite,
    used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO invites (hash, room, by, created_at, expires_at, uses, used_at, revoked_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let values = params![
        invite.hash,
        invite.room.0.as_bytes(),
        invite.by.0.as_bytes(),
        invite.created_at.0,
        invite.expires_at.map(|at| at.0),
        invite.uses,
        used_at.map(|at| at.0),
        revoked_at.map(|at| at.0),
    ];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}

fn use_invite(connection: &Connection, hash: TokenHash, user: UserId) -> rusqlite::Result<()> {
    let statement = "INSERT INTO invite_uses (hash, user) VALUES (?, ?) ON CONFLICT DO NOTHING";
    if connection.prepare_cached(statement)?.execute(params![hash, user.0.as_bytes()])? > 0 {
        let statement = "UPDATE invites SET used = used + 1 WHERE hash = ?";
        connection.prepare_cached(statement)?.execute([hash])?;
    }
    Ok(())
}
