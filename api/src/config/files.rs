//! `[files]`: where the bytes of files are, how large they may be, and how long they wait.

use super::error::Problems;
use super::layer::hidden;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A tebibyte: beyond it a number is a mistake.
const TEBIBYTE: u64 = 1 << 40;

/// Where the bytes of files are, how large they may be, and how long they wait.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// Where the bytes are.
    pub place: FilesPlace,
    /// Bytes of one file.
    pub max_bytes: u64,
    /// Bytes of all files of one user.
    pub quota_bytes: u64,
    /// How long an upload waits for a message that carries it.
    pub expiry: Duration,
}

/// Where the bytes of files are.
#[derive(Clone, Debug)]
pub enum FilesPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(Box<BucketConfig>),
}

/// A bucket of S3, or of a service that speaks it.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// Its name.
    pub bucket: String,
    /// The service; `None` is Amazon's for the region.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Who we are there.
    pub access_key: SecretString,
    /// And the proof.
    pub secret_key: SecretString,
}

/// Where the bytes of files are, how large they may be, and how long they wait.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFiles {
    /// The folder of the bytes; empty: `files` in the data dir. Not used with a bucket.
    dir: String,
    /// Bytes of one file.
    #[schemars(range(min = 1024, max = 1_099_511_627_776_u64))]
    max_bytes: u64,
    /// Bytes of all files of one user; a file counts as at least 4096.
    #[schemars(range(min = 4096, max = 1_099_511_627_776_u64))]
    quota_bytes: u64,
    /// Hours that an upload waits for a message that carries it.
    #[schemars(range(min = 1, max = 8760))]
    expiry_hours: u64,
    /// The bucket of the bytes, in place of a folder; empty: none.
    s3_bucket: String,
    /// The service that has the bucket, as `https://host` or `https://host:port`; empty: Amazon's for the region.
    s3_endpoint: String,
    /// The region of the bucket; a service without regions takes any.
    s3_region: String,
    /// The id of the key to the bucket.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    s3_access_key: Option<SecretString>,
    /// The key to the bucket.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    s3_secret_key: Option<SecretString>,
}

impl Default for RawFiles {
    fn default() -> Self {
        Self {
            dir: String::new(),
            max_bytes: 100 << 20,
            quota_bytes: 1 << 30,
            expiry_hours: 24,
            s3_bucket: String::new(),
            s3_endpoint: String::new(),
            s3_region: "us-east-1".to_owned(),
            s3_access_key: None,
            s3_secret_key: None,
        }
    }
}

impl RawFiles {
    pub(super) fn check(&self, data_dir: &Path, problems: &mut Problems<'_>) -> FilesConfig {
        let max_bytes = problems.number("files.max_bytes", self.max_bytes, 1024, TEBIBYTE);
        let quota_bytes = problems.number("files.quota_bytes", self.quota_bytes, 4096, TEBIBYTE);
        let hours = problems.number("files.expiry_hours", self.expiry_hours, 1, 8760);
        FilesConfig {
            place: self.place(data_dir, problems),
            max_bytes,
            quota_bytes,
            expiry: Duration::from_secs(hours * 60 * 60),
        }
    }

    /// Returns whether the folder is one that was named.
    pub(super) fn names_a_folder(&self) -> bool {
        !self.dir.is_empty()
    }

    fn place(&self, data_dir: &Path, problems: &mut Problems<'_>) -> FilesPlace {
        if self.s3_bucket.is_empty() {
            let dir = if self.dir.is_empty() { data_dir.join("files") } else { PathBuf::from(&self.dir) };
            return FilesPlace::Folder(dir);
        }
        let is_address = |text: &str| {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ']))
        };
        if !self.s3_endpoint.is_empty() && !is_address(&self.s3_endpoint) {
            let allowed = "https://host or https://host:port, without a path";
            problems.value("files.s3_endpoint", &self.s3_endpoint, allowed);
        }
        let keys = [("access", &self.s3_access_key), ("secret", &self.s3_secret_key)];
        let [access_key, secret_key] = keys.map(|(which, key)| {
            key.clone().unwrap_or_else(|| {
                problems.value(
                    &format!("files.s3_{which}_key"),
                    "(nothing)",
                    "a key, where s3_bucket is set",
                );
                SecretString::default()
            })
        });
        FilesPlace::Bucket(Box::new(BucketConfig {
            bucket: self.s3_bucket.clone(),
            endpoint: (!self.s3_endpoint.is_empty()).then(|| self.s3_endpoint.clone()),
            region: self.s3_region.clone(),
            access_key,
            secret_key,
        }))
    }
}
