//! Faults of the file part of the port.

use super::FaultStore;
use crate::store::{Answer, AvatarOf, Begun, Completed, FileContent, FileRecord, Files, Store, Upload};
use rookery_protocol::{FileId, Timestamp, UserId};

impl<S: Store> Files for FaultStore<S> {
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun> {
        self.write(move |store| store.begin_upload(upload, quota))
    }

    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed> {
        self.write(move |store| store.complete_upload(file, content, now))
    }

    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        self.read(move |store| store.file(file, now))
    }

    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        self.read(move |store| store.readable_files(user, ids, now))
    }

    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool> {
        self.write(move |store| store.hold_avatar(of, file, now))
    }

    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>> {
        self.write(move |store| store.doom_files(now, limit))
    }

    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()> {
        self.write(move |store| store.forget_files(ids))
    }
}
