//! Invites. Those of a room are in one partition with who has used them, so that how many are good, and how
//! often each was used, are decided as one. Which room an invite is of stands beside it, written before.

mod import;
mod row;

use crate::CqlStore;
use crate::cql::{Bound, Conditional, Cql, Read, Write, bound};
use crate::turns::{Tries, condition, next_version};
use rookery_engine::limits::INVITES_PER_ROOM;
use rookery_engine::store::{Answer, Invite, InviteCreated, InviteUsed, Invites, StoreError, TokenHash};
use rookery_protocol::{RoomId, Timestamp, UserId};
use row::{INVITE, NOBODY, Row, USE};
pub(crate) use row::{is_use, key_of};
use scylla::errors::PrepareError;
use scylla::value::MaybeUnset;
use uuid::Uuid;

/// Rows of invites and of their uses that one call forgets at most; others go with a later call.
const FORGOTTEN_ROWS: usize = 200;

/// The statements.
#[derive(Debug)]
pub(crate) struct InviteStatements {
    room: Read,
    put_room: Write,
    drop_room: Write,
    version: Read,
    advance: Conditional,
    of_room: Read,
    one: Read,
    put: Write,
    drop_row: Write,
    revoke: Write,
    count: Write,
    uses: Read,
    a_use: Read,
    put_use: Write,
}

impl InviteStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            room: cql.read_statement("SELECT room_id FROM invite_rooms WHERE hash = ?").await?,
            put_room: cql.write_statement("INSERT INTO invite_rooms (hash, room_id) VALUES (?, ?)").await?,
            drop_room: cql.write_statement("DELETE FROM invite_rooms WHERE hash = ?").await?,
            version: cql.settling_statement("SELECT version FROM invites WHERE room_id = ? LIMIT 1").await?,
            advance: cql
                .conditional_statement("UPDATE invites SET version = ? WHERE room_id = ? IF version = ?")
                .await?,
            of_room: cql
                .read_statement(
                    "SELECT hash, by_id, created_at, expires_at, uses, used, used_at, revoked_at
                        FROM invites WHERE room_id = ? AND kind = ?",
                )
                .await?,
            one: cql
                .read_statement(
                    "SELECT hash, by_id, created_at, expires_at, uses, used, used_at, revoked_at
                        FROM invites WHERE room_id = ? AND kind = ? AND hash = ? AND user_id = ?",
                )
                .await?,
            put: cql
                .write_statement(
                    "INSERT INTO invites
                        (room_id, kind, hash, user_id, by_id, created_at, expires_at, uses, used,
                            used_at, revoked_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .await?,
            drop_row: cql
                .write_statement(
                    "DELETE FROM invites WHERE room_id = ? AND kind = ? AND hash = ? AND user_id = ?",
                )
                .await?,
            revoke: cql
                .write_statement(
                    "UPDATE invites SET revoked_at = ?
                        WHERE room_id = ? AND kind = ? AND hash = ? AND user_id = ?",
                )
                .await?,
            count: cql
                .write_statement(
                    "UPDATE invites SET used = ?, used_at = ?
                        WHERE room_id = ? AND kind = ? AND hash = ? AND user_id = ?",
                )
                .await?,
            uses: cql
                .read_statement(
                    "SELECT user_id FROM invites WHERE room_id = ? AND kind = ? AND hash = ? LIMIT ?",
                )
                .await?,
            a_use: cql
                .read_statement(
                    "SELECT used_at FROM invites
                        WHERE room_id = ? AND kind = ? AND hash = ? AND user_id = ?",
                )
                .await?,
            put_use: cql
                .write_statement(
                    "INSERT INTO invites (room_id, kind, hash, user_id, used_at) VALUES (?, ?, ?, ?, ?)",
                )
                .await?,
        })
    }
}

impl CqlStore {
    async fn make_invite(&self, invite: Invite, tries: &mut Tries) -> Result<InviteCreated, StoreError> {
        let _turn = self.turns.at(&invite.room).await;
        let statements = &self.invites;
        let (room, hash) = (invite.room, invite.hash);
        loop {
            let version = self.version_of_invites(room).await?;
            if self.find_invite(hash).await?.is_some() {
                return Ok(InviteCreated::Created);
            }
            let rows = self.invites_of(room).await?;
            let (over, kept): (Vec<_>, Vec<_>) =
                rows.into_iter().partition(|row| row.is_of_no_use(invite.created_at));
            let (gone, mut writes) = self.forget(&over, invite.created_at).await?;
            let has_place = kept.iter().filter(|row| !row.is_used_up()).count() < INVITES_PER_ROOM;
            if has_place {
                self.cql.write(&statements.put_room, (hash, room.0)).await?;
                writes.push(self.put_invite(invite, None, None));
            } else if writes.is_empty() {
                return Ok(InviteCreated::TooMany);
            }
            if tries.is_applied(self.advance_invites(room, version, &writes).await).await? {
                for hash in gone {
                    self.cql.write(&statements.drop_room, (hash,)).await?;
                }
                return Ok(if has_place { InviteCreated::Created } else { InviteCreated::TooMany });
            }
        }
    }

