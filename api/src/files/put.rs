//! Sending an upload: streamed to its place, looked at, and complete or gone without a trace.

use super::picture::{Format, Picture};
use super::receive::{Received, Summary};
use super::sniff::{self, Kind};
use super::under_way::Occupied;
use super::{FileError, Files};
use crate::accounts::settle;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use hyper::body::Incoming;
use rookery_engine::blobs::{BlobKey, BlobPart, BlobStream};
use rookery_engine::store::{Completed, FileContent, FileRecord, StoreError, Thumb, Upload};
use rookery_protocol::limits::PICTURE_BYTES;
use rookery_protocol::{FileId, UserId};
use tokio::sync::mpsc;

/// Pieces of a body between its socket and its place: one that is written and one that comes.
const PIECES_AHEAD: usize = 2;

impl Files {
    /// Takes the bytes of an upload. The same bytes again find the file complete.
    ///
    /// # Errors
    /// [`FileError`]; nothing of it is kept then, and the upload may be sent again until it expires.
    ///
    /// # Cancel safety
    /// None: run it to its end in a task of its own, so that what it leaves is cleared away.
    pub(crate) async fn put(
        &self,
        owner: UserId,
        file: FileId,
        body: Incoming,
    ) -> Result<FileRecord, FileError> {
        let outcome = self.put_uncounted(owner, file, body).await;
        let label = match &outcome {
            Ok((_, label)) => label,
            Err(error) => error.label(),
        };
        self.metrics.files.uploads.of(label).increment(1);
        if matches!(outcome, Err(FileError::Occupied)) {
            self.metrics.commands.limits.of("uploads").increment(1);
        }
        outcome.map(|(record, _)| record)
    }

    async fn put_uncounted(
        &self,
        owner: UserId,
        file: FileId,
        body: Incoming,
    ) -> Result<(FileRecord, &'static str), FileError> {
        let _place = self.under_way.enter(file, owner).map_err(|occupied| match occupied {
            Occupied::Same => FileError::UnderWay,
            Occupied::Others => FileError::Occupied,
        })?;
        let found = self.store.file(file, self.now()).await?;
        let found = found.filter(|record| record.upload.owner == owner);
        let FileRecord { upload, content } = found.ok_or(FileError::NotFound(file))?;
        let counted = (&self.tasks, self.metrics.files.upload_bytes.clone());
        let received = Received::new(body, upload.size, self.stall, counted)?;
        if let Some(content) = content {
            let again = received.drain().await?;
            let is_same = again.hash == content.hash;
            let record = FileRecord { upload, content: Some(content) };
            return if is_same { Ok((record, "repeated")) } else { Err(FileError::Differs) };
        }
        let content = match self.keep(&upload, received).await {
            Ok(content) => content,
            Err(error) => {
                self.clear(file).await;
                return Err(error);
            }
        };
        self.complete(file, content).await.map(|record| (record, "stored"))
    }

    /// Says that the upload is complete.
    async fn complete(&self, file: FileId, content: FileContent) -> Result<FileRecord, FileError> {
        let now = self.now();
        match settle(|| self.store.complete_upload(file, content.clone(), now)).await {
            Ok(Completed::Complete(record)) => Ok(*record),
            Ok(Completed::Differs) => Err(FileError::Differs),
            Ok(Completed::Gone) => {
                self.clear(file).await;
                Err(FileError::NotFound(file))
            }
            // It may be complete, so its bytes stay; sending it again tells.
            Err(error @ StoreError::Unknown(_)) => Err(error.into()),
            Err(error) => {
                self.clear(file).await;
                Err(error.into())
            }
        }
    }

    /// Takes out what an upload that came to nothing has left. What stays is the janitor's.
    async fn clear(&self, file: FileId) {
        if let Err(error) = self.counted(self.blobs.delete(file).await) {
            tracing::debug!(%error, "a broken upload was not cleared away");
        }
    }

    /// Stores the bytes, and says what they are.
    async fn keep(&self, upload: &Upload, mut received: Received<'_>) -> Result<FileContent, FileError> {
        let kind = sniff::kind(&received.head().await?);
        let Kind::Picture(format) = kind else {
            let (summary, size) = self.stream(upload.file, BlobPart::Content, received).await?;
            let mime = sniff::mime(kind, upload.hint.as_deref(), summary.is_text);
            let hash = summary.hash;
            return Ok(FileContent { mime, size, hash, width: None, height: None, thumb: None });
        };
        if upload.size > PICTURE_BYTES {
            return Err(FileError::LargePicture);
        }
        let (summary, size) = self.stream(upload.file, BlobPart::Raw, received).await?;
        let picture = self.draw(format, upload.file, size).await?;
        // What was sent goes before what is kept comes: it is not to be found beside it.
        self.counted(self.blobs.delete(upload.file).await)?;
        let (width, height) = (Some(picture.width), Some(picture.height));
        let (image, thumb) = (picture.image, picture.thumb);
        let size = self.put_bytes(upload.file, BlobPart::Content, image.bytes).await?;
        let thumb_size = self.put_bytes(upload.file, BlobPart::Thumb, thumb.bytes).await?;
        let thumb = Some(Thumb { mime: thumb.mime.to_owned(), size: thumb_size });
        Ok(FileContent { mime: image.mime.to_owned(), size, hash: summary.hash, width, height, thumb })
    }

    /// Moves a body into a blob, with two of its pieces in memory at most.
    async fn stream(
        &self,
        file: FileId,
        part: BlobPart,
        received: Received<'_>,
    ) -> Result<(Summary, u64), FileError> {
        let (pieces, mut taken) = mpsc::channel(PIECES_AHEAD);
        let content: BlobStream = Box::pin(stream::poll_fn(move |context| taken.poll_recv(context)));
        let put = self.blobs.put(BlobKey { file, part }, content);
        let (summary, put) = tokio::join!(received.forward(pieces), put);
        // What went wrong with the body is why its blob broke off.
        Ok((summary?, self.counted(put)?))
    }

    async fn put_bytes(&self, file: FileId, part: BlobPart, bytes: Vec<u8>) -> Result<u64, FileError> {
        let content: BlobStream = Box::pin(stream::iter([Ok(Bytes::from(bytes))]));
        Ok(self.counted(self.blobs.put(BlobKey { file, part }, content).await)?)
    }

    /// Decodes a picture that was sent, on a thread that may block, when its turn comes.
    async fn draw(&self, format: Format, file: FileId, size: u64) -> Result<Picture, FileError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| FileError::Occupied)?;
        // It is never closed.
        let _decoding = self.decoding.acquire().await.map_err(|_| FileError::Stopping)?;
        let key = BlobKey { file, part: BlobPart::Raw };
        let mut pieces = self.counted(self.blobs.get(key, 0..size).await)?;
        let mut sent = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            sent.extend_from_slice(&piece?);
        }
        let drawn = tokio::task::spawn_blocking(move || Picture::take(format, &sent)).await;
        drawn
            .map_err(|error| {
                tracing::error!(%error, "a decoder panicked");
                FileError::DecoderFailed
            })?
            .map_err(FileError::from)
    }
}
