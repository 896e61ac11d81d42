//! Pages: of a room's history, of a user's rooms, of a room's members.

use super::{check, object, unread};
use crate::node::Node;
use crate::room::no_such_room;
use rookery_engine::limits::PAGE_BYTES;
use rookery_engine::store::{Membership, Range, RoomState, RoomsCursor};
use rookery_protocol::{
    ErrorCode, Event, History, Member, MemberList, Members, Message, ReplyBody, Role, RoomHistory, RoomId,
    RoomList, Rooms, Seq, Timestamp, User, UserId, WireError,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Entries of a page when the client does not say how many.
const DEFAULT_PAGE: usize = 50;

/// Which part of the history is asked for.
#[derive(Clone, Copy, Debug)]
enum Part {
    Before(Seq),
    After(Seq),
    Around(Seq),
}

/// Answers `room.history`.
pub(super) async fn history(
    node: &Arc<Node>,
    user: &User,
    asked: RoomHistory,
) -> Result<ReplyBody, WireError> {
    let limit = check::limit(asked.limit, DEFAULT_PAGE)?;
    let room = asked.room;
    let state = node.store().room_state(room, user.id).await.map_err(unread)?;
    let state = state.ok_or_else(|| no_such_room(room))?;
    let part = match (asked.before, asked.after, asked.around) {
        (None, None, None) => Part::Before(Seq(u64::MAX >> 1)),
        (Some(before), None, None) => Part::Before(before),
        (None, Some(after), None) => Part::After(after),
        (None, None, Some(around)) => Part::Around(around),
        _ => {
            return Err(
                WireError::new(ErrorCode::Invalid, "name one of before, after and around").field("before")
            );
        }
    };
    let events = page(node, room, part, &state, limit).await?;
    Ok(shown(events, part, &state).into())
}

/// Reads the part that the membership covers.
async fn page(
    node: &Node,
    room: RoomId,
    part: Part,
    state: &RoomState,
    limit: usize,
) -> Result<Vec<Event>, WireError> {
    let joined = state.membership.joined;
    let floor = Seq(joined.0.saturating_sub(1));
    // The membership was looked at there: what came later it may not cover.
    let end = state.head.seq.next();
    let read = |range, limit| async move { node.store().read(room, range, limit).await.map_err(unread) };
    let mut events = match part {
        Part::Before(before) => newest(read(Range::Before(before.min(end)), limit).await?),
        Part::After(after) => oldest(read(Range::After(after.max(floor)), limit).await?),
        Part::Around(around) => {
            let mut events = newest(read(Range::Before(around.min(end)), limit / 2).await?);
            let rest = limit - events.len();
            events
                .extend(oldest(read(Range::After(Seq(around.0.saturating_sub(1)).max(floor)), rest).await?));
            events
        }
    };
    events.retain(|event| (joined..end).contains(&event.seq));
    Ok(events)
}

fn shown(events: Vec<Event>, part: Part, state: &RoomState) -> History {
    let joined = state.membership.joined;
    let head = state.head;
    let (more_before, more_after) = match (events.first(), events.last(), part) {
        (Some(first), Some(last), _) => (first.seq > joined, last.seq < head.seq),
        (_, _, Part::Before(before) | Part::Around(before)) => (false, before <= head.seq),
        (_, _, Part::After(after)) => (after >= joined, false),
    };
    let messages = events
        .into_iter()
        .map(|event| Message {
            event,
            rev: Seq::ZERO,
            edited_at: None,
            deleted: false,
            reactions: Vec::new(),
            pinned: false,
        })
        .collect();
    History { messages, head, more_before, more_after }
}

/// Keeps the oldest events that fit in a page, at least one.
fn oldest(mut events: Vec<Event>) -> Vec<Event> {
    let fits = fitting(events.iter());
    events.truncate(fits);
    events
}

/// Keeps the newest events that fit in a page, at least one.
fn newest(mut events: Vec<Event>) -> Vec<Event> {
    let fits = fitting(events.iter().rev());
    events.drain(..events.len() - fits);
    events
}

fn fitting<'a>(events: impl Iterator<Item = &'a Event>) -> usize {
    let mut bytes = 0;

    events
        .take_while(|event| {
            let is_first = bytes == 0;
            bytes += event.body.text_bytes().max(1);
            is_first || bytes <= PAGE_BYTES
        })
        .count()
}

/// Answers `room.list`.
pub(super) async fn rooms(node: &Arc<Node>, user: &User, asked: RoomList) -> Result<ReplyBody, WireError> {
    let limit = check::limit(asked.limit, DEFAULT_PAGE)?;
    let cursor = asked.cursor.as_deref().map(parse_rooms_cursor).transpose()?;
    let states = node.store().rooms_of(user.id, cursor, limit + 1).await.map_err(unread)?;
    let total_unread = node.store().total_unread(user.id).await.map_err(unread)?;
    let has_more = states.len() > limit;
    let mut states = states;
    states.truncate(limit);
    let next =
        states.last().filter(|_| has_more).map(|last| format!("{}.{}", last.head.at.0, last.record.room));
    Ok(Rooms { rooms: states.into_iter().map(object).collect(), next, total_unread }.into())
}

fn parse_rooms_cursor(text: &str) -> Result<RoomsCursor, WireError> {
    text.split_once('.')
        .and_then(|(at, room)| {
            Some(RoomsCursor { at: Timestamp(at.parse().ok()?), room: room.parse().ok()? })
        })
        .ok_or_else(bad_cursor)
}

fn bad_cursor() -> WireError {
    WireError::new(ErrorCode::Invalid, "not a cursor of this list").field("cursor")
}

/// Answers `member.list`.
pub(super) async fn members(
    node: &Arc<Node>,
    user: &User,
    asked: MemberList,
) -> Result<ReplyBody, WireError> {
    let limit = check::limit(asked.limit, DEFAULT_PAGE)?;
    let after = asked.cursor.as_deref().map(|text| text.parse().map_err(|_| bad_cursor())).transpose()?;
    let mut page = node.store().members(asked.room, after, limit + 1).await.map_err(unread)?;
    // Afterwards, since the page has no position that would bound what somebody sees who is removed.
    let state = node.store().room_state(asked.room, user.id).await.map_err(unread)?;
    state.ok_or_else(|| no_such_room(asked.room))?;
    let has_more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| has_more).map(|last| last.user.to_string());
    let ids: Vec<UserId> = page.iter().map(|member| member.user).collect();
    let users = node.store().users(&ids).await.map_err(unread)?;
    let mut users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user)).collect();
    let members = page.into_iter().filter_map(|member| shown_member(&member, &mut users)).collect();
    Ok(Members { members, next }.into())
}

fn shown_member(member: &Membership, users: &mut HashMap<UserId, User>) -> Option<Member> {
    Some(Member {
        user: users.remove(&member.user)?,
        role: member.role.unwrap_or(Role::Reader),
        joined_seq: member.joined,
    })
}
