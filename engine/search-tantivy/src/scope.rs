//! What a user may search: its rooms, as they are in the store when the search begins.

use rookery_engine::store::{RoomState, RoomsCursor, Store, StoreError};
use rookery_protocol::{Head, RoomId, Seq, UserId};
use std::collections::BTreeMap;

/// Rooms that are read at a time.
const ROOMS: usize = 500;

/// A room that a user may search, and from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) room: RoomId,
    pub(crate) joined: Seq,
    pub(crate) head: Head,
}

/// Returns the rooms that `user` is a member of now, or the one that is asked for.
pub(crate) async fn scope(
    store: &dyn Store,
    user: UserId,
    room: Option<RoomId>,
) -> Result<Vec<Reach>, StoreError> {
    if let Some(room) = room {
        return Ok(store.room_state(room, user).await?.as_ref().map(reach).into_iter().collect());
    }
    let mut rooms = BTreeMap::new();
    // What a room's activity moves to the front while the list is read is no longer behind it: the list
    // is read again from its front on, to where nothing has moved.
    while list(store, user, &mut rooms).await? {}
    Ok(rooms.into_values().collect())
}

/// Adds the list's rooms, from the newest activity on to a page that is known already. Returns whether
/// it may have missed some that moved.
async fn list(
    store: &dyn Store,
    user: UserId,
    rooms: &mut BTreeMap<RoomId, Reach>,
) -> Result<bool, StoreError> {
    let (mut cursor, mut pages) = (None, 0);
    loop {
        let page = store.rooms_of(user, cursor, ROOMS).await?;
        pages += 1;
        let mut news = 0;
        for state in &page {
            news += usize::from(rooms.insert(state.record.room, reach(state)).is_none());
        }
        let last = page.last().filter(|_| page.len() == ROOMS && news > 0);
        let Some(last) = last else { return Ok(pages > 1) };
        cursor = Some(RoomsCursor { at: last.head.at, room: last.record.room });
    }
}

fn reach(state: &RoomState) -> Reach {
    Reach { room: state.record.room, joined: state.membership.joined, head: state.head }
}
