//! The contract of the blob port, run against a folder; and what a folder is left with.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rookery_blobs_object::ObjectBlobs;
use rookery_engine::blobs::{BlobError, BlobKey, BlobPart, BlobStream, Blobs};
use rookery_engine::contract::blobs_pass;
use rookery_protocol::FileId;
use std::fs;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A folder of its own that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rookery-blobs-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Lists the files below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn key() -> BlobKey {
    BlobKey { file: FileId(Uuid::from_u128(7)), part: BlobPart::Content }
}

fn content(length: usize) -> BlobStream {
    Box::pin(stream::iter([Ok(Bytes::from(vec![1; length]))]))
}

#[tokio::test]
async fn a_folder_passes() {
    let scratch = Scratch::new("contract");
    blobs_pass(&ObjectBlobs::on_disk(&scratch.0).unwrap()).await;
    assert_eq!(files(&scratch.0), [] as [PathBuf; 0], "nothing is left behind");
}

#[tokio::test]
async fn what_a_process_left_that_was_killed_is_cleared_away_at_the_next_start() {
    let scratch = Scratch::new("killed");
    let blobs = ObjectBlobs::on_disk(&scratch.0).unwrap();
    blobs.put(key(), content(10)).await.unwrap();
    let [whole] = &files(&scratch.0)[..] else { panic!("one blob is one file") };
    let staged = PathBuf::from(format!("{}#1", whole.display()));
    fs::write(&staged, "half of it").unwrap();
    let blobs = ObjectBlobs::on_disk(&scratch.0).unwrap();
    assert_eq!(&files(&scratch.0), std::slice::from_ref(whole));

    fs::write(&staged, "half of it").unwrap();
    blobs.delete(key().file).await.unwrap();
    assert_eq!(files(&scratch.0), [] as [PathBuf; 0], "a delete takes it along");
}

#[tokio::test]
async fn a_folder_that_takes_no_writes_refuses_and_is_left_as_it_was() {
    let scratch = Scratch::new("unwritable");
    let blobs = ObjectBlobs::on_disk(&scratch.0).unwrap();
    // A file where the blob's folder has to be: no user may write there, root included.
    fs::write(scratch.0.join("07"), "").unwrap();
    for length in [10, 3 << 20] {
        let error = blobs.put(key(), content(length)).await.unwrap_err();
        assert!(matches!(error, BlobError::Refused(_) | BlobError::Unknown(_)), "{error}");
    }
    assert_eq!(files(&scratch.0), [scratch.0.join("07")]);
    assert!(blobs.get(key(), 0..1).await.map(drop).is_err());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_opened() {
    let scratch = Scratch::new("absent");
    assert!(ObjectBlobs::on_disk(&scratch.0.join("nowhere")).is_err());
}

#[tokio::test]
async fn a_blob_is_given_in_pieces() {
    let scratch = Scratch::new("pieces");
    let blobs = ObjectBlobs::on_disk(&scratch.0).unwrap();
    blobs.put(key(), content(4 << 20)).await.unwrap();
    let largest = blobs.get(key(), 0..4 << 20).await.unwrap();
    let largest = largest.map(|piece| piece.unwrap().len()).fold(0, async |most, len| most.max(len)).await;
    assert!(largest <= 1 << 20, "{largest}");
}
