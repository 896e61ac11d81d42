//! What is left of a user, and forgetting it.

use crate::CqlStore;
use crate::cql::{Cql, Read, Write};
use crate::turns::Tries;
use rookery_engine::store::{Answer, FileRecord, LastSeen, Rooms, SettingsChange, StoreError, Traces};
use rookery_protocol::{FileId, Notify, RoomId, Timestamp, UserId};
use scylla::errors::PrepareError;
use std::ops::ControlFlow;
use uuid::Uuid;

/// The place of a file's own row, where the others say what refers to it.
const OWN: i64 = -2;

/// Rooms of a user that are looked at together.
const ROOMS: usize = 100;

/// The statements.
#[derive(Debug)]
pub(crate) struct TracesStatements {
    rooms: Read,
    files: Read,
    blocks: Read,
    blocks_after: Read,
    forget_last_seen: Write,
}

impl TracesStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            rooms: cql
                .read_statement("SELECT room FROM user_rooms WHERE user = ? AND room > ? LIMIT ?")
                .await?,
            files: cql
                .read_statement("SELECT file_id, place FROM files WHERE owner_id = ? AND file_id > ?")
                .await?,
            blocks: cql.read_statement("SELECT other_id FROM blocks WHERE user_id = ?").await?,
            blocks_after: cql
                .read_statement("SELECT other_id, at FROM blocks WHERE user_id = ? AND other_id > ? LIMIT ?")
                .await?,
            forget_last_seen: cql
                .write_statement("DELETE FROM last_seen USING TIMESTAMP ? WHERE user_id = ?")
                .await?,
        })
    }
}

impl CqlStore {
    async fn rooms_of_ever(
        &self,
        user: UserId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomId>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let after = after.map_or(Uuid::nil(), |room| room.0);
        let rows = i32::try_from(limit).unwrap_or(i32::MAX);
        let found: Vec<(Uuid,)> = self.cql.rows(&self.traces.rooms, (user.0, after, rows)).await?;
        Ok(found.into_iter().map(|(room,)| RoomId(room)).collect())
    }

    async fn files_sent_by(
        &self,
        user: UserId,
        mut after: Option<FileId>,
        limit: usize,
    ) -> Result<Vec<FileRecord>, StoreError> {
        let mut found = Vec::new();
        while found.len() < limit {
            let mut ids = Vec::new();
            let place = after.map_or(Uuid::nil(), |file| file.0);
            let wanted = limit - found.len();
            self.cql
                .each(&self.traces.files, (user.0, place), |(file, place): (Option<Uuid>, Option<i64>)| {
                    ids.extend(file.filter(|_| place == Some(OWN)).map(FileId));
                    if ids.len() == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
                .await?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            let records = Cql::for_each(ids, async |file| self.file_ever(file).await).await?;
            found.extend(records.into_iter().flatten());
        }
        Ok(found)
    }

    async fn blocked_by(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let after = after.map_or(Uuid::nil(), |other| other.0);
        let rows = i32::try_from(limit).unwrap_or(i32::MAX);
        let found: Vec<(Uuid, i64)> = self.cql.rows(&self.traces.blocks_after, (user.0, after, rows)).await?;
        Ok(found.into_iter().map(|(other, at)| (UserId(other), Timestamp(at))).collect())
    }

    async fn forget_blocks_of(&self, user: UserId) -> Result<(), StoreError> {
        let others: Vec<(Option<Uuid>,)> = self.cql.rows(&self.traces.blocks, (user.0,)).await?;
        for other in others.into_iter().filter_map(|(other,)| other) {
            let mut tries = Tries::new();
            let taken_off = self.take_block_off(user, UserId(other), &mut tries).await;
            tries.settle(taken_off)?;
        }
        Ok(())
    }

    async fn forget_settings_of(&self, user: UserId) -> Result<(), StoreError> {
        let usual = SettingsChange {
            notify: Some(Notify::default()),
            muted_until: Some(None),
            pinned: Some(false),
            archived: Some(false),
        };
        let mut after = None;
        loop {
            let rooms = self.rooms_of_ever(user, after, ROOMS).await?;
            let Some(last) = rooms.last() else { return Ok(()) };
            after = Some(*last);
            Cql::for_each(rooms, async |room| self.change_settings(room, user, usual).await).await?;
        }
    }

    async fn forget_all_of(&self, user: UserId, handles: &[String]) -> Result<(), StoreError> {
        for handle in handles {
            self.release_kept_handle(user, handle).await?;
        }
        self.forget_sessions_of(user).await?;
        self.forget_blocks_of(user).await?;
        self.forget_settings_of(user).await?;
        // With the timestamp of what it deletes, as that was written.
        for (_, at) in self.last_seen(&[user]).await? {
            self.cql.write(&self.traces.forget_last_seen, (at.0, user.0)).await?;
        }
        Ok(())
    }
}

impl Traces for CqlStore {
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>> {
        Box::pin(self.rooms_of_ever(user, after, limit))
    }

    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>> {
        Box::pin(self.files_sent_by(user, after, limit))
    }

    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>> {
        Box::pin(self.blocked_by(user, after, limit))
    }

    fn doom_file(&self, file: FileId) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let doomed = self.take_life(file, &mut tries).await;
            tries.settle(doomed)
        })
    }

    fn forget_traces<'a>(&'a self, user: UserId, handles: &'a [String]) -> Answer<'a, ()> {
        Box::pin(self.forget_all_of(user, handles))
    }
}
