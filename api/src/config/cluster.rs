//! `[cluster]`: how several servers are one.

use super::error::Problems;
use super::layer::hidden;
use super::{AuthConfig, FilesPlace, StoragePlace};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// How several servers are one.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Where the Redis is by which they speak.
    pub redis: SecretString,
    /// What every key and channel there begins with.
    pub prefix: String,
}

/// How several servers are one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCluster {
    /// The Redis by which the servers of a cluster speak, as `redis://[:password@]host:port`; without it the server is alone.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    redis_url: Option<SecretString>,
    /// What every key and channel in that Redis begins with; another one for another cluster.
    redis_prefix: String,
}

impl Default for RawCluster {
    fn default() -> Self {
        Self { redis_url: None, redis_prefix: "rookery".to_owned() }
    }
}

impl RawCluster {
    /// Checks it together with what all servers of a cluster have to share.
    pub(super) fn check(
        &self,
        (storage, auth): (&StoragePlace, &AuthConfig),
        (files, has_files_dir): (&FilesPlace, bool),
        problems: &mut Problems<'_>,
    ) -> Option<ClusterConfig> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=32).contains(&self.redis_prefix.len()) || !self.redis_prefix.chars().all(is_plain) {
            problems.value("cluster.redis_prefix", &self.redis_prefix, "1 to 32 of a-z A-Z 0-9 . _ -");
        }
        let redis = self.redis_url.clone()?;
        if !["redis://", "rediss://"].iter().any(|scheme| redis.expose_secret().starts_with(scheme)) {
            problems.value("cluster.redis_url", "(a secret)", "redis://[:password@]host:port");
        }
        let mut share = |is_shared: bool, key: &str, allowed: &str| {
            if !is_shared {
                problems.value(key, "(nothing)", format!("{allowed}, where cluster.redis_url is set"));
            }
        };
        let is_cql = matches!(storage, StoragePlace::Cql(_));
        share(is_cql, "storage.cql_nodes", "ScyllaDB or Cassandra, which all servers use");
        share(auth.signing_key.is_some(), "auth.signing_key", "one key, which all servers have");
        let has_files = matches!(files, FilesPlace::Bucket(_)) || has_files_dir;
        share(has_files, "files.s3_bucket", "a bucket, or a folder in files.dir, which all servers use");
        Some(ClusterConfig { redis, prefix: self.redis_prefix.clone() })
    }
}
