//! Rooms and members.

use crate::CqlStore;
use crate::log::unfinished;
use rookery_engine::store::{
    Answer, Membership, RoomRecord, RoomState, Rooms, RoomsCursor, SettingsChange, StoreError,
};
use rookery_protocol::{RoomId, Seq, UserId};

/// Returns from where on `user` reads `room`; `None` where it is not a member now.
#[expect(clippy::unused_async, reason = "a stub")]
pub(crate) async fn joined(
    _store: &CqlStore,
    _room: RoomId,
    _user: UserId,
) -> Result<Option<Seq>, StoreError> {
    Ok(None)
}

impl Rooms for CqlStore {
    fn room(&self, _room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        unfinished()
    }

    fn room_state(&self, _room: RoomId, _user: UserId) -> Answer<'_, Option<RoomState>> {
        unfinished()
    }

    fn room_states<'a>(&'a self, _room: RoomId, _users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        unfinished()
    }

    fn change_settings(&self, _room: RoomId, _user: UserId, _change: SettingsChange) -> Answer<'_, ()> {
        unfinished()
    }

    fn rooms_of(
        &self,
        _user: UserId,
        _cursor: Option<RoomsCursor>,
        _limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        unfinished()
    }

    fn total_unread(&self, _user: UserId) -> Answer<'_, u64> {
        unfinished()
    }

    fn members(&self, _room: RoomId, _after: Option<UserId>, _limit: usize) -> Answer<'_, Vec<Membership>> {
        unfinished()
    }
}
