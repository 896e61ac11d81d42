//! What is left of a user, in memory.

use super::MemoryStore;
use crate::store::{Answer, FileRecord, Traces};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};

impl Traces for MemoryStore {
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>> {
        self.answer(move |state| {
            let rooms = state
                .rooms
                .members
                .keys()
                .filter(|(room, member)| *member == user && after.is_none_or(|after| *room > after));
            Ok(rooms.map(|(room, _)| *room).take(limit).collect())
        })
    }

    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>> {
        self.answer(move |state| {
            let rows = state.files.files.iter().filter(|(file, row)| {
                row.record.upload.owner == user && row.may_live() && after.is_none_or(|after| **file > after)
            });
            Ok(rows.map(|(_, row)| row.record.clone()).take(limit).collect())
        })
    }

    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>> {
        self.answer(move |state| {
            let rows = state
                .people
                .blocks
                .iter()
                .filter(|((by, other), _)| *by == user && after.is_none_or(|after| *other > after));
            Ok(rows.map(|((_, other), at)| (*other, *at)).take(limit).collect())
        })
    }

    fn doom_file(&self, file: FileId) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.files.doom_one(file);
            Ok(())
        })
    }

    fn forget_traces<'a>(&'a self, user: UserId, _: &'a [String]) -> Answer<'a, ()> {
        self.answer(move |state| {
            state.accounts.kept.retain(|_, (whose, _)| *whose != user);
            state.accounts.forget_logins_of(user);
            state.people.blocks.retain(|(by, _), _| *by != user);
            state.rooms.settings.retain(|(_, whose), _| *whose != user);
            state.rooms.cursors.retain(|(_, whose), _| *whose != user);
            state.last_seen.remove(&user);
            Ok(())
        })
    }
}
