//! The contract of the blob port: what every place for bytes must do.

use super::files::file;
use crate::blobs::{BlobError, BlobKey, BlobPart, BlobStream, Blobs};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

const SIZES: [usize; 6] = [0, 1, 4095, 65_537, 1 << 20, (5 << 20) + 3];

/// Runs every case against `blobs`, which must be empty, and leaves it empty.
///
/// # Panics
/// When it does not do what a case says.
pub async fn blobs_pass(blobs: &dyn Blobs) {
    what_is_put_is_given_back_whole_and_in_part(blobs).await;
    a_blob_is_replaced_and_parts_are_apart(blobs).await;
    what_breaks_off_leaves_what_was_there(blobs).await;
    what_is_deleted_is_not_found(blobs).await;
}

const fn key(number: u128, part: BlobPart) -> BlobKey {
    BlobKey { file: file(number), part }
}

/// Bytes that differ from place to place.
fn bytes(length: usize, seed: usize) -> Bytes {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251 + seed) % 256).unwrap_or(0)).collect()
}

/// Gives `whole` in pieces of odd sizes.
fn pieces(whole: &Bytes) -> BlobStream {
    let pieces: Vec<_> = whole.chunks(10_007).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Box::pin(stream::iter(pieces))
}

async fn read(blobs: &dyn Blobs, key: BlobKey, range: std::ops::Range<usize>) -> Result<Vec<u8>, BlobError> {
    let stream = blobs.get(key, range.start as u64..range.end as u64).await?;
    Ok(stream.try_collect::<Vec<_>>().await?.concat())
}

async fn what_is_put_is_given_back_whole_and_in_part(blobs: &dyn Blobs) {
    for (number, size) in (0..).zip(SIZES) {
        let (key, whole) = (key(number, BlobPart::Content), bytes(size, 1));
        assert_eq!(blobs.put(key, pieces(&whole)).await, Ok(size as u64));
        assert_eq!(read(blobs, key, 0..size).await.as_deref(), Ok(&whole[..]), "{size} bytes");
        for range in [0..size / 2, size / 2..size, size / 3..size / 3 + size.min(1), size..size] {
            let part = &whole[range.clone()];
            assert_eq!(read(blobs, key, range.clone()).await.as_deref(), Ok(part), "{range:?} of {size}");
        }
        assert_eq!(blobs.delete(file(number)).await, Ok(()));
    }
}

async fn a_blob_is_replaced_and_parts_are_apart(blobs: &dyn Blobs) {
    for (part, seed) in BlobPart::ALL.into_iter().zip(0..) {
        for size in [20_000, 300] {
            assert_eq!(blobs.put(key(1, part), pieces(&bytes(size, seed))).await, Ok(size as u64));
        }
    }
    for (part, seed) in BlobPart::ALL.into_iter().zip(0..) {
        assert_eq!(read(blobs, key(1, part), 0..300).await.as_deref(), Ok(&bytes(300, seed)[..]));
    }
    assert_eq!(blobs.delete(file(1)).await, Ok(()));
}

async fn what_breaks_off_leaves_what_was_there(blobs: &dyn Blobs) {
    let broken = |size| -> BlobStream {
        Box::pin(pieces(&bytes(size, 9)).chain(stream::iter([Err(BlobError::Broken)])))
    };
    let key = key(2, BlobPart::Content);
    for size in SIZES {
        assert_eq!(blobs.put(key, broken(size)).await, Err(BlobError::Broken));
        assert_eq!(read(blobs, key, 0..1).await, Err(BlobError::NotFound));
    }
    assert_eq!(blobs.put(key, pieces(&bytes(500, 2))).await, Ok(500));
    assert_eq!(blobs.put(key, broken(6 << 20)).await, Err(BlobError::Broken));
    assert_eq!(read(blobs, key, 0..500).await.as_deref(), Ok(&bytes(500, 2)[..]));
    // Given up in the middle, as by a caller that goes away.
    let never: BlobStream = Box::pin(pieces(&bytes(6 << 20, 3)).chain(stream::pending()));
    let put = blobs.put(key, never);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), put).await.is_err());
    assert_eq!(read(blobs, key, 0..500).await.as_deref(), Ok(&bytes(500, 2)[..]));
    assert_eq!(blobs.delete(file(2)).await, Ok(()));
}

async fn what_is_deleted_is_not_found(blobs: &dyn Blobs) {
    for part in BlobPart::ALL {
        assert_eq!(blobs.put(key(3, part), pieces(&bytes(100, 0))).await, Ok(100));
        assert_eq!(blobs.put(key(4, part), pieces(&bytes(100, 0))).await, Ok(100));
    }
    for _ in 0..2 {
        assert_eq!(blobs.delete(file(3)).await, Ok(()));
    }
    for part in BlobPart::ALL {
        assert_eq!(read(blobs, key(3, part), 0..1).await, Err(BlobError::NotFound));
        assert!(read(blobs, key(4, part), 0..100).await.is_ok(), "another file");
    }
    assert_eq!(blobs.delete(file(4)).await, Ok(()));
}
