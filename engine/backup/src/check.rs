//! A stream without a store, and a store against a stream.

use crate::blob::{Hash, Parts, skip};
use crate::frame::BrokenStream;
use crate::item::{End, Header, Item, ItemReader};
use crate::tally::Tally;
use futures_util::StreamExt;
use rookery_engine::blobs::{BlobError, Blobs};
use rookery_engine::store::{Export, Reading, StoreError};
use std::io::Read;

/// Why a store is not what a backup says.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It is another.
    #[error("find in the store what is in the backup: {}", .0.join("; "))]
    Differs(Vec<String>),
    /// It cannot be read.
    #[error("read the store: {0}")]
    Store(#[from] StoreError),
    /// The bytes of a file cannot be read.
    #[error("read the bytes of files: {0}")]
    Blobs(#[from] BlobError),
}

/// Reads all of a stream and returns how it begins and ends.
///
/// # Errors
/// [`BrokenStream`]: it is not whole.
pub async fn check(input: impl Read) -> Result<(Header, End), BrokenStream> {
    let (mut reader, header) = ItemReader::begin(input)?;
    let mut tally = Tally::default();
    loop {
        match reader.next()? {
            Item::Records(records) => {
                for record in &records {
                    tally.add(record).map_err(|error| reader.senseless(&error))?;
                }
            }
            Item::Blob(blob) => {
                let of_it = skip(&mut reader, blob).await?;
                tally.add_blob(of_it, blob.size);
            }
            Item::Piece(_) => return Err(reader.senseless(&"bytes of no file")),
            Item::End(end) if end.tally == tally => return Ok((header, *end)),
            Item::End(_) => return Err(reader.senseless(&"it does not have what its end says")),
        }
    }
}

/// Compares what is in a store, and the bytes of its files where `blobs` are given, with the end of a stream.
///
/// # Errors
/// [`CheckError::Differs`], with what differs for people: first what is there, then what should be.
pub async fn verify(store: &dyn Export, blobs: Option<&dyn Blobs>, end: &End) -> Result<(), CheckError> {
    let mut tally = Tally::default();
    let mut reading = Reading::of(store);
    while let Some(records) = reading.next().await? {
        for record in &records {
            tally.add(record).map_err(|error| StoreError::Refused(error.to_string()))?;
        }
    }
    match blobs {
        Some(blobs) => add_blobs(store, blobs, &mut tally).await?,
        None => tally.leave_blobs(&end.tally),
    }
    let differences = tally.differences(&end.tally);
    if differences.is_empty() { Ok(()) } else { Err(CheckError::Differs(differences)) }
}

async fn add_blobs(store: &dyn Export, blobs: &dyn Blobs, tally: &mut Tally) -> Result<(), CheckError> {
    let mut parts = Parts::default();
    while let Some(page) = parts.next(store).await? {
        for (key, size) in page {
            let mut pieces = match blobs.get(key, 0..size).await {
                Ok(pieces) => pieces,
                // The backup had none either, or the sums differ.
                Err(BlobError::NotFound) => continue,
                Err(error) => return Err(error.into()),
            };
            let mut hash = Hash::new();
            while let Some(piece) = pieces.next().await {
                hash.update(&piece?);
            }
            tally.add_blob(hash.of(key), size);
        }
    }
    Ok(())
}
