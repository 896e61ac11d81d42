//! Faults of what people are and of the invites that they make.

use super::FaultStore;
use crate::store::{
    Answer, BlockSet, Invite, InviteCreated, InviteUsed, Invites, People, ProfileChange, ProfileChanged,
    Store, TokenHash,
};
use rookery_protocol::{RoomId, Timestamp, User, UserId};

impl<S: Store> People for FaultStore<S> {
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        self.write(move |store| store.change_profile(user, change, now))
    }

    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>> {
        self.read(move |store| store.users_by_handle(by, prefix, limit))
    }

    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet> {
        self.write(move |store| store.block(user, other, at))
    }

    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()> {
        self.write(move |store| store.unblock(user, other))
    }

    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        self.read(move |store| store.blocks_between(user, others))
    }
}

impl<S: Store> Invites for FaultStore<S> {
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated> {
        self.write(move |store| store.create_invite(invite))
    }

    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>> {
        self.read(move |store| store.invite(hash))
    }

    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool> {
        self.write(move |store| store.revoke_invite(room, hash, at))
    }

    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed> {
        self.write(move |store| store.use_invite(hash, user, at))
    }
}
