//! Files: taking them, looking into them, giving them back, and taking out what nobody refers to.
//!
//! | module | what |
//! |---|---|
//! | `begin`, `put` | announcing an upload; sending it |
//! | `receive`, `sniff`, `picture`, `name` | the bytes as they come; what they are; pictures drawn anew; harmless names |
//! | `open` | a file for whoever may read it |
//! | `janitor` | what is garbage, out of both places |
//! | `under_way`, `error` | bounds on what happens at once; what goes wrong |
//!
//! The bytes are behind one port, what is known of them behind another. A row comes first and goes
//! last, so that whatever is interrupted between is found by the janitor. It knows nothing of HTTP
//! beyond the stream of a body.

mod begin;
mod body;
mod error;
mod janitor;
mod name;
mod open;
mod picture;
mod put;
mod receive;
mod sniff;
mod under_way;

pub(crate) use begin::Announced;
pub(crate) use body::FileBody;
pub(crate) use error::FileError;
pub(crate) use janitor::run as run_janitor;
pub(crate) use open::Opened;

use crate::config::{Config, FilesConfig};
use rookery_actors::Node;
use rookery_engine::blobs::{BlobError, Blobs};
use rookery_engine::store::Store;
use rookery_engine::{Clock, Metrics, Random, Tasks};
use rookery_protocol::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use under_way::UnderWay;

/// Pictures that wait for a thread.
///
/// At about a second for a large one on two cores, the last of 16 waits as long as a person does before
/// a picture that is being sent.
const WAITING_PICTURES: usize = 16;

/// The files of one server.
#[derive(Debug)]
pub struct Files {
    blobs: Arc<dyn Blobs>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
    config: FilesConfig,
    /// How long the next piece of an upload may take to come.
    stall: Duration,
    under_way: UnderWay,
    /// One permit a picture that is being decoded: half of the cores, so that chat goes on.
    decoding: Semaphore,
    /// One permit a picture that is being decoded or waits for it.
    waiting: Semaphore,
}

impl Files {
    pub(crate) fn new(node: &Node, blobs: Arc<dyn Blobs>, config: &Config) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoding = (cores / 2).max(1);
        Arc::new(Self {
            blobs,
            store: Arc::clone(node.store()),
            clock: Arc::clone(node.clock()),
            random: Arc::clone(node.random()),
            metrics: Arc::clone(node.metrics()),
            tasks: node.tasks().clone(),
            config: config.files.clone(),
            stall: config.server.body_timeout,
            under_way: UnderWay::default(),
            decoding: Semaphore::new(decoding),
            waiting: Semaphore::new(decoding + WAITING_PICTURES),
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Counts what became of a call to the blob port.
    fn counted<T>(&self, outcome: Result<T, BlobError>) -> Result<T, BlobError> {
        let label = match &outcome {
            Ok(_) => "done",
            Err(BlobError::NotFound) => "not_found",
            Err(BlobError::Refused(_)) => "refused",
            Err(BlobError::Unknown(_)) => "unknown",
            Err(BlobError::Broken) => "broken",
        };
        self.metrics.files.blobs.of(label).increment(1);
        outcome
    }
}

/// Does with the bytes of a file what an upload has done with them, on this thread.
///
/// # Panics
/// When what would be kept is not what may be kept.
pub(crate) fn take_anything(bytes: &[u8]) {
    use rookery_protocol::limits::{FILE_NAME_BYTES, PICTURE_PIXELS, THUMB_PIXELS};
    let head = &bytes[..bytes.len().min(sniff::HEAD_BYTES)];
    let name = name::harmless(&String::from_utf8_lossy(head));
    assert!(
        !name.is_empty() && name.len() <= FILE_NAME_BYTES && !name.contains(['/', '\\', '\n']),
        "{name:?}"
    );
    let kind = sniff::kind(head);
    let mime = sniff::mime(kind, Some("text/html"), std::str::from_utf8(bytes).is_ok());
    assert!(!mime.contains("html") && !mime.contains("svg"), "a browser would run {mime}");
    let sniff::Kind::Picture(format) = kind else { return };
    if let Ok(kept) = picture::Picture::take(format, bytes) {
        assert!(u64::from(kept.width) * u64::from(kept.height) <= PICTURE_PIXELS);
        let format = picture::Format::of(&kept.thumb.bytes).expect("a small picture is a picture");
        let thumb = picture::Picture::take(format, &kept.thumb.bytes).expect("and can be decoded");
        assert!(thumb.width <= THUMB_PIXELS && thumb.height <= THUMB_PIXELS);
    }
}
