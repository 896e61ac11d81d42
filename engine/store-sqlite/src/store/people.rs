//! People and invites: each method of their ports, handed to the committer or to a reader.

use super::SqliteStore;
use crate::{apply, read};
use rookery_engine::store::{
    Answer, BlockSet, Invite, InviteCreated, InviteUsed, Invites, People, ProfileChange, ProfileChanged,
    TokenHash,
};
use rookery_protocol::{RoomId, Timestamp, User, UserId};

impl People for SqliteStore {
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        self.write(move |connection| apply::change_profile(connection, user, &change, now))
    }

    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>> {
        let prefix = prefix.to_owned();
        self.reads.read(move |connection| read::users_by_handle(connection, by, &prefix, limit))
    }

    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet> {
        self.write(move |connection| apply::block(connection, user, other, at))
    }

    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()> {
        self.write(move |connection| apply::unblock(connection, user, other))
    }

    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        let others = others.to_vec();
        self.reads.read(move |connection| read::blocks_between(connection, user, others))
    }
}

impl Invites for SqliteStore {
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated> {
        self.write(move |connection| apply::create_invite(connection, &invite))
    }

    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>> {
        self.reads.read(move |connection| read::invite(connection, hash))
    }

    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool> {
        self.write(move |connection| apply::revoke_invite(connection, room, hash, at))
    }

    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed> {
        self.write(move |connection| apply::use_invite(connection, hash, user, at))
    }
}
