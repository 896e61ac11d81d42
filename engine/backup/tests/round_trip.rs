//! Streams in memory: what goes in comes out, in however many runs; what is damaged does not.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rookery_backup::{
    Begin, BrokenStream, Header, RestoreError, Source, Target, check, restore, verify, write,
};
use rookery_engine::MemoryStore;
use rookery_engine::blobs::{BlobKey, BlobPart, Blobs, MemoryBlobs};
use rookery_engine::contract::tell_a_full_story;
use rookery_engine::store::{Answer, Export, Import, Part, Progress, Record, StoreError};
use rookery_protocol::Timestamp;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

const STEPS: u32 = 300;

/// A store and the bytes of its files.
#[derive(Debug, Default)]
struct Place {
    store: MemoryStore,
    blobs: MemoryBlobs,
}

impl Place {
    async fn told(seed: u64) -> Self {
        let place = Self::default();
        tell_a_full_story(&place.store, seed, STEPS).await;
        let files = place.store.rows(Part::Files, None, usize::MAX).await.unwrap().items;
        for record in files {
            let Record::File(file) = record else { continue };
            let Some(content) = file.content else { continue };
            let thumb = content.thumb.map(|thumb| (BlobPart::Thumb, thumb.size));
            for (part, size) in [(BlobPart::Content, content.size)].into_iter().chain(thumb) {
                let piece = Bytes::from(vec![content.hash[0]; usize::try_from(size).unwrap()]);
                let key = BlobKey { file: file.upload.file, part };
                place.blobs.put(key, stream::iter([Ok(piece)]).boxed()).await.unwrap();
            }
        }
        place
    }

    async fn backup(&self, number: u128) -> Vec<u8> {
        let source = Source { store: &self.store, blobs: Some(&self.blobs) };
        let mut out = Vec::new();
        let (_, bytes) = write(source, header(number), &mut out, |_| {}).await.unwrap();
        assert_eq!(bytes, out.len() as u64);
        out
    }

    fn target(&self) -> Target<'_> {
        Target { store: &self.store, read: &self.store, blobs: Some(&self.blobs) }
    }
}

fn header(number: u128) -> Header {
    Header {
        backup: Uuid::from_u128(number),
        program: "a test".to_owned(),
        store: "memory".to_owned(),
        at: Timestamp(1),
        has_bytes: true,
    }
}

/// Fails for good after some calls, as the end of a process does.
#[derive(Debug)]
struct Killed<'a> {
    inner: &'a MemoryStore,
    left: AtomicUsize,
}

impl Import for Killed<'_> {
    fn import<'a>(&'a self, records: &'a [Record], progress: Progress) -> Answer<'a, ()> {
        Box::pin(async move {
            let left =
                self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            match left {
                Ok(1) => {
                    // Some of it is there, and nothing says so.
                    let before = self.inner.importing().await?.unwrap();
                    self.inner.import(&records[..records.len() / 2], before).await?;
                    Err(StoreError::Fatal("killed".to_owned()))
                }
                Ok(_) => self.inner.import(records, progress).await,
                Err(_) => Err(StoreError::Fatal("killed".to_owned())),
            }
        })
    }

    fn importing(&self) -> Answer<'_, Option<Progress>> {
        self.inner.importing()
    }

    fn end_import(&self) -> Answer<'_, ()> {
        self.inner.end_import()
    }
}

#[tokio::test]
async fn what_goes_in_comes_out_and_is_the_same_stream_again() {
    for seed in 0..3 {
        let place = Place::told(seed).await;
        let backup = place.backup(1).await;
        let there = Place::default();
        let restored = restore(&backup[..], there.target(), Begin::Anew, |_| {}).await.unwrap();
        assert_eq!((restored.before, restored.end.missing), (0, 0));
        for part in Part::ALL {
            assert!(restored.end.tally.of(part).count > 0, "nothing of {part:?} in the story {seed}");
        }
        assert!(restored.end.tally.blobs.count > 0);
        assert_eq!(there.backup(1).await, backup, "seed {seed}");
        assert_eq!(there.store.importing().await, Ok(None));
        assert_eq!(check(&backup[..]).await.unwrap(), (restored.header, restored.end));
    }
}

