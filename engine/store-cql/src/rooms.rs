//! Rooms and members: reads over what was put, and how members have their rooms.
//!
//! | module | what |
//! |---|---|
//! | `member` | the row of a member: its role, how far it has come, how it has the room |
//! | `state` | a room together with one member's view of it |

mod member;
mod state;

pub(crate) use member::{MemberRow, SettingsColumns, membership, scan, settings};

use crate::CqlStore;
use crate::columns::{decode, ordered, role};
use crate::cql::{Cql, Read, Write};
use crate::project::{Record, Standing};
use rookery_engine::store::{
    Answer, Membership, RoomRecord, RoomState, Rooms, RoomsCursor, SettingsChange, StoreError,
};
use rookery_protocol::{RoomId, RoomKind, Seq, UserId};
use scylla::errors::PrepareError;
use std::cmp::Reverse;
use std::ops::ControlFlow;

/// The statements of rooms and members.
#[derive(Debug)]
pub(crate) struct RoomStatements {
    room: Read,
    of_user: Read,
    member: Read,
    members: Read,
    mentions: Read,
    set_notify: Write,
    set_muted_until: Write,
    set_pinned: Write,
    set_archived: Write,
    pub(crate) put_record: Write,
    pub(crate) put_member: Write,
    pub(crate) put_user_room: Write,
}

impl RoomStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        const MEMBER: &str = "user, role, joined, joined_ord, rev, read_seq, read_ord, delivered, notify,
            muted_until, pinned, archived";
        let members = |rest: &str| format!("SELECT {MEMBER} FROM members WHERE room = ? AND {rest}");
        let set = |column: &str| format!("UPDATE members SET {column} = ? WHERE room = ? AND user = ?");
        Ok(Self {
            room: cql.read_statement("SELECT record, standing FROM rooms WHERE room = ?").await?,
            of_user: cql.read_statement("SELECT room, role FROM user_rooms WHERE user = ?").await?,
            member: cql.read_statement(&members("user = ?")).await?,
            members: cql.read_statement(&members("user > ? LIMIT ?")).await?,
            mentions: cql
                .read_statement("SELECT seq, is_live FROM mentions WHERE room = ? AND user = ? AND seq > ?")
                .await?,
            set_notify: cql.write_statement(&set("notify")).await?,
            set_muted_until: cql.write_statement(&set("muted_until")).await?,
            set_pinned: cql.write_statement(&set("pinned")).await?,
            set_archived: cql.write_statement(&set("archived")).await?,
            put_record: cql
                .write_statement("UPDATE rooms USING TIMESTAMP ? SET record = ? WHERE room = ?")
                .await?,
            put_member: cql
                .write_statement(
                    "UPDATE members USING TIMESTAMP ? SET role = ?, joined = ?, joined_ord = ?, rev = ?
                        WHERE room = ? AND user = ?",
                )
                .await?,
            put_user_room: cql
                .write_statement(
                    "UPDATE user_rooms USING TIMESTAMP ? SET role = ? WHERE user = ? AND room = ?",
                )
                .await?,
        })
    }
}

/// Reads a room's description and where its log stands.
async fn row(store: &CqlStore, room: RoomId) -> Result<(Option<RoomRecord>, Option<Standing>), StoreError> {
    type Row = (Option<Vec<u8>>, Option<Vec<u8>>);
    let (record, standing) = store.cql.row::<Row>(&store.rooms.room, (room.0,)).await?.unwrap_or_default();
    let record = record.map(|record| Ok::<_, StoreError>(decode::<Record>(&record)?.of(room)));
    let standing = standing.map(|standing| decode(&standing));
    Ok((record.transpose()?, standing.transpose()?))
}

/// Returns a room's description.
pub(crate) async fn record(store: &CqlStore, room: RoomId) -> Result<Option<RoomRecord>, StoreError> {
    Ok(row(store, room).await?.0)
}

