//! The bytes of files: out of where they are, and to where they are to be, a piece at a time.

use crate::frame::{BrokenStream, sum};
use crate::item::{Blob, Item, ItemReader};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use rookery_engine::blobs::{BlobError, BlobKey, BlobPart, BlobStream, Blobs};
use rookery_engine::store::{Export, FileRecord, Page, Part, Place, Record, StoreError};
use std::io::Read;
use tokio::sync::mpsc;

/// Files of one page.
const PAGE: usize = 256;

/// Pieces that wait between the stream and the place of files: 4 MiB at most.
const PIECES: usize = 4;

/// Why the bytes of a file did not come from the stream to their place.
#[derive(Debug)]
pub(crate) enum Unreceived {
    Stream(BrokenStream),
    Place(BlobError),
}

/// The SHA-256 of a file's part while it goes by.
pub(crate) struct Hash(Context);

impl Hash {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Returns what names the part and its bytes: the SHA-256 of the file's id, the part's word and the SHA-256
    /// of the bytes.
    pub(crate) fn of(self, key: BlobKey) -> [u8; 32] {
        sum(&[key.file.0.as_bytes(), key.part.as_str().as_bytes(), self.0.finish().as_ref()])
    }
}

/// Lists the parts of all files that have been sent, a page at a time.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    after: Option<Place>,
    is_last: bool,
}

impl Parts {
    /// Returns the next parts and how long each is; `None` at the end.
    pub(crate) async fn next(
        &mut self,
        store: &dyn Export,
    ) -> Result<Option<Vec<(BlobKey, u64)>>, StoreError> {
        if self.is_last {
            return Ok(None);
        }
        let Page { items, next } = store.rows(Part::Files, self.after.clone(), PAGE).await?;
        self.is_last = next.is_none();
        self.after = next;
        Ok(Some(items.iter().flat_map(parts).collect()))
    }
}

/// Returns the parts of the file that a record is of, if it has been sent, and how long each is.
pub(crate) fn parts(record: &Record) -> Vec<(BlobKey, u64)> {
    let Record::File(FileRecord { upload, content: Some(content) }) = record else { return Vec::new() };
    let key = |part| BlobKey { file: upload.file, part };
    let whole = (key(BlobPart::Content), content.size);
    let thumb = content.thumb.as_ref().map(|thumb| (key(BlobPart::Thumb), thumb.size));
    std::iter::once(whole).chain(thumb).collect()
}

/// Takes the bytes of `blob` out of the stream and puts them `into` a place, if there is one for them. Returns
/// what names them.
pub(crate) async fn receive<R: Read>(
    reader: &mut ItemReader<R>,
    blob: Blob,
    into: Option<&dyn Blobs>,
) -> Result<[u8; 32], Unreceived> {
    let Some(into) = into else { return skip(reader, blob).await.map_err(Unreceived::Stream) };
    let (sender, receiver) = mpsc::channel(PIECES);
    let pieces =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let put = into.put(blob.key(), pieces.boxed() as BlobStream);
    let (fed, put) = future::join(feed(reader, blob, sender), put).await;
    // A stream that broke ends the put, so it is the cause where both have failed.
    let of_it = fed.map_err(Unreceived::Stream)?;
    put.map_err(Unreceived::Place)?;
    Ok(of_it)
}

/// Takes the bytes of `blob` out of the stream. Returns what names them.
pub(crate) async fn skip<R: Read>(reader: &mut ItemReader<R>, blob: Blob) -> Result<[u8; 32], BrokenStream> {
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    feed(reader, blob, sender).await
}

/// Sends the pieces of `blob` on, for as long as somebody takes them.
async fn feed<R: Read>(
    reader: &mut ItemReader<R>,
    blob: Blob,
    sender: mpsc::Sender<Result<Bytes, BlobError>>,
) -> Result<[u8; 32], BrokenStream> {
    let (mut hash, mut missing) = (Hash::new(), blob.size);
    while missing > 0 {
        let piece = match reader.next() {
            Ok(Item::Piece(piece)) if piece.len() as u64 <= missing => piece,
            other => {
                // Whoever waits is told that this is not the end.
                drop(sender.send(Err(BlobError::Broken)).await);
                other?;
                return Err(reader.senseless(&"the bytes of a file are not as many as was said"));
            }
        };
        hash.update(&piece);
        missing -= piece.len() as u64;
        // One who has stopped to listen says why by itself.
        drop(sender.send(Ok(Bytes::from(piece))).await);
    }
    Ok(hash.of(blob.key()))
}
