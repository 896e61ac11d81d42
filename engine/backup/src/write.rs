//! From a store into a stream.

use crate::blob::{Hash, parts};
use crate::frame::FrameWriter;
use crate::item::{Blob, End, Header, Tag, encode};
use crate::tally::Tally;
use futures_util::StreamExt;
use rookery_engine::blobs::{BlobError, BlobKey, Blobs};
use rookery_engine::store::{Export, Reading, Record, StoreError};
use std::io::{self, Write};

/// Bytes of records in one frame: enough that its 36 bytes and its hash are nothing beside it.
const RECORDS_BYTES: usize = 128 * 1024;

/// Bytes of a piece of a file in one frame.
const PIECE_BYTES: usize = 512 * 1024;

/// What is backed up.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// All that is known.
    pub store: &'a dyn Export,
    /// The bytes of files, if they are to be in it.
    pub blobs: Option<&'a dyn Blobs>,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store cannot be read.
    #[error("read the store: {0}")]
    Store(#[from] StoreError),
    /// The bytes of a file cannot be read.
    #[error("read the bytes of files: {0}")]
    Blobs(#[from] BlobError),
    /// They are not as long as the store says.
    #[error("read the bytes of file {}: they are not as long as the store says", .0.file)]
    Length(BlobKey),
    /// The stream cannot be written.
    #[error("write the backup: {0}")]
    Io(#[from] io::Error),
    /// A record cannot be encoded, which is a bug.
    #[error("encode the backup: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// Writes all of `source` into `out` and returns what that was and how many bytes. Of `header` it is this call
/// that says whether the bytes of files are in it. `told` hears how far it is, now and then.
///
/// # Errors
/// [`WriteError`]; what was written then is no backup, and is seen to be none.
pub async fn write(
    source: Source<'_>,
    header: Header,
    out: impl Write,
    mut told: impl FnMut(&Tally),
) -> Result<(End, u64), WriteError> {
    let mut frames = FrameWriter::begin(out)?;
    let header = Header { has_bytes: source.blobs.is_some(), ..header };
    frames.write(&encode(Tag::Header, &header)?)?;
    let mut tally = Tally::default();
    let (mut reading, mut pending) = (Reading::of(source.store), Vec::new());
    let mut bytes = 0;
    let mut missing = 0;
    while let Some(records) = reading.next().await? {
        let mut sent = Vec::new();
        for record in records {
            bytes += tally.add(&record)?;
            sent.extend(parts(&record));
            pending.push(record);
            if bytes >= RECORDS_BYTES {
                flush(&mut frames, &mut pending)?;
                bytes = 0;
                told(&tally);
            }
        }
        // The bytes of exactly those files that are in the stream: others may come while this runs.
        if let Some(blobs) = source.blobs.filter(|_| !sent.is_empty()) {
            flush(&mut frames, &mut pending)?;
            bytes = 0;
            missing += write_blobs(sent, blobs, &mut frames, (&mut tally, &mut told)).await?;
        }
    }
    flush(&mut frames, &mut pending)?;
    let end = End { tally, missing };
    frames.write(&encode(Tag::End, &end)?)?;
    frames.flush()?;
    Ok((end, frames.bytes()))
}

fn flush<W: Write>(frames: &mut FrameWriter<W>, pending: &mut Vec<Record>) -> Result<(), WriteError> {
    if !pending.is_empty() {
        frames.write(&encode(Tag::Records, pending)?)?;
        pending.clear();
    }
    Ok(())
}

/// Writes the bytes of these parts of files; returns how many were not there.
async fn write_blobs<W: Write>(
    parts: Vec<(BlobKey, u64)>,
    blobs: &dyn Blobs,
    frames: &mut FrameWriter<W>,
    (tally, told): (&mut Tally, &mut impl FnMut(&Tally)),
) -> Result<u64, WriteError> {
    let mut missing = 0;
    for (key, size) in parts {
        let mut pieces = match blobs.get(key, 0..size).await {
            Ok(pieces) => pieces,
            // Deleted since the store was as it is read here.
            Err(BlobError::NotFound) => {
                missing += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        frames.write(&encode(Tag::Blob, &Blob::new(key, size))?)?;
        let (mut hash, mut left) = (Hash::new(), size);
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            hash.update(&piece);
            left = left.checked_sub(piece.len() as u64).ok_or(WriteError::Length(key))?;
            for piece in piece.chunks(PIECE_BYTES) {
                frames.write(&[&[Tag::Piece as u8], piece].concat())?;
            }
        }
        if left > 0 {
            return Err(WriteError::Length(key));
        }
        tally.add_blob(hash.of(key), size);
        told(tally);
    }
    Ok(missing)
}
