//! Sending the file part of the port again until the outcome is known.

use super::{Settled, settle};
use crate::store::{Answer, AvatarOf, Begun, Completed, FileContent, FileRecord, Files, Store, Upload};
use rookery_protocol::{FileId, Timestamp, UserId};

impl<S: Store> Files for Settled<S> {
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun> {
        settle(move || self.0.begin_upload(upload.clone(), quota))
    }

    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed> {
        settle(move || self.0.complete_upload(file, content.clone(), now))
    }

    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        settle(move || self.0.file(file, now))
    }

    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        settle(move || self.0.readable_files(user, ids, now))
    }

    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool> {
        settle(move || self.0.hold_avatar(of, file, now))
    }

    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>> {
        settle(move || self.0.doom_files(now, limit))
    }

    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()> {
        settle(move || self.0.forget_files(ids))
    }
}