/// Returns where a room's log stands: all up to there has been put.
pub(crate) async fn standing(store: &CqlStore, room: RoomId) -> Result<Option<Standing>, StoreError> {
    Ok(row(store, room).await?.1)
}

/// Returns from where on `user` reads `room`; `None` where it is not a member now.
pub(crate) async fn joined(store: &CqlStore, room: RoomId, user: UserId) -> Result<Option<Seq>, StoreError> {
    let membership = membership(store, room, user).await?;
    Ok(membership.filter(|membership| membership.role.is_some()).map(|membership| membership.joined))
}

/// A room that is listed, with where its log stands.
type Listed = (RoomRecord, Standing);

/// Returns every room that `user` is a member of, inboxes left out, newest activity first.
async fn listed(store: &CqlStore, user: UserId) -> Result<Vec<Listed>, StoreError> {
    let rows = store.cql.rows::<(uuid::Uuid, Option<String>)>(&store.rooms.of_user, (user.0,)).await?;
    let mut rooms = Vec::new();
    for (room, word) in rows {
        if role(&word.unwrap_or_default())?.is_some() {
            rooms.push(RoomId(room));
        }
    }
    let rows = Cql::for_each(rooms, |room| row(store, room)).await?;
    let rooms = rows.into_iter().filter_map(|(record, standing)| Some((record?, standing?)));
    let mut rooms: Vec<Listed> = rooms.filter(|(record, _)| record.kind != RoomKind::Inbox).collect();
    rooms.sort_unstable_by_key(|(record, standing)| Reverse((standing.head.at, record.room)));
    Ok(rooms)
}

impl Rooms for CqlStore {
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        Box::pin(record(self, room))
    }

    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>> {
        Box::pin(async move { Ok(state::of_members(self, room, &[user]).await?.pop()) })
    }

    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        Box::pin(state::of_members(self, room, users))
    }

    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()> {
        Box::pin(async move {
            let (room, user) = (room.0, ordered(user.0));
            let SettingsChange { notify, muted_until, pinned, archived } = change;
            if let Some(notify) = notify {
                self.cql.write(&self.rooms.set_notify, (notify.as_str(), room, &user)).await?;
            }
            if let Some(until) = muted_until {
                let until = until.map_or(member::NEVER, |until| until.0);
                self.cql.write(&self.rooms.set_muted_until, (until, room, &user)).await?;
            }
            if let Some(pinned) = pinned {
                self.cql.write(&self.rooms.set_pinned, (pinned, room, &user)).await?;
            }
            if let Some(archived) = archived {
                self.cql.write(&self.rooms.set_archived, (archived, room, &user)).await?;
            }
            Ok(())
        })
    }

    fn rooms_of(
        &self,
        user: UserId,
        cursor: Option<RoomsCursor>,
        limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        Box::pin(async move {
            let mut rooms = listed(self, user).await?;
            if let Some(cursor) = cursor {
                let place = |(record, standing): &Listed| (standing.head.at, record.room);
                rooms.retain(|listed| place(listed) < (cursor.at, cursor.room));
            }
            rooms.truncate(limit);
            let states =
                Cql::for_each(rooms, |(record, standing)| state::of_member(self, record, standing, user));
            Ok(states.await?.into_iter().flatten().collect())
        })
    }

    fn total_unread(&self, user: UserId) -> Answer<'_, u64> {
        Box::pin(async move {
            let unread = Cql::for_each(listed(self, user).await?, |(record, standing)| async move {
                let member = member::row(self, record.room, user).await?;
                let read = member.as_ref().and_then(MemberRow::read);
                Ok(read.map_or(0, |(_, ord)| standing.head.ord.saturating_sub(ord)))
            });
            Ok(unread.await?.into_iter().sum())
        })
    }

    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>> {
        Box::pin(async move {
            let mut members = Vec::new();
            if limit == 0 {
                return Ok(members);
            }
            let take = |member: MemberRow| {
                members.extend(member.present());
                if members.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            scan(self, room, after, limit, take).await?;
            Ok(members)
        })
    }
}
