//! The port's methods over any object store.
//!
//! A blob's path is `xx/FILE.PART`, where `xx` are the last two digits of the file's id, which are
//! random: no folder has many thousands of entries.

use crate::staging;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use rookery_engine::blobs::{BlobAnswer, BlobError, BlobKey, BlobPart, BlobStream, Blobs};
use rookery_protocol::FileId;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Blobs in an object store.
#[derive(Debug)]
pub struct ObjectBlobs {
    store: Arc<dyn ObjectStore>,
    /// Bytes that are gathered before they are sent.
    part_bytes: usize,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
}

impl ObjectBlobs {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, part_bytes: usize, folder: Option<PathBuf>) -> Self {
        Self { store, part_bytes, folder }
    }

    async fn put_whole(&self, path: &Path, content: BlobStream) -> Result<u64, BlobError> {
        let mut parts = Parts { content, part_bytes: self.part_bytes, rest: Bytes::new() };
        let first = parts.next().await?;
        let length = first.content_length();
        if length < self.part_bytes {
            self.store.put(path, first).await.map_err(|error| in_doubt(&error))?;
            return Ok(length as u64);
        }
        let mut upload = self.store.put_multipart(path).await.map_err(|error| refused(&error))?;
        match send_parts(upload.as_mut(), first, &mut parts).await {
            Ok(length) => {
                upload.complete().await.map_err(|error| in_doubt(&error))?;
                Ok(length)
            }
            Err(error) => {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, %path, "a broken upload was not taken back");
                }
                Err(error)
            }
        }
    }

    /// Clears away what a failed put of `file` has left in its folder.
    async fn clear(&self, file: FileId) -> Result<(), BlobError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let (folder, name) = (folder.join(shard(file)), file.to_string());
        let cleared = tokio::task::spawn_blocking(move || staging::clear(&folder, &name)).await;
        let cleared = cleared.map_err(|error| BlobError::Unknown(error.to_string()))?;
        cleared.map_err(|error| BlobError::Refused(error.to_string()))
    }
}

/// Sends `first` and all further parts, one after the other; returns how many bytes they are.
async fn send_parts(
    upload: &mut dyn MultipartUpload,
    first: PutPayload,
    parts: &mut Parts,
) -> Result<u64, BlobError> {
    let (mut part, mut length) = (first, 0);
    while part.content_length() > 0 {
        length += part.content_length() as u64;
        upload.put_part(part).await.map_err(|error| refused(&error))?;
        part = parts.next().await?;
    }
    Ok(length)
}

impl Blobs for ObjectBlobs {
    fn put(&self, key: BlobKey, content: BlobStream) -> BlobAnswer<'_, u64> {
        Box::pin(async move {
            let outcome = self.put_whole(&path(key), content).await;
            if outcome.is_err() {
                // What cannot be cleared now is cleared when the file is deleted, or at the next start.
                drop(self.clear(key.file).await);
            }
            outcome
        })
    }

    fn get(&self, key: BlobKey, range: Range<u64>) -> BlobAnswer<'_, BlobStream> {
        Box::pin(async move {
            if range.is_empty() {
                return Ok(Box::pin(stream::empty()) as BlobStream);
            }
            let options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
            let found = self.store.get_opts(&path(key), options).await.map_err(|error| unread(&error))?;
            Ok(found.into_stream().map_err(|error| unread(&error)).boxed())
        })
    }

    fn delete(&self, file: FileId) -> BlobAnswer<'_, ()> {
        Box::pin(async move {
            for part in BlobPart::ALL {
                match self.store.delete(&path(BlobKey { file, part })).await {
                    Ok(()) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(in_doubt(&error)),
                }
            }
            self.clear(file).await
        })
    }
}

/// Content in parts of one size, but for the last.
struct Parts {
    content: BlobStream,
    part_bytes: usize,
    /// Read, and beyond the last part.
    rest: Bytes,
}

impl Parts {
    /// Returns the next part; an empty one at the end.
    async fn next(&mut self) -> Result<PutPayload, BlobError> {
        let (mut pieces, mut missing) = (Vec::new(), self.part_bytes);
        loop {
            let piece = self.rest.split_to(missing.min(self.rest.len()));
            missing -= piece.len();
            if !piece.is_empty() {
                pieces.push(piece);
            }
            if missing == 0 {
                return Ok(pieces.into_iter().collect());
            }
            match self.content.next().await {
                Some(next) => self.rest = next?,
                None => return Ok(pieces.into_iter().collect()),
            }
        }
    }
}

/// Returns the name of a file's folder.
fn shard(file: FileId) -> String {
    let [.., last] = file.0.into_bytes();
    format!("{last:02x}")
}

fn path(key: BlobKey) -> Path {
    Path::from(format!("{}/{}.{}", shard(key.file), key.file, key.part.as_str()))
}

/// Sorts an error before anything was published.
fn refused(error: &Error) -> BlobError {
    BlobError::Refused(error.to_string())
}

/// Sorts an error of the call that publishes or deletes.
fn in_doubt(error: &Error) -> BlobError {
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } | Error::NotFound { .. } => {
            refused(error)
        }
        _ => BlobError::Unknown(error.to_string()),
    }
}

/// Sorts an error of a read.
fn unread(error: &Error) -> BlobError {
    match error {
        Error::NotFound { .. } => BlobError::NotFound,
        _ => refused(error),
    }
}
