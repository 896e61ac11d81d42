//! Invites in memory.

use super::MemoryStore;
use crate::limits::{INVITE_KEPT_MS, INVITES_PER_ROOM};
use crate::store::{Answer, Invite, InviteCreated, InviteUsed, Invites, TokenHash};
use rookery_protocol::{RoomId, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct InviteTables(pub(super) BTreeMap<TokenHash, Row>);

#[derive(Debug)]
pub(super) struct Row {
    pub(super) invite: Invite,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) used_by: BTreeSet<UserId>,
    pub(super) used_at: Option<Timestamp>,
}

impl Row {
    fn is_used_up(&self) -> bool {
        self.invite.uses.is_some_and(|uses| self.used_by.len() as u64 >= u64::from(uses))
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.revoked_at.is_some() || self.invite.expires_at.is_some_and(|end| end <= now)
    }

    fn is_of_no_use(&self, now: Timestamp) -> bool {
        let is_old = self.used_at.is_some_and(|at| at.plus_millis(INVITE_KEPT_MS) <= now);
        self.has_ended(now) || (self.is_used_up() && is_old)
    }
}

impl InviteTables {
    fn create(&mut self, invite: Invite) -> InviteCreated {
        if self.0.contains_key(&invite.hash) {
            return InviteCreated::Created;
        }
        self.0.retain(|_, row| row.invite.room != invite.room || !row.is_of_no_use(invite.created_at));
        let good = self.0.values().filter(|row| row.invite.room == invite.room && !row.is_used_up()).count();
        if good >= INVITES_PER_ROOM {
            return InviteCreated::TooMany;
        }
        let row = Row { invite, revoked_at: None, used_by: BTreeSet::new(), used_at: None };
        self.0.insert(invite.hash, row);
        InviteCreated::Created
    }

    fn revoke(&mut self, room: RoomId, hash: TokenHash, at: Timestamp) -> bool {
        let Some(row) = self.0.get_mut(&hash).filter(|row| row.invite.room == room) else { return false };
        row.revoked_at.get_or_insert(at);
        true
    }

    fn take(&mut self, hash: TokenHash, user: UserId, at: Timestamp) -> InviteUsed {
        let Some(row) = self.0.get_mut(&hash) else { return InviteUsed::Unknown };
        if row.revoked_at.is_some() {
            return InviteUsed::Revoked;
        }
        if row.has_ended(at) {
            return InviteUsed::Expired;
        }
        if !row.used_by.contains(&user) {
            if row.is_used_up() {
                return InviteUsed::Exhausted;
            }
            row.used_by.insert(user);
            row.used_at = Some(at);
        }
        InviteUsed::Used
    }
}

impl Invites for MemoryStore {
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated> {
        self.answer(move |state| Ok(state.invites.create(invite)))
    }

    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>> {
        self.answer(move |state| Ok(state.invites.0.get(&hash).map(|row| row.invite)))
    }

    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool> {
        self.answer(move |state| Ok(state.invites.revoke(room, hash, at)))
    }

    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed> {
        self.answer(move |state| Ok(state.invites.take(hash, user, at)))
    }
}
