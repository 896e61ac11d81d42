//! Cursors in memory.

use super::{MemoryStore, State};
use crate::store::{Answer, CursorKind, Cursors, Mark, MemberCursor, Membership, Reached};
use rookery_protocol::{RoomId, Seq, UserId};

impl State {
    fn present(&self, room: RoomId) -> impl Iterator<Item = &Membership> {
        self.rooms.present(room)
    }

    fn cursor(&self, room: RoomId, user: UserId) -> Option<MemberCursor> {
        let cursor = self.rooms.cursor(room, user)?;
        let read = cursor.read.0;
        Some(MemberCursor { user, read, delivered: cursor.delivered.max(read) })
    }

    fn mark(&mut self, room: RoomId, mark: &Mark) {
        let ord = self.log.ord(room, mark.seq);
        let cursor = self.rooms.cursor_mut(room, mark.user);
        match mark.kind {
            CursorKind::Read => cursor.read = cursor.read.max((mark.seq, ord)),
            CursorKind::Delivered => cursor.delivered = cursor.delivered.max(mark.seq),
        }
    }
}

impl Cursors for MemoryStore {
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()> {
        self.answer(move |state| {
            for mark in marks {
                state.mark(room, mark);
            }
            Ok(())
        })
    }

    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        self.answer(move |state| {
            let present = state.present(room);
            Ok(present.filter_map(|member| state.cursor(room, member.user)).take(limit).collect())
        })
    }

    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached> {
        self.answer(move |state| {
            let has_come = |cursor: &MemberCursor| match kind {
                CursorKind::Read => cursor.read >= seq,
                CursorKind::Delivered => cursor.delivered >= seq,
            };
            let present = state.present(room).filter(|member| member.joined <= seq);
            let cursors = present.filter_map(|member| state.cursor(room, member.user));
            let users: Vec<UserId> = cursors.filter(has_come).map(|cursor| cursor.user).collect();
            Ok(Reached { count: users.len() as u64, users: users.into_iter().take(limit).collect() })
        })
    }
}
