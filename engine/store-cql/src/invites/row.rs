//! An invite as it is kept, and reading it.

use crate::CqlStore;
use rookery_engine::limits::INVITE_KEPT_MS;
use rookery_engine::store::{Invite, StoreError, TokenHash};
use rookery_protocol::{RoomId, Timestamp, UserId};
use uuid::Uuid;

/// The kind of an invite's own row.
pub(super) const INVITE: i8 = 0;

/// The kind of a row that says who has used one.
pub(super) const USE: i8 = 1;

/// Returns whether rows of this kind say who has used an invite.
pub(crate) const fn is_use(kind: i8) -> bool {
    kind == USE
}

/// The user in an invite's own row.
pub(super) const NOBODY: Uuid = Uuid::nil();

/// Returns the key of an invite's own row.
pub(crate) const fn key_of(room: RoomId, hash: TokenHash) -> (Uuid, i8, TokenHash, Uuid) {
    (room.0, INVITE, hash, NOBODY)
}

/// An invite and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) invite: Invite,
    pub(super) used: i64,
    pub(crate) used_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

impl Row {
    pub(super) fn is_used_up(&self) -> bool {
        self.invite.uses.is_some_and(|uses| self.used >= i64::from(uses))
    }

    /// Whether it was taken back or its time is over at `now`.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.revoked_at.is_some() || self.invite.expires_at.is_some_and(|end| end <= now)
    }

    pub(super) fn is_of_no_use(&self, now: Timestamp) -> bool {
        let is_old = self.used_at.is_some_and(|at| at.plus_millis(INVITE_KEPT_MS) <= now);
        self.has_ended(now) || (self.is_used_up() && is_old)
    }
}

type Columns = (Vec<u8>, Uuid, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn row(room: RoomId, columns: Columns) -> Result<Row, StoreError> {
    let (hash, by, created_at, expires_at, uses, count, used_at, revoked_at) = columns;
    let hash = hash.try_into().map_err(|_| StoreError::Fatal("an invite's hash has 32 bytes".to_owned()))?;
    let invite = Invite {
        hash,
        room,
        by: UserId(by),
        created_at: Timestamp(created_at),
        expires_at: expires_at.map(Timestamp),
        uses: uses.map(|uses| u32::try_from(uses).unwrap_or(u32::MAX)),
    };
    let (used_at, revoked_at) = (used_at.map(Timestamp), revoked_at.map(Timestamp));
    Ok(Row { invite, used: count.unwrap_or(0), used_at, revoked_at })
}

impl CqlStore {
    /// Returns the version of a room's ledger. What is read after it is at least as new.
    pub(super) async fn version_of_invites(&self, room: RoomId) -> Result<Option<i64>, StoreError> {
        let row = self.cql.row::<(Option<i64>,)>(&self.invites.version, (room.0,)).await?;
        Ok(row.and_then(|(version,)| version))
    }

    pub(super) async fn room_of_invite(&self, hash: TokenHash) -> Result<Option<RoomId>, StoreError> {
        let row = self.cql.row::<(Uuid,)>(&self.invites.room, (hash,)).await?;
        Ok(row.map(|(room,)| RoomId(room)))
    }

    pub(super) async fn invites_of(&self, room: RoomId) -> Result<Vec<Row>, StoreError> {
        let rows = self.cql.rows::<Columns>(&self.invites.of_room, (room.0, INVITE)).await?;
        rows.into_iter().map(|columns| row(room, columns)).collect()
    }

    pub(super) async fn invite_in(&self, room: RoomId, hash: TokenHash) -> Result<Option<Row>, StoreError> {
        let key = (room.0, INVITE, hash, NOBODY);
        let columns = self.cql.row::<Columns>(&self.invites.one, key).await?;
        columns.map(|columns| row(room, columns)).transpose()
    }

    /// Returns an invite, whatever became of it.
    pub(crate) async fn find_invite(&self, hash: TokenHash) -> Result<Option<Row>, StoreError> {
        match self.room_of_invite(hash).await? {
            Some(room) => self.invite_in(room, hash).await,
            None => Ok(None),
        }
    }
}
