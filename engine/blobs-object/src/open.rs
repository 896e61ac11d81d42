//! Opening a folder or a bucket.

use crate::blobs::ObjectBlobs;
use crate::staging;
use object_store::RetryConfig;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of one write to a disk: large enough that a write costs more than handing it to a thread.
const DISK_PART_BYTES: usize = 1 << 20;

/// Bytes of one part of an upload to S3, which takes no smaller ones but the last
/// (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
const S3_PART_BYTES: usize = 5 << 20;

/// How often a request to a bucket is sent again that failed on its way.
const S3_RETRIES: usize = 3;

/// From the first try on until it is not sent again: a client waits for it.
const S3_RETRY_WITHIN: Duration = Duration::from_secs(20);

/// A bucket and how it is reached.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Its name.
    pub bucket: String,
    /// The service, as `https://host`; `None` is Amazon's for the region.
    pub endpoint: Option<String>,
    /// Its region; services that have none take any.
    pub region: String,
    /// Who we are there.
    pub access_key: SecretString,
    /// And the proof.
    pub secret_key: SecretString,
}

/// Why the blobs were not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or looked at.
    #[error("open the folder of files {}: {source}", dir.display())]
    Folder {
        /// Which.
        dir: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The adapter does not take it so.
    #[error("open the place of files: {0}")]
    Object(#[from] object_store::Error),
}

impl ObjectBlobs {
    /// Opens a folder, which must be there, and clears away what puts have left there that were
    /// interrupted by the end of their process. One process has the folder at a time.
    ///
    /// # Errors
    /// [`OpenError`]: it cannot be read.
    pub fn on_disk(dir: &Path) -> Result<Self, OpenError> {
        let folder = |source| OpenError::Folder { dir: dir.to_owned(), source };
        let dir = dir.canonicalize().map_err(folder)?;
        staging::clear_all(&dir).map_err(folder)?;
        let store = LocalFileSystem::new_with_prefix(&dir)?.with_fsync(true);
        Ok(Self::new(Arc::new(store), DISK_PART_BYTES, Some(dir)))
    }

    /// Opens a folder beside the process that has it, to read from it only. Nothing is cleared away.
    ///
    /// # Errors
    /// [`OpenError`]: it cannot be read.
    pub fn beside_on_disk(dir: &Path) -> Result<Self, OpenError> {
        let dir = dir.canonicalize().map_err(|source| OpenError::Folder { dir: dir.to_owned(), source })?;
        let store = LocalFileSystem::new_with_prefix(&dir)?;
        Ok(Self::new(Arc::new(store), DISK_PART_BYTES, None))
    }

    /// Opens a bucket. It is not asked whether it is there before the first use.
    ///
    /// # Errors
    /// [`OpenError::Object`]: an option is not as it must be.
    pub fn in_bucket(options: &S3Options) -> Result<Self, OpenError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(options.access_key.expose_secret())
            .with_secret_access_key(options.secret_key.expose_secret())
            // One request for one blob: not every service speaks the bulk form.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig {
                max_retries: S3_RETRIES,
                retry_timeout: S3_RETRY_WITHIN,
                ..RetryConfig::default()
            });
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        Ok(Self::new(Arc::new(builder.build()?), S3_PART_BYTES, None))
    }
}
