//! From a stream into a store, again and again until it is done.
//!
//! The store notes how far it has come with what it takes, so whoever comes after a kill reads the stream from
//! its beginning and writes only what is not there. Until all is compared the note stays, and a server does
//! not start on such a store.

use crate::blob::{Unreceived, receive};
use crate::check::{CheckError, verify};
use crate::frame::BrokenStream;
use crate::item::{End, Header, Item, ItemReader};
use crate::tally::Tally;
use rookery_engine::blobs::{BlobError, Blobs};
use rookery_engine::limits::{RESEND_AFTER, RESEND_AFTER_AT_MOST};
use rookery_engine::store::{Export, Import, Progress, Record, StoreError, is_empty};
use std::io::Read;
use uuid::Uuid;

/// How often a write is sent that is refused or unknown, some 10 seconds in all.
const TRIES: u32 = 12;

/// Where a backup goes to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The store, which nobody else uses.
    pub store: &'a dyn Import,
    /// The same, to be read.
    pub read: &'a dyn Export,
    /// Where the bytes of files go, if they are to be restored.
    pub blobs: Option<&'a dyn Blobs>,
}

/// What has been restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// From what.
    pub header: Header,
    /// What it was.
    pub end: End,
    /// Records and files that an earlier run had restored.
    pub before: u64,
}

/// Why a store is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something in it that no backup was restored to.
    #[error("restore into this store: it is not empty")]
    NotEmpty,
    /// An earlier run has not come to its end, and was not to be resumed.
    #[error("restore into this store: a restore has not come to its end here; go on with --resume")]
    Unfinished,
    /// An earlier run of another backup has not come to its end.
    #[error("resume the restore: the store is half filled from the backup {0}, which is another one")]
    OtherBackup(Uuid),
    /// The stream is not whole.
    #[error(transparent)]
    Stream(#[from] BrokenStream),
    /// The store does not take it.
    #[error("fill the store: {0}")]
    Store(#[from] StoreError),
    /// The place of files does not take it.
    #[error("store the bytes of files: {0}")]
    Blobs(BlobError),
    /// What is there in the end is not what was in the backup.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// Whether an earlier run may be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The store has to be empty.
    Anew,
    /// It is empty, or half filled from this backup.
    Resume,
}

/// Restores the backup `input` into `target` and compares both in the end. `told` hears how far it is, now and
/// then.
///
/// # Errors
/// [`RestoreError`]; once something was written, the same call with [`Begin::Resume`] goes on.
pub async fn restore(
    input: impl Read,
    target: Target<'_>,
    begin: Begin,
    mut told: impl FnMut(&Tally),
) -> Result<Restored, RestoreError> {
    let (mut reader, header) = ItemReader::begin(input)?;
    let before = begin_at(target, header.backup, begin).await?;
    let (mut tally, mut done) = (Tally::default(), before);
    let end = loop {
        match reader.next()? {
            Item::Records(records) => {
                for record in &records {
                    tally.add(record).map_err(|error| reader.senseless(&error))?;
                }
                if tally.count() > before {
                    done = tally.count();
                    send(target.store, &records, Progress { backup: header.backup, done }).await?;
                }
            }
            Item::Blob(blob) => {
                let is_new = tally.count() >= before;
                let into = target.blobs.filter(|_| is_new);
                let of_it = receive(&mut reader, blob, into).await.map_err(|error| match error {
                    Unreceived::Stream(error) => RestoreError::Stream(error),
                    Unreceived::Place(error) => RestoreError::Blobs(error),
                })?;
                tally.add_blob(of_it, blob.size);
                if is_new {
                    done = tally.count();
                    send(target.store, &[], Progress { backup: header.backup, done }).await?;
                }
            }
            Item::Piece(_) => return Err(reader.senseless(&"bytes of no file").into()),
            Item::End(end) => break *end,
        }
        told(&tally);
    };
    if end.tally != tally {
        return Err(reader.senseless(&"it does not have what its end says").into());
    }
    let blobs = target.blobs.filter(|_| header.has_bytes);
    verify(target.read, blobs, &end).await?;
    settle(|| target.store.end_import()).await?;
    Ok(Restored { header, end, before: before.min(done) })
}

/// Returns how much of the backup is in the store already.
async fn begin_at(target: Target<'_>, backup: Uuid, begin: Begin) -> Result<u64, RestoreError> {
    match target.store.importing().await? {
        Some(_) if begin == Begin::Anew => Err(RestoreError::Unfinished),
        Some(progress) if progress.backup != backup => Err(RestoreError::OtherBackup(progress.backup)),
        Some(progress) => Ok(progress.done),
        None if !is_empty(target.read).await? => Err(RestoreError::NotEmpty),
        None => {
            send(target.store, &[], Progress { backup, done: 0 }).await?;
            Ok(0)
        }
    }
}

async fn send(store: &dyn Import, records: &[Record], progress: Progress) -> Result<(), StoreError> {
    settle(|| store.import(records, progress)).await
}

/// Sends a write until its outcome is known and it is done, or until it seems to be of no use.
async fn settle<'a>(write: impl Fn() -> rookery_engine::store::Answer<'a, ()>) -> Result<(), StoreError> {
    let mut wait = RESEND_AFTER;
    for _ in 1..TRIES {
        match write().await {
            Ok(()) => return Ok(()),
            Err(error @ StoreError::Fatal(_)) => return Err(error),
            Err(error) => tracing::warn!(%error, "a write is sent again"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RESEND_AFTER_AT_MOST);
    }
    write().await
}
