//! What goes wrong with a file, and what its client may know of it.

use super::picture::PictureError;
use crate::problem::Problem;
use http::StatusCode;
use rookery_engine::blobs::BlobError;
use rookery_engine::store::StoreError;
use rookery_protocol::limits::{PICTURE_BYTES, PICTURE_PIXELS};
use rookery_protocol::{ErrorCode, FileId, WireError};

/// How long a client should wait for a place, in milliseconds.
const RETRY_AFTER_MS: u32 = 2000;

/// Why a file was not taken or not given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// Not there, or not for this user.
    #[error("find the file {0}")]
    NotFound(FileId),
    /// Larger than files may be here.
    #[error("take a file of more than {0} bytes")]
    OverLimit(u64),
    /// Its owner's files would be over the quota.
    #[error("keep it beside {used} bytes within a quota of {quota}")]
    OverQuota {
        /// Bytes that they take.
        used: u64,
        /// Bytes that they may take.
        quota: u64,
    },
    /// Another request sends it just now.
    #[error("take an upload that is under way")]
    UnderWay,
    /// Too many others are under way, or too many pictures wait.
    #[error("find a place for it")]
    Occupied,
    /// Other bytes than were announced.
    #[error("take other than the announced {announced} bytes")]
    OtherSize {
        /// Bytes that were announced.
        announced: u64,
    },
    /// Its client has gone before the end.
    #[error("read the body to its end")]
    Cut,
    /// Its client sends nothing, or next to nothing.
    #[error("read the body in time")]
    Stalled,
    /// The server is going down.
    #[error("finish before the server goes")]
    Stopping,
    /// It was sent before, with other bytes.
    #[error("send other bytes than the first time")]
    Differs,
    /// Too large to be decoded.
    #[error("decode a picture of more than {PICTURE_BYTES} bytes")]
    LargePicture,
    /// Not decoded.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The decoder has panicked: refused, and a bug.
    #[error("decode the picture without a panic")]
    DecoderFailed,
    /// The bytes were not kept or not given.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// What is known of it was not kept or not given.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FileError {
    /// Returns the label that a failed upload is counted under.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Occupied | Self::UnderWay | Self::Stopping => "busy",
            Self::Cut | Self::Stalled => "broken",
            Self::Blob(_) | Self::Store(_) => "failed",
            _ => "refused",
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let of_size = |code, why: String| Self::from(WireError::new(code, why).field("size"));
        let later = |code, why: &str| Self::from(WireError::new(code, why).retry_after(RETRY_AFTER_MS));
        match error {
            FileError::NotFound(file) => {
                Self::new(ErrorCode::NotFound, format!("there is no file {file} for you"))
            }
            FileError::OverLimit(most) => {
                of_size(ErrorCode::TooLarge, format!("a file has at most {most} bytes"))
            }
            FileError::OverQuota { used, quota } => of_size(
                ErrorCode::TooLarge,
                format!("your files take {used} of {quota} bytes: delete messages that carry some"),
            ),
            FileError::UnderWay => {
                Self::new(ErrorCode::Conflict, "this upload is under way already").closing()
            }
            FileError::Occupied => later(ErrorCode::Busy, "too many uploads at once").closing(),
            FileError::OtherSize { announced } => {
                of_size(ErrorCode::Invalid, format!("the upload was announced with {announced} bytes"))
                    .closing()
            }
            FileError::Cut => Self::new(ErrorCode::BadRequest, "the body broke off").closing(),
            FileError::Stalled => Self::new(ErrorCode::BadRequest, "the body did not arrive in time")
                .status(StatusCode::REQUEST_TIMEOUT)
                .closing(),
            FileError::Stopping => later(ErrorCode::Busy, "this node is going down").closing(),
            FileError::Differs => {
                Self::new(ErrorCode::Conflict, "this upload is complete, with other bytes").closing()
            }
            FileError::LargePicture => {
                of_size(ErrorCode::TooLarge, format!("a picture has at most {PICTURE_BYTES} bytes")).closing()
            }
            FileError::Picture(PictureError::TooManyPixels { width, height }) => Self::new(
                ErrorCode::TooLarge,
                format!("a picture has at most {PICTURE_PIXELS} pixels, not {width} x {height}"),
            ),
            FileError::Picture(PictureError::TooMuchMemory) => {
                Self::new(ErrorCode::TooLarge, format!("a picture has at most {PICTURE_PIXELS} pixels"))
            }
            FileError::Picture(PictureError::Unreadable(why)) => {
                tracing::debug!(why, "a picture was not decoded");
                Self::field("content", "it begins like a picture and cannot be read as one")
            }
            FileError::DecoderFailed => {
                Self::field("content", "it begins like a picture and cannot be read as one")
            }
            FileError::Blob(error) => {
                tracing::warn!(%error, "the place of files did not serve");
                later(ErrorCode::StoreUnavailable, "files are not taken or given at the moment").closing()
            }
            FileError::Store(error) => crate::accounts::unavailable(&error).into(),
        }
    }
}
