//! Calls on people and invites, sent again until their answers are certain.

use super::{Settled, settle};
use crate::store::{
    Answer, BlockSet, Invite, InviteCreated, InviteUsed, Invites, People, ProfileChange, ProfileChanged,
    Store, TokenHash,
};
use rookery_protocol::{RoomId, Timestamp, User, UserId};

impl<S: Store> People for Settled<S> {
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        settle(move || self.0.change_profile(user, change.clone(), now))
    }

    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>> {
        settle(move || self.0.users_by_handle(by, prefix, limit))
    }

    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet> {
        settle(move || self.0.block(user, other, at))
    }

    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()> {
        settle(move || self.0.unblock(user, other))
    }

    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        settle(move || self.0.blocks_between(user, others))
    }
}

impl<S: Store> Invites for Settled<S> {
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated> {
        settle(move || self.0.create_invite(invite))
    }

    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>> {
        settle(move || self.0.invite(hash))
    }

    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool> {
        settle(move || self.0.revoke_invite(room, hash, at))
    }

    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed> {
        settle(move || self.0.use_invite(hash, user, at))
    }
}
