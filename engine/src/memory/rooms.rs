//! Projections in memory, and the reads over them.

use super::{MemoryStore, State};
use crate::store::{
    Answer, Membership, Projection, RoomRecord, RoomState, Rooms, RoomsCursor, Settings, SettingsChange,
};
use rookery_protocol::{RoomId, RoomKind, Seq, UserId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

#[derive(Debug, Default)]
pub(super) struct RoomTables {
    pub(super) records: BTreeMap<RoomId, RoomRecord>,
    pub(super) members: BTreeMap<(RoomId, UserId), Membership>,
    pub(super) cursors: BTreeMap<(RoomId, UserId), Cursor>,
    pub(super) settings: BTreeMap<(RoomId, UserId), Settings>,
    /// By room, who is mentioned (everybody: `None`) and where.
    pub(super) mentions: BTreeSet<(RoomId, Option<UserId>, Seq)>,
}

/// How far a user has come in a room.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    /// Read up to this position, where that many messages had been written.
    pub(super) read: (Seq, u64),
    pub(super) delivered: Seq,
}

impl RoomTables {
    pub(super) fn project(&mut self, room: RoomId, projection: &Projection) {
        match projection {
            Projection::Room(new) if self.records.get(&room).is_none_or(|old| old.rev < new.rev) => {
                self.records.insert(room, new.clone());
            }
            Projection::Member(new) => {
                let key = (room, new.user);
                if self.members.get(&key).is_none_or(|old| old.rev < new.rev) {
                    self.members.insert(key, *new);
                }
            }
            Projection::Read { user, seq, ord } => {
                let cursor = self.cursor_mut(room, *user);
                cursor.read = cursor.read.max((*seq, *ord));
            }
            // Of messages and of inboxes.
            _ => {}
        }
    }

    /// Returns from where on a member of `room` reads it.
    pub(super) fn joined(&self, room: RoomId, user: UserId) -> Option<Seq> {
        let member = self.members.get(&(room, user)).filter(|member| member.role.is_some())?;
        Some(member.joined)
    }

    pub(super) fn cursor(&self, room: RoomId, user: UserId) -> Option<Cursor> {
        self.cursors.get(&(room, user)).copied()
    }

    pub(super) fn cursor_mut(&mut self, room: RoomId, user: UserId) -> &mut Cursor {
        self.cursors.entry((room, user)).or_default()
    }

    /// Returns the present members, ascending by user id.
    pub(super) fn present(&self, room: RoomId) -> impl Iterator<Item = &Membership> {
        let all = (room, UserId(uuid::Uuid::nil()))..=(room, UserId(uuid::Uuid::max()));
        self.members.range(all).map(|(_, member)| member).filter(|member| member.role.is_some())
    }

    pub(super) fn mention(&mut self, room: RoomId, user: Option<UserId>, seq: Seq) {
        self.mentions.insert((room, user, seq));
    }

    /// Forgets whom the message at `seq` mentions.
    pub(super) fn forget_mentions(&mut self, room: RoomId, seq: Seq) {
        self.mentions.retain(|(of, _, at)| (*of, *at) != (room, seq));
    }

    /// Counts the messages after `read` that mention `user` or everybody.
    fn mentions_after(&self, room: RoomId, user: UserId, read: Seq) -> u64 {
        let mentioned: BTreeSet<Seq> = [None, Some(user)]
            .into_iter()
            .flat_map(|who| self.mentions.range((room, who, read.next())..=(room, who, Seq(u64::MAX))))
            .map(|(_, _, seq)| *seq)
            .collect();
        mentioned.len() as u64
    }
}

impl State {
    fn room_state(&self, room: RoomId, user: UserId) -> Option<RoomState> {
        let record = self.rooms.records.get(&room)?.clone();
        let membership = *self.rooms.members.get(&(room, user)).filter(|member| member.role.is_some())?;
        let cursor = self.rooms.cursor(room, user).unwrap_or_default();
        let (read, read_ord) = cursor.read.max((membership.joined, membership.joined_ord));
        Some(RoomState {
            record,
            head: self.log.head(room)?,
            membership,
            read,
            read_ord,
            delivered: cursor.delivered.max(read),
            mentions: self.rooms.mentions_after(room, user, read),
            settings: self.rooms.settings.get(&(room, user)).copied().unwrap_or_default(),
            preview: self.preview(room, membership.joined),
        })
    }

    /// Every room that `user` is a member of, inboxes left out, newest activity first.
    fn rooms_of(&self, user: UserId) -> Vec<RoomState> {
        let mut rooms: Vec<_> = self
            .rooms
            .records
            .values()
            .filter(|record| record.kind != RoomKind::Inbox)
            .filter_map(|record| self.room_state(record.room, user))
            .collect();
        rooms.sort_by_key(|state| Reverse(place(state)));
        rooms
    }
}

/// What the room list is ordered by, descending.
fn place(state: &RoomState) -> (rookery_protocol::Timestamp, RoomId) {
    (state.head.at, state.record.room)
}

impl Rooms for MemoryStore {
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        self.answer(move |state| Ok(state.rooms.records.get(&room).cloned()))
    }

    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>> {
        self.answer(move |state| Ok(state.room_state(room, user)))
    }

    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        self.answer(move |state| {
            let users: BTreeSet<_> = users.iter().collect();
            Ok(users.into_iter().filter_map(|user| state.room_state(room, *user)).collect())
        })
    }

    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()> {
        self.answer(move |state| {
            let settings = state.rooms.settings.entry((room, user)).or_default();
            *settings = change.of(*settings);
            Ok(())
        })
    }

    fn rooms_of(
        &self,
        user: UserId,
        cursor: Option<RoomsCursor>,
        limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        self.answer(move |state| {
            let mut rooms = state.rooms_of(user);
            if let Some(cursor) = cursor {
                rooms.retain(|state| place(state) < (cursor.at, cursor.room));
            }
            rooms.truncate(limit);
            Ok(rooms)
        })
    }

    fn total_unread(&self, user: UserId) -> Answer<'_, u64> {
        self.answer(move |state| Ok(state.rooms_of(user).iter().map(RoomState::unread).sum()))
    }

    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>> {
        self.answer(move |state| {
            let from = match after {
                Some(user) => Bound::Excluded((room, user)),
                None => Bound::Included((room, UserId(uuid::Uuid::nil()))),
            };
            let to = Bound::Included((room, UserId(uuid::Uuid::max())));
            let present = state.rooms.members.range((from, to)).map(|(_, member)| *member);
            Ok(present.filter(|member| member.role.is_some()).take(limit).collect())
        })
    }
}
