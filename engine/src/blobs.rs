//! The blob port: where the bytes of files are.
//!
//! It knows names and bytes and nothing of users, quotas or types: what is known of a file is in the
//! store ([`crate::store::Files`]). A blob appears whole or not at all, and is never changed: it is
//! put, perhaps again in its place, and deleted. An adapter must pass [`crate::contract::blobs_pass`].

mod memory;

pub use memory::MemoryBlobs;

use bytes::Bytes;
use futures_util::Stream;
use rookery_protocol::FileId;
use std::fmt::Debug;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

/// What is kept of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlobPart {
    /// What a client has sent, while it is being looked at.
    Raw,
    /// What others get.
    Content,
    /// A small picture of it.
    Thumb,
}

impl BlobPart {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Content, Self::Thumb];

    /// Returns its word in the names of adapters; letters only.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Content => "content",
            Self::Thumb => "thumb",
        }
    }
}

/// The name of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobKey {
    /// Of which file.
    pub file: FileId,
    /// Which part of it.
    pub part: BlobPart,
}

/// Why a blob was not put, given or deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("find the blob")]
    NotFound,
    /// Certainly not done (a full disk, say); the same call may succeed later.
    #[error("have the blob store do it: {0}")]
    Refused(String),
    /// Done or not: the same call again settles it.
    #[error("learn whether the blob store did it: {0}")]
    Unknown(String),
    /// The bytes to be put ended before their end; whoever gave them knows why. Nothing is stored.
    #[error("take the bytes to their end")]
    Broken,
}

/// The bytes of a blob, in pieces of any size.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, BlobError>> + Send>>;

/// What a blob store's method returns.
///
/// # Cancel safety
/// Dropping the future of a put leaves nothing behind that can be read, but perhaps something that
/// takes space until the adapter or [`Blobs::delete`] clears it away.
pub type BlobAnswer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BlobError>> + Send + 'a>>;

/// Keeps blobs.
pub trait Blobs: Debug + Send + Sync + 'static {
    /// Stores all of `content` under `key`, in place of what was there. `Ok` means durable, and is how
    /// many bytes it was; until then nobody sees anything of it. Takes no more into memory than one
    /// part of what is stored.
    ///
    /// # Errors
    /// An error of `content` ends the put and is handed on; then, as with [`BlobError::Refused`], what
    /// was there before is as it was.
    fn put(&self, key: BlobKey, content: BlobStream) -> BlobAnswer<'_, u64>;

    /// Returns the bytes of a blob at the positions of `range`, which must lie within it. A stream that
    /// ends earlier than `range` has met a blob that is damaged.
    fn get(&self, key: BlobKey, range: Range<u64>) -> BlobAnswer<'_, BlobStream>;

    /// Deletes every part of a file, and what a put of one that broke off has left behind. One that is
    /// not there is deleted. No put of that file may be under way.
    fn delete(&self, file: FileId) -> BlobAnswer<'_, ()>;
}
