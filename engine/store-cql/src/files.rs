//! What is known of files. Those of a user are in one partition with what refers to them and with the bytes
//! that they take, so that a quota, a reference and the end of a file are each decided as one. Whose a file
//! is stands beside it, written before.

mod garbage;
mod holders;
mod links;
mod row;
mod upload;

use crate::CqlStore;
use crate::cql::{Conditional, Cql, Read, Write};
use crate::turns::Tries;
pub(crate) use holders::{attach, files_of, picture_of};
use rookery_engine::store::{
    Answer, AvatarOf, Begun, Completed, FileContent, FileRecord, Files, StoreError, Upload,
};
use rookery_protocol::{FileId, Timestamp, UserId};
use row::UNREFERENCED;
use scylla::errors::PrepareError;
use uuid::Uuid;

/// A moment at which every file lives that is no garbage.
const EVER: Timestamp = Timestamp(0);

/// The statements.
#[derive(Debug)]
pub(crate) struct FileStatements {
    owner: Read,
    put_owner: Write,
    drop_owner: Write,
    ledger: Read,
    advance: Conditional,
    file: Read,
    put_file: Write,
    put_content: Write,
    put_life: Write,
    links: Read,
    link: Read,
    put_link: Write,
    drop_row: Write,
    set: Read,
    replace_set: Conditional,
    settle_set: Conditional,
    garbage: Read,
    put_garbage: Write,
    drop_garbage: Write,
    forget_garbage: Write,
}

impl FileStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        const ONE: &str = "WHERE owner_id = ? AND file_id = ? AND holder_id = ? AND place = ?";
        const SET: &str = "WHERE holder_id = ? AND place = ?";
        let columns = row::COLUMNS;
        Ok(Self {
            owner: cql.read_statement("SELECT owner_id FROM file_owners WHERE file_id = ?").await?,
            put_owner: cql
                .write_statement("INSERT INTO file_owners (file_id, owner_id) VALUES (?, ?)")
                .await?,
            drop_owner: cql.write_statement("DELETE FROM file_owners WHERE file_id = ?").await?,
            ledger: cql
                .settling_statement("SELECT version, total FROM files WHERE owner_id = ? LIMIT 1")
                .await?,
            advance: cql
                .conditional_statement(
                    "UPDATE files SET version = ?, total = ? WHERE owner_id = ? IF version = ?",
                )
                .await?,
            file: cql.read_statement(&format!("SELECT {columns} FROM files {ONE}")).await?,
            put_file: cql
                .write_statement(
                    "INSERT INTO files (owner_id, file_id, holder_id, place, name, hint, size, expires_at,
                        charge, links, garbage_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .await?,
            put_content: cql
                .write_statement(&format!(
                    "UPDATE files SET charge = ?, mime = ?, stored = ?, hash = ?, width = ?, height = ?,
                        thumb_mime = ?, thumb_size = ? {ONE}"
                ))
                .await?,
            put_life: cql
                .write_statement(&format!("UPDATE files SET links = ?, garbage_at = ? {ONE}"))
                .await?,
            links: cql
                .read_statement("SELECT holder_id, place, held FROM files WHERE owner_id = ? AND file_id = ?")
                .await?,
            link: cql.read_statement(&format!("SELECT rev, held FROM files {ONE}")).await?,
            put_link: cql
                .write_statement(
                    "INSERT INTO files (owner_id, file_id, holder_id, place, rev, held)
                        VALUES (?, ?, ?, ?, ?, ?)",
                )
                .await?,
            drop_row: cql.write_statement(&format!("DELETE FROM files {ONE}")).await?,
            set: cql.settling_statement(&format!("SELECT rev, files, leaving FROM file_sets {SET}")).await?,
            replace_set: cql
                .conditional_statement(&format!(
                    "UPDATE file_sets SET rev = ?, files = ?, leaving = ? {SET} IF rev = ?"
                ))
                .await?,
            settle_set: cql
                .conditional_statement(&format!("UPDATE file_sets SET leaving = ? {SET} IF rev = ?"))
                .await?,
            garbage: cql
                .read_statement(
                    "SELECT at, file_id, version FROM garbage WHERE shard = ? AND at <= ? LIMIT ?",
                )
                .await?,
            put_garbage: cql
                .write_statement("INSERT INTO garbage (shard, at, file_id, version) VALUES (?, ?, ?, ?)")
                .await?,
            drop_garbage: cql
                .write_statement(
                    "DELETE FROM garbage WHERE shard = ? AND at = ? AND file_id = ? AND version = ?",
                )
                .await?,
            forget_garbage: cql
                .write_statement("DELETE FROM garbage WHERE shard = ? AND at = ? AND file_id = ?")
                .await?,
        })
    }
}

/// Returns the key of a file's own row.
pub(crate) const fn key_of(owner: UserId, file: FileId) -> (Uuid, Uuid, Uuid, i64) {
    (owner.0, file.0, row::OWN.0, row::OWN.1)
}

impl CqlStore {
    /// Keeps a file that was kept before, unless it is there.
    pub(crate) async fn import_file(&self, record: &FileRecord) -> Result<(), StoreError> {
        let FileRecord { upload, content } = record;
        let mut tries = Tries::new();
        let begun = self.begin_file(upload, u64::MAX, &mut tries).await;
        tries.settle(begun)?;
        if let Some(content) = content {
            let completed = self.complete_file(upload.file, content.clone(), EVER, &mut tries).await;
            tries.settle(completed)?;
        }
        Ok(())
    }

    /// Has a file be the picture that it was before.
    pub(crate) async fn import_avatar(&self, of: AvatarOf, file: FileId) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let held = self.replace_avatar(of, Some(file), EVER, &mut tries).await;
        tries.settle(held).map(drop)
    }

    /// Returns a file unless it is garbage for whoever comes whenever.
    pub(crate) async fn file_ever(&self, file: FileId) -> Result<Option<FileRecord>, StoreError> {
        let row = self.any_file(file).await?.filter(|row| row.garbage_at > UNREFERENCED);
        Ok(row.map(|row| row.record))
    }
}

impl Files for CqlStore {
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let begun = self.begin_file(&upload, quota, &mut tries).await;
            tries.settle(begun)
        })
    }

    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let completed = self.complete_file(file, content, now, &mut tries).await;
            tries.settle(completed)
        })
    }

    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        Box::pin(async move { Ok(self.living_file(file, now).await?.map(|row| row.record)) })
    }

    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        Box::pin(self.readable(user, ids, now))
    }

    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut tries = Tries::new();
            let held = self.replace_avatar(of, file, now, &mut tries).await;
            tries.settle(held)
        })
    }

    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>> {
        Box::pin(self.doom(now, limit))
    }

    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()> {
        Box::pin(async move {
            for file in ids {
                let mut tries = Tries::new();
                let forgotten = self.forget_file(*file, &mut tries).await;
                tries.settle(forgotten)?;
            }
            Ok(())
        })
    }
}
