//! `[storage]`: where the server keeps what must not be lost.

use super::error::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the server keeps what must not be lost.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// The folder of the database and the signing key.
    pub data_dir: PathBuf,
}

/// Where the server keeps what must not be lost.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStorage {
    /// The folder of the database and the signing key; made when it is missing.
    #[schemars(length(min = 1))]
    data_dir: String,
}

impl Default for RawStorage {
    fn default() -> Self {
        Self { data_dir: "./data".to_owned() }
    }
}

impl RawStorage {
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> StorageConfig {
        if self.data_dir.is_empty() {
            problems.value("storage.data_dir", &self.data_dir, "the path of a folder");
        }
        StorageConfig { data_dir: PathBuf::from(&self.data_dir) }
    }
}
