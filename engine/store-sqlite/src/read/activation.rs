//! Reading what belongs together, in one snapshot.

use super::accounts::{session, user_in};
use super::cursors::cursors;
use super::log::{Which, head, log_no, walk};
use super::rooms::{members, room, state_of};
use rookery_engine::store::{Activation, Login, Opening, Range};
use rookery_protocol::{RoomId, SessionId, UserId};
use rusqlite::{Connection, OptionalExtension};

pub(crate) fn activation(
    snapshot: &Connection,
    of: RoomId,
    (most_members, most_events): (usize, usize),
) -> rusqlite::Result<Option<Activation>> {
    let (Some(head), Some(log)) = (head(snapshot, of)?, log_no(snapshot, of)?) else { return Ok(None) };
    let record = room(snapshot, of)?;
    let members = members(snapshot, of, None, most_members)?;
    let newest = Range::Before(head.seq.next());
    let events = walk(snapshot, (of, log), newest, (Which::All, most_events))?;
    Ok(Some(Activation { head, record, members, events }))
}

pub(crate) fn opening(
    snapshot: &Connection,
    (room, user): (RoomId, UserId),
    most_cursors: usize,
) -> rusqlite::Result<Option<Opening>> {
    let Some(state) = state_of(snapshot, room, user)? else { return Ok(None) };
    let is_small = state.record.members <= most_cursors as u64;
    let cursors = is_small.then(|| cursors(snapshot, room, most_cursors)).transpose()?;
    Ok(Some(Opening { state, cursors }))
}

pub(crate) fn login(snapshot: &Connection, of: SessionId) -> rusqlite::Result<Option<Login>> {
    let Some(session) = session(snapshot, of)? else { return Ok(None) };
    let query = "SELECT user, handle, name, avatar, about FROM users WHERE user = ?";
    let user = snapshot.prepare_cached(query)?.query_row([session.user.0.as_bytes()], user_in).optional()?;
    Ok(Some(Login { session, user }))
}
