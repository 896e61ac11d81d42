//! Files.

use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{
    Answer, AvatarOf, Begun, Completed, FileContent, FileRecord, Files, StoreError, Upload,
};
use rookery_protocol::{FileId, RoomId, Seq, Timestamp, UserId};
use scylla::errors::PrepareError;

/// The statements.
#[derive(Debug)]
pub(crate) struct FileStatements;

#[expect(clippy::unused_async, reason = "a stub")]
impl FileStatements {
    pub(crate) async fn prepare(_cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self)
    }
}

/// Has the message at `seq` carry exactly `files` as of `rev`; an older `rev` never replaces a newer. It is
/// done again after any interruption, and more than one node may do it at once.
#[expect(clippy::unused_async, reason = "a stub")]
pub(crate) async fn attach(
    _store: &CqlStore,
    _message: (RoomId, Seq),
    _files: &[FileId],
    _rev: Seq,
) -> Result<(), StoreError> {
    Ok(())
}

impl Files for CqlStore {
    fn begin_upload(&self, _upload: Upload, _quota: u64) -> Answer<'_, Begun> {
        crate::log::unfinished()
    }

    fn complete_upload(
        &self,
        _file: FileId,
        _content: FileContent,
        _now: Timestamp,
    ) -> Answer<'_, Completed> {
        crate::log::unfinished()
    }

    fn file(&self, _file: FileId, _now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        crate::log::unfinished()
    }

    fn readable_files<'a>(
        &'a self,
        _user: UserId,
        _ids: &'a [FileId],
        _now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        crate::log::unfinished()
    }

    fn hold_avatar(&self, _of: AvatarOf, _file: Option<FileId>, _now: Timestamp) -> Answer<'_, bool> {
        crate::log::unfinished()
    }

    fn doom_files(&self, _now: Timestamp, _limit: usize) -> Answer<'_, Vec<FileId>> {
        crate::log::unfinished()
    }

    fn forget_files<'a>(&'a self, _ids: &'a [FileId]) -> Answer<'a, ()> {
        crate::log::unfinished()
    }
}