    /// Returns what puts an invite, of which no use was taken yet.
    fn put_invite(
        &self,
        invite: Invite,
        used_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
    ) -> Bound<'_> {
        let moment = |at: Option<Timestamp>| MaybeUnset::from_option(at.map(|at| at.0));
        let uses = MaybeUnset::from_option(invite.uses.map(i64::from));
        let Invite { hash, room, by, created_at, expires_at, .. } = invite;
        let values = (
            room.0,
            INVITE,
            hash,
            NOBODY,
            by.0,
            created_at.0,
            moment(expires_at),
            uses,
            0_i64,
            moment(used_at),
            moment(revoked_at),
        );
        bound(&self.invites.put, values)
    }

    /// Returns what forgets those of `over` that one call has room for, and which these are. One of which
    /// only a part goes is sealed, so that nobody takes a second use of it.
    async fn forget(
        &self,
        over: &[Row],
        now: Timestamp,
    ) -> Result<(Vec<TokenHash>, Vec<Bound<'_>>), StoreError> {
        let statements = &self.invites;
        let (mut gone, mut writes) = (Vec::new(), Vec::new());
        for Row { invite, used, .. } in over {
            let Some(left) = FORGOTTEN_ROWS.checked_sub(writes.len() + 1).filter(|left| *left > 0) else {
                break;
            };
            let (room, hash) = (invite.room.0, invite.hash);
            let mut is_whole = true;
            if *used > 0 {
                let limit = i32::try_from(left).unwrap_or(i32::MAX);
                let users = self.cql.rows::<(Uuid,)>(&statements.uses, (room, USE, hash, limit)).await?;
                is_whole = users.len() < left;
                let drop_use = |(user,)| bound(&statements.drop_row, (room, USE, hash, user));
                writes.extend(users.into_iter().map(drop_use));
            }
            if is_whole {
                writes.push(bound(&statements.drop_row, (room, INVITE, hash, NOBODY)));
                gone.push(hash);
            } else {
                writes.push(bound(&statements.revoke, (now.0, room, INVITE, hash, NOBODY)));
            }
        }
        Ok((gone, writes))
    }

    async fn take_invite_back(
        &self,
        room: RoomId,
        hash: TokenHash,
        at: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        let _turn = self.turns.at(&room).await;
        loop {
            let version = self.version_of_invites(room).await?;
            match self.invite_in(room, hash).await? {
                None => return Ok(false),
                Some(row) if row.revoked_at.is_some() => return Ok(true),
                Some(_) => {}
            }
            let write = bound(&self.invites.revoke, (at.0, room.0, INVITE, hash, NOBODY));
            if tries.is_applied(self.advance_invites(room, version, &[write]).await).await? {
                return Ok(true);
            }
        }
    }

    async fn take_use(
        &self,
        hash: TokenHash,
        user: UserId,
        at: Timestamp,
        tries: &mut Tries,
    ) -> Result<InviteUsed, StoreError> {
        let Some(room) = self.room_of_invite(hash).await? else { return Ok(InviteUsed::Unknown) };
        let _turn = self.turns.at(&room).await;
        let statements = &self.invites;
        loop {
            let version = self.version_of_invites(room).await?;
            let Some(row) = self.invite_in(room, hash).await? else { return Ok(InviteUsed::Unknown) };
            if row.revoked_at.is_some() {
                return Ok(InviteUsed::Revoked);
            }
            if row.has_ended(at) {
                return Ok(InviteUsed::Expired);
            }
            // Who has used one that is for everybody makes no difference.
            if row.invite.uses.is_none() {
                return Ok(InviteUsed::Used);
            }
            let key = (room.0, USE, hash, user.0);
            if self.cql.row::<(i64,)>(&statements.a_use, key).await?.is_some() {
                return Ok(InviteUsed::Used);
            }
            if row.is_used_up() {
                return Ok(InviteUsed::Exhausted);
            }
            let count = row.used.saturating_add(1);
            let writes = [
                bound(&statements.count, (count, at.0, room.0, INVITE, hash, NOBODY)),
                bound(&statements.put_use, (room.0, USE, hash, user.0, at.0)),
            ];
            if tries.is_applied(self.advance_invites(room, version, &writes).await).await? {
                return Ok(InviteUsed::Used);
            }
        }
    }

    /// Moves the ledger of a room's invites on from `version`, with `writes`.
    async fn advance_invites(
        &self,
        room: RoomId,
        version: Option<i64>,
        writes: &[Bound<'_>],
    ) -> Result<crate::cql::Decided, StoreError> {
        let values = (next_version(version), room.0, version);
        self.cql.decide_together(&[condition(&self.invites.advance, values)], writes).await
    }
}

impl Invites for CqlStore {
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let created = self.make_invite(invite, &mut tries).await;
            tries.settle(created)
        })
    }

    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>> {
        Box::pin(async move { Ok(self.find_invite(hash).await?.map(|row| row.invite)) })
    }

    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let revoked = self.take_invite_back(room, hash, at, &mut tries).await;
            tries.settle(revoked)
        })
    }

    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let answer = self.take_use(hash, user, at, &mut tries).await;
            tries.settle(answer)
        })
    }
}
