//! An archive of everything about a user: lines of JSON, each with a `part`, in one blob.
//!
//! It is made as it is written, a page of the store at a time, so that its length costs no memory.

mod parts;

use super::Office;
use super::jobs::Trouble;
use bytes::Bytes;
use futures_util::stream;
use rookery_engine::blobs::{BlobError, BlobKey, BlobPart, BlobStream};
use rookery_engine::store::StoreError;
use rookery_protocol::{FileId, UserId};
use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Lines that wait to be written.
const WAITING: usize = 64;

/// Why no more lines come.
enum Ended {
    Store(StoreError),
    Blobs(BlobError),
    /// Nobody writes them any more.
    Unheard,
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<BlobError> for Ended {
    fn from(error: BlobError) -> Self {
        Self::Blobs(error)
    }
}

type Lines = mpsc::Sender<Result<Bytes, BlobError>>;

async fn say(lines: &Lines, line: &Value) -> Result<(), Ended> {
    lines.send(Ok(Bytes::from(format!("{line}\n")))).await.map_err(|_| Ended::Unheard)
}

impl Office {
    /// Returns under which name an archive is kept.
    const fn archive_of(job: Uuid) -> BlobKey {
        BlobKey { file: FileId(job), part: BlobPart::Content }
    }

    /// Returns the bytes of an archive, `length` of them.
    pub(crate) async fn archive(&self, job: Uuid, length: u64) -> Result<BlobStream, BlobError> {
        self.blobs.get(Self::archive_of(job), 0..length).await
    }

    /// Writes everything about `user` into the archive of `job`, in place of what is there. Returns its bytes.
    pub(super) async fn write_archive(&self, job: Uuid, user: UserId) -> Result<u64, Trouble> {
        let (lines, written) = mpsc::channel(WAITING);
        let next = async |mut written: mpsc::Receiver<_>| Some((written.recv().await?, written));
        let put = self.blobs.put(Self::archive_of(job), Box::pin(stream::unfold(written, next)));
        let tell = async {
            let told = self.tell_all(user, &lines).await;
            if let Err(ended) = told {
                // The archive is not kept then.
                drop(lines.send(Err(BlobError::Broken)).await);
                drop(lines);
                return Err(ended);
            }
            drop(lines);
            Ok(())
        };
        let (bytes, told) = tokio::join!(put, tell);
        match told {
            Err(Ended::Store(error)) => Err(error.into()),
            Err(Ended::Blobs(error)) => Err(error.into()),
            Ok(()) | Err(Ended::Unheard) => Ok(bytes?),
        }
    }
}
