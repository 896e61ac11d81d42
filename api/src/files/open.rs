//! A file for whoever may read it.

use super::{FileError, Files};
use rookery_engine::blobs::{BlobKey, BlobPart, BlobStream};
use rookery_engine::store::{FileContent, Upload};
use rookery_protocol::{FileId, UserId};
use std::ops::Range;

/// A file that its reader may have.
#[derive(Debug)]
pub(crate) struct Opened {
    /// What was said before it was sent.
    pub(crate) upload: Upload,
    /// What is stored.
    pub(crate) content: FileContent,
}

impl Files {
    /// Finds a file for `user`.
    ///
    /// # Errors
    /// [`FileError::NotFound`] also where it is there and not for this user; [`FileError::Store`].
    pub(crate) async fn open(&self, user: UserId, file: FileId) -> Result<Opened, FileError> {
        let found = self.store.readable_files(user, &[file], self.now()).await?.pop();
        let Some(record) = found else { return Err(FileError::NotFound(file)) };
        let content = record.content.ok_or(FileError::NotFound(file))?;
        Ok(Opened { upload: record.upload, content })
    }

    /// Reads the bytes of one of its parts at the positions of `range`.
    ///
    /// # Errors
    /// [`FileError::Blob`].
    pub(crate) async fn read(
        &self,
        file: FileId,
        part: BlobPart,
        range: Range<u64>,
    ) -> Result<BlobStream, FileError> {
        Ok(self.counted(self.blobs.get(BlobKey { file, part }, range).await)?)
    }
}
