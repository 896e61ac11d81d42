//! Backup files: as they are, and as pieces whose sums somebody has made right.

use aws_lc_rs::digest::{Context, SHA256};
use rookery_backup::{Begin, Target, VERSION, check, restore};
use rookery_engine::MemoryStore;
use rookery_engine::blobs::MemoryBlobs;

/// What every backup begins with, before the version.
const MAGIC: &[u8] = b"rookery backup\0";

pub(crate) fn run(bytes: &[u8]) {
    // With the clock stopped: a store that refuses is asked again after pauses, which are not worth waiting for.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    for stream in [bytes.to_vec(), whole(bytes)] {
        let was_checked = runtime.block_on(check(&stream[..])).is_ok();
        let (store, blobs) = (MemoryStore::new(), MemoryBlobs::new());
        let target = Target { store: &store, read: &store, blobs: Some(&blobs) };
        let was_restored = runtime.block_on(restore(&stream[..], target, Begin::Anew, |_| {})).is_ok();
        assert!(was_checked || !was_restored, "what is not whole is restored");
    }
}

/// Returns a stream of the pieces that `bytes` are, each two bytes of length and its content, with right sums.
fn whole(bytes: &[u8]) -> Vec<u8> {
    let mut stream = [MAGIC, &[VERSION]].concat();
    let mut sum = digest(&[&stream]);
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (content, after) = after.split_at(length);
        sum = digest(&[&sum, content]);
        stream.extend(u32::try_from(length).expect("it was two bytes").to_be_bytes());
        stream.extend(content);
        stream.extend(&sum);
        rest = after;
    }
    stream
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}
