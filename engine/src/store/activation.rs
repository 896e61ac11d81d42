//! What is read of a room when its actor starts or somebody opens it, and of a login when somebody shows its
//! token: what belongs together in one call, since each call of an embedded store costs a hop to another thread.

use super::{LoginSession, MemberCursor, Membership, Range, RoomRecord, RoomState, Store, StoreError};
use rookery_protocol::{Event, Head, RoomId, SessionId, User, UserId};

/// What an actor begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Where the log stands.
    pub head: Head,
    /// What the room is.
    pub record: Option<RoomRecord>,
    /// The first members by their ids, as many as were asked for. They may be newer than `head`.
    pub members: Vec<Membership>,
    /// The newest events up to `head`, in their order.
    pub events: Vec<Event>,
}

/// What a member is told who opens a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The room as the member sees it.
    pub state: RoomState,
    /// How far its members have come, where it has no more of them than were asked for.
    pub cursors: Option<Vec<MemberCursor>>,
}

/// A login and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The login, which may be over.
    pub session: LoginSession,
    /// Whose it is; `None` where the account is gone.
    pub user: Option<User>,
}

impl Activation {
    /// Answers [`Store::activation`] in parts, for a store that has no shorter way.
    ///
    /// # Errors
    /// As its parts.
    pub async fn in_parts<S: Store + ?Sized>(
        store: &S,
        room: RoomId,
        (members, events): (usize, usize),
    ) -> Result<Option<Self>, StoreError> {
        let Some(head) = store.head(room).await? else { return Ok(None) };
        let record = store.room(room).await?;
        let members = store.members(room, None, members).await?;
        let events = store.read(room, Range::Before(head.seq.next()), events).await?;
        Ok(Some(Self { head, record, members, events }))
    }
}

impl Login {
    /// Answers [`Store::login`] in parts, for a store that has no shorter way.
    ///
    /// # Errors
    /// As its parts.
    pub async fn in_parts<S: Store + ?Sized>(
        store: &S,
        session: SessionId,
    ) -> Result<Option<Self>, StoreError> {
        let Some(session) = store.session(session).await? else { return Ok(None) };
        let user = store.users(&[session.user]).await?.into_iter().next();
        Ok(Some(Self { session, user }))
    }
}

impl Opening {
    /// Answers [`Store::opening`] in parts, for a store that has no shorter way.
    ///
    /// # Errors
    /// As its parts.
    pub async fn in_parts<S: Store + ?Sized>(
        store: &S,
        (room, user): (RoomId, UserId),
        cursors: usize,
    ) -> Result<Option<Self>, StoreError> {
        let Some(state) = store.room_state(room, user).await? else { return Ok(None) };
        let is_small = state.record.members <= cursors as u64;
        let cursors = if is_small { Some(store.cursors(room, cursors).await?) } else { None };
        Ok(Some(Self { state, cursors }))
    }
}
