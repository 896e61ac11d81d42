//! Announcing an upload: its size is charged before a byte of it comes.

use super::{FileError, Files, name};
use crate::accounts::settle;
use rookery_engine::store::{Begun, Upload};
use rookery_engine::uuid_v7;
use rookery_protocol::{FileId, UserId};

/// What a client says of a file that it is about to send.
#[derive(Debug)]
pub(crate) struct Announced {
    /// Its name.
    pub(crate) name: String,
    /// Bytes.
    pub(crate) size: u64,
    /// The media type that it takes it for.
    pub(crate) mime: Option<String>,
}

impl Files {
    /// Begins an upload, and returns it as it is kept.
    ///
    /// # Errors
    /// [`FileError::OverLimit`], [`FileError::OverQuota`], [`FileError::Store`].
    pub(crate) async fn begin(&self, owner: UserId, announced: Announced) -> Result<Upload, FileError> {
        let most = self.config.max_bytes;
        if announced.size > most {
            return Err(FileError::OverLimit(most));
        }
        let now = self.now();
        let expires_in = i64::try_from(self.config.expiry.as_millis()).unwrap_or(i64::MAX / 2);
        let upload = Upload {
            file: FileId(uuid_v7(now, self.random.as_ref())),
            owner,
            name: name::harmless(&announced.name),
            hint: announced.mime,
            size: announced.size,
            expires_at: now.plus_millis(expires_in),
        };
        let quota = self.config.quota_bytes;
        match settle(|| self.store.begin_upload(upload.clone(), quota)).await? {
            Begun::Begun => Ok(upload),
            Begun::OverQuota(used) => Err(FileError::OverQuota { used, quota }),
        }
    }
}
