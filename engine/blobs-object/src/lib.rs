//! Blobs on a local disk or in an S3 bucket, by the `object_store` crate.
//!
//! | module | what |
//! |---|---|
//! | `open` | what can be set for a bucket; opening either kind |
//! | `blobs` | the port's methods |
//! | `staging` | what an interrupted put leaves on a disk, and clearing it away |
//!
//! It knows nothing of what is in a blob, whose it is, or who may have it.

mod blobs;
mod open;
mod staging;

pub use blobs::ObjectBlobs;
pub use open::{OpenError, S3Options};
