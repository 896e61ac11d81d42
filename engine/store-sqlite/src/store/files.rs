//! The file part of the port.

use super::SqliteStore;
use crate::{apply, read};
use rookery_engine::store::{Answer, AvatarOf, Begun, Completed, FileContent, FileRecord, Files, Upload};
use rookery_protocol::{FileId, Timestamp, UserId};

impl Files for SqliteStore {
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun> {
        self.write(move |connection| apply::begin_upload(connection, &upload, quota))
    }

    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed> {
        self.write(move |connection| apply::complete_upload(connection, file, &content, now))
    }

    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        self.reads.read(move |connection| read::file(connection, file, now))
    }

    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        let ids = ids.to_vec();
        self.reads.read(move |connection| read::readable_files(connection, user, ids, now))
    }

    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool> {
        self.write(move |connection| apply::hold_avatar(connection, of, file, now))
    }

    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>> {
        self.write(move |connection| apply::doom_files(connection, now, limit))
    }

    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()> {
        let ids = ids.to_vec();
        self.write(move |connection| apply::forget_files(connection, &ids))
    }
}
