//! Invites that were kept before, and who has used them.

use super::row::{INVITE, NOBODY, USE};
use crate::CqlStore;
use crate::cql::bound;
use crate::turns::Tries;
use rookery_engine::store::{Invite, StoreError, TokenHash};
use rookery_protocol::{Timestamp, UserId};
use scylla::value::MaybeUnset;

impl CqlStore {
    /// Keeps an invite, good or not any more, unless it is there.
    pub(crate) async fn import_invite(
        &self,
        invite: Invite,
        used_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let kept = async {
            let _turn = self.turns.at(&invite.room).await;
            self.cql.write(&self.invites.put_room, (invite.hash, invite.room.0)).await?;
            loop {
                let version = self.version_of_invites(invite.room).await?;
                if self.invite_in(invite.room, invite.hash).await?.is_some() {
                    return Ok(());
                }
                let write = self.put_invite(invite, used_at, revoked_at);
                if tries.is_applied(self.advance_invites(invite.room, version, &[write]).await).await? {
                    return Ok(());
                }
            }
        };
        let kept = kept.await;
        tries.settle(kept)
    }

    /// Notes that `user` has used an invite, unless that is known or there is none.
    ///
    /// Also of one that is for everybody, where nobody asks for it: what was kept before is kept again.
    pub(crate) async fn import_use(&self, hash: TokenHash, user: UserId) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let noted = self.note_use(hash, user, &mut tries).await;
        tries.settle(noted)
    }

    async fn note_use(&self, hash: TokenHash, user: UserId, tries: &mut Tries) -> Result<(), StoreError> {
        let Some(room) = self.room_of_invite(hash).await? else { return Ok(()) };
        let _turn = self.turns.at(&room).await;
        let statements = &self.invites;
        loop {
            let version = self.version_of_invites(room).await?;
            let Some(row) = self.invite_in(room, hash).await? else { return Ok(()) };
            let key = (room.0, USE, hash, user.0);
            if self.cql.row::<(i64,)>(&statements.a_use, key).await?.is_some() {
                return Ok(());
            }
            let (count, unchanged) = (row.used.saturating_add(1), MaybeUnset::<i64>::Unset);
            // When this one was used nobody has kept; that it was is what counts.
            let at = row.used_at.unwrap_or(row.invite.created_at);
            let writes = [
                bound(&statements.count, (count, unchanged, room.0, INVITE, hash, NOBODY)),
                bound(&statements.put_use, (room.0, USE, hash, user.0, at.0)),
            ];
            if tries.is_applied(self.advance_invites(room, version, &writes).await).await? {
                return Ok(());
            }
        }
    }
}
