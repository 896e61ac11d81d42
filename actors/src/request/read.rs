//! Pages: of a room's history, of a user's rooms, of a room's members.

use super::source::{Newest, Sight, Source};
use super::{check, object, unread};
use crate::node::Node;
use crate::room::no_such_room;
use rookery_engine::admission::{SHORT_PAGE, Wanted};
use rookery_engine::limits::PAGE_BYTES;
use rookery_engine::store::{Membership, Range, RoomsCursor};
use rookery_protocol::{
    ErrorCode, EventBody, History, Member, MemberList, Members, Message, Quoted, ReplyBody, Role,
    RoomHistory, RoomList, Rooms, Seq, Timestamp, User, UserId, WireError,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Entries of a page when the client does not say how many.
const DEFAULT_PAGE: usize = 50;

/// Which part of the history is asked for.
#[derive(Clone, Copy, Debug)]
enum Part {
    Newest,
    Before(Seq),
    After(Seq),
    Around(Seq),
}

/// Answers `room.history`. While the store cannot be read, an active room gives what it has in memory.
pub(super) async fn history(
    node: &Arc<Node>,
    user: &User,
    asked: RoomHistory,
) -> Result<ReplyBody, WireError> {
    let limit = check::limit(asked.limit, DEFAULT_PAGE)?;
    if limit > SHORT_PAGE {
        node.admit(Wanted::History)?;
    }
    let (room, user) = (asked.room, user.id);
    let part = match (asked.before, asked.after, asked.around) {
        (None, None, None) => Part::Newest,
        (Some(before), None, None) => Part::Before(before),
        (None, Some(after), None) => Part::After(after),
        (None, None, Some(around)) => Part::Around(around),
        _ => {
            return Err(
                WireError::new(ErrorCode::Invalid, "name one of before, after and around").field("before")
            );
        }
    };
    let stored = async {
        let state = node.store().room_state(room, user).await.map_err(unread)?;
        let state = state.ok_or_else(|| no_such_room(room))?;
        let sight = Sight { room, user, joined: state.membership.joined, head: state.head };
        page(&Source::Store(node), &sight, part, limit).await
    };
    let history = match stored.await {
        Err(error) if error.code == ErrorCode::StoreUnavailable => {
            let recalled = node.recall(room, user).await.ok_or(error)?;
            let sight = Sight { room, user, joined: recalled.joined, head: recalled.head };
            page(&Source::Memory(Newest::fold(&recalled, user)), &sight, part, limit).await?
        }
        outcome => outcome?,
    };
    Ok(history.into())
}

/// Reads the part that the membership covers, one entry more on each open side than is shown, so that
/// what is said about more of them is true.
async fn page(source: &Source<'_>, sight: &Sight, part: Part, limit: usize) -> Result<History, WireError> {
    let (joined, head) = (sight.joined, sight.head);
    let floor = Seq(joined.0.saturating_sub(1));
    // The membership was looked at there: what came later it may not cover.
    let end = head.seq.next();
    let is_covered = |message: &Message| (joined..end).contains(&message.event.seq);
    let read = |range, limit: usize| async move {
        let mut entries = source.page(sight, range, limit + 1).await?;
        entries.retain(is_covered);
        Ok::<_, WireError>(entries)
    };
    let (messages, more_before, more_after) = match part {
        Part::Newest => {
            let (messages, more) = newest(read(Range::Before(end), limit).await?, limit);
            (messages, more, false)
        }
        Part::Before(before) => {
            let (messages, more) = newest(read(Range::Before(before.min(end)), limit).await?, limit);
            (messages, more, before < end)
        }
        Part::After(after) => {
            let (messages, more) = oldest(read(Range::After(after.max(floor)), limit).await?, limit);
            (messages, after >= joined, more)
        }
        Part::Around(around) => {
            let before = read(Range::Before(around.min(end)), limit / 2).await?;
            let (mut messages, more_before) = newest(before, limit / 2);
            let rest = limit - messages.len();
            let after = Range::After(Seq(around.0.saturating_sub(1)).max(floor));
            let (after, more_after) = oldest(read(after, rest).await?, rest);
            messages.extend(after);
            (messages, more_before, more_after)
        }
    };
    let mut history = History { messages, head, more_before, more_after };
    quote(source, sight, &mut history.messages).await?;
    Ok(history)
}

/// Adds to each answer the beginning of what it answers, as it is now.
async fn quote(source: &Source<'_>, sight: &Sight, messages: &mut [Message]) -> Result<(), WireError> {
    // A deleted answer quotes nothing.
    let answered =
        |message: &Message| message.event.reply_to.filter(|seq| !message.deleted && *seq >= sight.joined);
    let seqs: Vec<Seq> = messages.iter().filter_map(answered).collect();
    if seqs.is_empty() {
        return Ok(());
    }
    let found = source.messages(sight, &seqs).await?;
    let quoted: HashMap<Seq, Quoted> =
        found.into_iter().map(|message| (message.event.seq, quoted(&message))).collect();
    for message in messages {
        message.quoted = answered(message).and_then(|seq| quoted.get(&seq).cloned());
    }
    Ok(())
}

fn quoted(message: &Message) -> Quoted {
    let kind = match &message.event.body {
        EventBody::Message(body) => Some(body.kind.clone()),
        _ => None,
    };
    Quoted { by: message.event.by, text: message.event.body.beginning(), kind, deleted: message.deleted }
}

/// Keeps the oldest entries that fit in a page, at least one; and whether there are others.
fn oldest(mut messages: Vec<Message>, limit: usize) -> (Vec<Message>, bool) {
    let all = messages.len();
    let fits = fitting(messages.iter().take(limit));
    messages.truncate(fits);
    (messages, fits < all)
}

/// Keeps the newest entries that fit in a page, at least one; and whether there are others.
fn newest(mut messages: Vec<Message>, limit: usize) -> (Vec<Message>, bool) {
    let all = messages.len();
    let fits = fitting(messages.iter().rev().take(limit));
    messages.drain(..all - fits);
    (messages, fits < all)
}

fn fitting<'a>(messages: impl Iterator<Item = &'a Message>) -> usize {
    let mut bytes = 0;

    messages
        .take_while(|message| {
            let is_first = bytes == 0;
            bytes += message.event.body.text_bytes().max(1);
            is_first || bytes <= PAGE_BYTES
        })
        .count()
}

/// Answers `room.list`.
pub(super) async fn rooms(node: &Arc<Node>, user: &User, asked: RoomList) -> Result<ReplyBody, WireError> {
    let limit = check::limit(asked.limit, DEFAULT_PAGE)?;
    let cursor = asked.cursor.as_deref().map(parse_rooms_cursor).transpose()?;
    let store = node.store();
    let (states, total_unread) =
        tokio::try_join!(store.rooms_of(user.id, cursor, limit + 1), store.total_unread(user.id))
            .map_err(unread)?;
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

/// Reads a cursor, for the fuzz target.
pub(crate) fn reads_rooms_cursor(text: &str) {
    if let Ok(RoomsCursor { at, room }) = parse_rooms_cursor(text) {
        let again = parse_rooms_cursor(&format!("{}.{room}", at.0));
        assert_eq!(again.ok(), Some(RoomsCursor { at, room }), "it is written as it was read");
    }
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
