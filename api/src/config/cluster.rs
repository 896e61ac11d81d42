//! `[cluster]`: how several servers are one.

use super::error::Problems;
use super::layer::hidden;
use super::{AuthConfig, FilesPlace, StoragePlace};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How several servers are one.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Where the Redis is by which they speak.
    pub redis: SecretString,
    /// Who has to have signed its certificate, as a file; `None` is whom the system trusts.
    pub redis_ca: Option<PathBuf>,
    /// What every key and channel there begins with.
    pub prefix: String,
}

/// How several servers are one.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the file")]
pub(super) struct RawCluster {
    /// The Redis by which the servers of a cluster speak, as `redis://[[user]:password@]host:port`, or `rediss://` for TLS; without it the server is alone.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    redis_url: Option<SecretString>,
    /// A file of certificates in PEM, one of which has signed that of Redis; empty: what the system trusts. For `rediss://`.
    redis_ca: String,
    /// What every key and channel in that Redis begins with; another one for another cluster.
    redis_prefix: String,
}

impl Default for RawCluster {
    fn default() -> Self {
        Self { redis_url: None, redis_ca: String::new(), redis_prefix: "rookery".to_owned() }
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
            let allowed = "redis://[[user]:password@]host:port, or the same with rediss";
            problems.value("cluster.redis_url", "(a secret)", allowed);
        }
        let redis_ca = Some(self.redis_ca.as_str()).filter(|file| !file.is_empty());
        if redis_ca.is_some() && !redis.expose_secret().starts_with("rediss://") {
            problems.value(
                "cluster.redis_ca",
                &self.redis_ca,
                "nothing, where cluster.redis_url is not rediss://",
            );
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
        Some(ClusterConfig {
            redis,
            redis_ca: redis_ca.map(PathBuf::from),
            prefix: self.redis_prefix.clone(),
        })
    }
}