#[tokio::test]
async fn a_restore_that_is_killed_anywhere_is_resumed_to_the_same() {
    let place = Place::told(1).await;
    let backup = place.backup(1).await;
    // As many as it takes, all of them once, then in one restore after another.
    for kills in 1.. {
        let there = Place::default();
        let killed = Killed { inner: &there.store, left: AtomicUsize::new(kills + 1) };
        let target = Target { store: &killed, ..there.target() };
        if restore(&backup[..], target, Begin::Anew, |_| {}).await.is_ok() {
            assert!(kills > 10, "{kills}");
            break;
        }
        let anew = restore(&backup[..], there.target(), Begin::Anew, |_| {}).await;
        assert!(matches!(anew, Err(RestoreError::Unfinished)), "{anew:?}");
        let other = place.backup(2).await;
        let other = restore(&other[..], there.target(), Begin::Resume, |_| {}).await;
        assert!(matches!(other, Err(RestoreError::OtherBackup(_))), "{other:?}");
        restore(&backup[..], there.target(), Begin::Resume, |_| {}).await.unwrap();
        assert_eq!(there.backup(1).await, backup, "after {kills} calls");
    }
    let there = Place::default();
    let mut begin = Begin::Anew;
    loop {
        let killed = Killed { inner: &there.store, left: AtomicUsize::new(4) };
        let target = Target { store: &killed, ..there.target() };
        if restore(&backup[..], target, begin, |_| {}).await.is_ok() {
            break;
        }
        begin = Begin::Resume;
    }
    assert_eq!(there.backup(1).await, backup, "after many");
}

#[tokio::test]
async fn a_damaged_byte_anywhere_is_seen_before_its_piece_is_used() {
    let place = Place::told(2).await;
    let backup = place.backup(1).await;
    let mut random = fastrand::Rng::with_seed(3);
    let everywhere = (0..64).chain((64..backup.len()).step_by(backup.len() / 300));
    for at in everywhere.chain(backup.len() - 64..backup.len()) {
        let mut damaged = backup.clone();
        damaged[at] ^= 1 << random.u8(0..8);
        let found = check(&damaged[..]).await;
        assert!(found.is_err(), "at {at}: {found:?}");
    }
    let mut other = backup.clone();
    other[15] = 2;
    assert!(matches!(check(&other[..]).await, Err(BrokenStream::Version(2))));
    assert!(matches!(check(&b"{}"[..]).await, Err(BrokenStream::NotABackup)));
}

#[tokio::test]
async fn a_stream_that_is_cut_off_is_seen_and_what_was_restored_of_it_can_be_gone_on_with() {
    let place = Place::told(2).await;
    let backup = place.backup(1).await;
    for length in (0..backup.len()).step_by(backup.len() / 50).chain([backup.len() - 1]) {
        let there = Place::default();
        let cut = restore(&backup[..length], there.target(), Begin::Anew, |_| {}).await;
        assert!(
            matches!(cut, Err(RestoreError::Stream(BrokenStream::CutOff(_) | BrokenStream::NotABackup))),
            "{length}: {cut:?}"
        );
        restore(&backup[..], there.target(), Begin::Resume, |_| {}).await.unwrap();
        assert_eq!(there.backup(1).await, backup);
    }
    let longer = [&backup[..], b"x"].concat();
    assert!(matches!(check(&longer[..]).await, Err(BrokenStream::Senseless { .. })));
}

#[tokio::test]
async fn only_an_empty_store_is_restored_to_and_what_differs_is_told() {
    let (place, other) = (Place::told(1).await, Place::told(2).await);
    let backup = place.backup(1).await;
    for begin in [Begin::Anew, Begin::Resume] {
        let refused = restore(&backup[..], other.target(), begin, |_| {}).await;
        assert!(matches!(refused, Err(RestoreError::NotEmpty)), "{refused:?}");
    }
    let (_, end) = check(&backup[..]).await.unwrap();
    verify(&place.store, Some(&place.blobs), &end).await.unwrap();
    let told = verify(&other.store, None, &end).await.unwrap_err().to_string();
    assert!(told.contains("batches of events") && !told.contains("bytes of files"), "{told}");
    place.blobs.delete(place.blobs.keys()[0].file).await.unwrap();
    let told = verify(&place.store, Some(&place.blobs), &end).await.unwrap_err().to_string();
    assert!(told.contains("bytes of files"), "{told}");
}

#[tokio::test]
async fn a_store_without_bytes_is_backed_up_without_them() {
    let place = Place::told(1).await;
    let mut out = Vec::new();
    let source = Source { store: &place.store, blobs: None };
    let (end, _) = write(source, header(1), &mut out, |_| {}).await.unwrap();
    assert_eq!(end.tally.blobs.count, 0);
    let there = Place::default();
    let restored = restore(&out[..], there.target(), Begin::Anew, |_| {}).await.unwrap();
    assert!(!restored.header.has_bytes);
    assert_eq!(there.blobs.keys(), []);

    // And where they have gone meanwhile, it says how many.
    let source = Source { store: &place.store, blobs: Some(&there.blobs) };
    let (end, _) = write(source, header(1), &mut Vec::new(), |_| {}).await.unwrap();
    assert!(end.missing > 0 && end.tally.blobs.count == 0);
}
