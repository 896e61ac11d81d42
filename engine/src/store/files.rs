//! The file part of the store port: what is known of uploads, who refers to them, and which are garbage.
//!
//! The bytes are behind another port, [`crate::blobs`]. A file lives for as long as a message or an
//! avatar refers to it; before the first does, until it expires. What no longer lives is not found
//! by anybody, at once; its bytes and then its row go later, in two steps that may be repeated.

use super::Answer;
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// SHA-256 of what a client has sent.
pub type FileHash = [u8; 32];

/// A file that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name here.
    pub file: FileId,
    /// Whose it is, and whose quota it counts against.
    pub owner: UserId,
    /// Its name, for people; harmless.
    pub name: String,
    /// The media type that the client claims.
    pub hint: Option<String>,
    /// Bytes that will be sent.
    pub size: u64,
    /// It is garbage from then on, unless something refers to it by then.
    pub expires_at: Timestamp,
}

/// What is stored of a file that has been sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileContent {
    /// Its media type, by its content.
    pub mime: String,
    /// Bytes as they are stored; a picture is stored otherwise than it was sent.
    pub size: u64,
    /// The hash of what was sent, by which the same upload is known when it comes again.
    pub hash: FileHash,
    /// Pixels, of a picture.
    pub width: Option<u32>,
    /// Pixels, of a picture.
    pub height: Option<u32>,
    /// A small picture of it.
    pub thumb: Option<Thumb>,
}

/// A small picture of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumb {
    /// Its media type.
    pub mime: String,
    /// Bytes.
    pub size: u64,
}

/// A file as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// What was said before it was sent.
    pub upload: Upload,
    /// What has been sent; `None` until it has been.
    pub content: Option<FileContent>,
}

impl FileRecord {
    /// Returns the bytes that count against its owner's quota: what is stored, or what will be, and at
    /// least [`FILE_CHARGE`](crate::limits::FILE_CHARGE).
    pub fn charge(&self) -> u64 {
        let thumb = |content: &FileContent| content.thumb.as_ref().map_or(0, |thumb| thumb.size);
        let stored = self.content.as_ref().map(|content| content.size.saturating_add(thumb(content)));
        stored.unwrap_or(self.upload.size).max(crate::limits::FILE_CHARGE)
    }
}

/// What became of the beginning of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It has begun; also the answer when it had, so that the same call may be sent again.
    Begun,
    /// Its owner's files, which already take this many bytes, would be over the quota.
    OverQuota(u64),
}

/// What became of the end of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completed {
    /// It is complete, by this call or by an earlier one that sent the same.
    Complete(Box<FileRecord>),
    /// It was complete before, with something else.
    Differs,
    /// There is no such upload any more.
    Gone,
}

/// Whose picture a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AvatarOf {
    /// A user's, which everybody may see who is logged in.
    User(UserId),
    /// A room's, which its members may see.
    Room(RoomId),
}

/// What is known of files. What refers to a file from a message comes with the message's append:
/// [`Projection::Attach`](super::Projection::Attach).
///
/// A file **lives** at `now` while something refers to it, or, before anything ever has, until its
/// upload expires. Methods that take `now` see no others.
pub trait Files {
    /// Begins an upload, if its owner's files and this one are within `quota` bytes together.
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun>;

    /// Keeps what has been sent of an upload that lives at `now`.
    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed>;

    /// Returns a file that lives at `now`, complete or not, whoever may read it.
    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>>;

    /// Returns those among `ids` that are complete, live at `now`, and are the user's own or readable for
    /// it: in a message of a room that it is a member of, not before it joined; the picture of such a
    /// room; or somebody's avatar. Each once, in no particular order.
    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>>;

    /// Makes `file` the picture of `of`, in place of the one before; `None` takes it away. Returns whether
    /// it is so now: not where the file is not complete or does not live at `now`. Who may is the
    /// caller's to know.
    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool>;

    /// Takes the life of at most `limit` files that are garbage at `now`, for good, and returns files whose
    /// life has been taken and that are not forgotten yet, at most `limit`, the oldest first.
    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>>;

    /// Forgets those among `ids` whose life has been taken, once their bytes are gone.
    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()>;
}
