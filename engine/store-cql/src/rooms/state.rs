//! A room together with one member's view of it.

use super::member;
use super::{MemberRow, row};
use crate::CqlStore;
use crate::columns::integer;
use crate::cql::Cql;
use crate::project::Standing;
use rookery_engine::store::{RoomRecord, RoomState, StoreError};
use rookery_protocol::{Preview, RoomId, Seq, UserId};
use std::collections::BTreeSet;
use std::ops::Range;
use uuid::Uuid;

/// Returns the room and its view for each of `users` that is a member now, ascending by id.
pub(super) async fn of_members(
    store: &CqlStore,
    room: RoomId,
    users: &[UserId],
) -> Result<Vec<RoomState>, StoreError> {
    let (Some(record), Some(standing)) = row(store, room).await? else { return Ok(Vec::new()) };
    let users: BTreeSet<UserId> = users.iter().copied().collect();
    let members = Cql::for_each(users, |user| member::row(store, room, user)).await?;
    let members: Vec<MemberRow> = members.into_iter().flatten().collect();
    let Some(oldest) = members.iter().filter_map(MemberRow::read).map(|(read, _)| read).min() else {
        return Ok(Vec::new());
    };
    let of_all = mentions(store, room, None, oldest..standing.head.seq).await?;
    let states = Cql::for_each(members, |member| {
        let (record, standing, of_all) = (record.clone(), &standing, &of_all);
        async move { seen(store, record, standing, (&member, of_all)).await }
    });
    Ok(states.await?.into_iter().flatten().collect())
}

/// Returns the room and `user`'s view of it, if it is a member now.
pub(super) async fn of_member(
    store: &CqlStore,
    record: RoomRecord,
    standing: Standing,
    user: UserId,
) -> Result<Option<RoomState>, StoreError> {
    let Some(member) = member::row(store, record.room, user).await? else { return Ok(None) };
    let Some((read, _)) = member.read() else { return Ok(None) };
    let of_all = mentions(store, record.room, None, read..standing.head.seq).await?;
    seen(store, record, &standing, (&member, &of_all)).await
}

/// Returns the view of one member, where these messages mention all.
async fn seen(
    store: &CqlStore,
    record: RoomRecord,
    standing: &Standing,
    (member, of_all): (&MemberRow, &BTreeSet<Seq>),
) -> Result<Option<RoomState>, StoreError> {
    let (Some(membership), Some((read, read_ord))) = (member.present(), member.read()) else {
        return Ok(None);
    };
    let between = read..standing.head.seq;
    let mut mentioned = mentions(store, record.room, Some(membership.user), between).await?;
    mentioned.extend(of_all.range(read.next()..));
    let newest = standing.newest.as_ref().filter(|newest| newest.seq >= membership.joined);
    let delivered = member.cursor.map_or(Seq::ZERO, |cursor| cursor.delivered);
    Ok(Some(RoomState {
        record,
        head: standing.head,
        membership,
        read,
        read_ord,
        delivered: delivered.max(read),
        mentions: mentioned.len() as u64,
        settings: member.settings,
        preview: newest.map(|newest| Preview { by: newest.by, text: newest.text.clone() }),
    }))
}

/// Returns the messages after the first position and up to the last that mention `user`, or everybody. What
/// was written since the room's head was read is not counted there either.
async fn mentions(
    store: &CqlStore,
    room: RoomId,
    user: Option<UserId>,
    Range { start, end }: Range<Seq>,
) -> Result<BTreeSet<Seq>, StoreError> {
    let values = (room.0, user.map_or(Uuid::nil(), |user| user.0), integer(start.0));
    let rows = store.cql.rows::<(i64, bool)>(&store.rooms.mentions, values).await?;
    let live = rows.into_iter().filter(|(_, is_live)| *is_live);
    Ok(live.map(|(seq, _)| crate::columns::seq(seq)).filter(|seq| *seq <= end).collect())
}
