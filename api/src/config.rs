//! The configuration: what an operator wrote, checked into what the server runs on.
//!
//! Raw sections (serde, every field with a default) become checked values; nothing behind this
//! module sees a raw one. Later sources win: defaults, the file, the environment, flags. The
//! environment is an argument, because only the binary reads it.

mod auth;
mod cluster;
mod error;
mod exposed;
mod files;
mod layer;
mod limits;
mod log;
mod mail;
mod providers;
mod retention;
mod schema;
mod server;
mod storage;
mod trace;

pub use auth::AuthConfig;
pub use cluster::ClusterConfig;
pub use error::{ConfigError, ConfigErrors};
pub use files::{BucketConfig, FilesConfig, FilesPlace};
pub use layer::Sources;
pub use limits::LimitsConfig;
pub(crate) use log::is_filter;
pub use log::{LogConfig, LogFormat};
pub use mail::{MailConfig, MailPlace, SmtpConfig, SmtpEncryption};
pub use providers::{ClientAuth, OAuth2Config, ProviderConfig};
pub use retention::RetentionConfig;
pub use schema::json_schema;
pub use server::{ServerConfig, TlsFiles};
pub use storage::{CqlConfig, Replication, StorageConfig, StoragePlace};
pub use trace::TraceConfig;

use auth::RawAuth;
use cluster::RawCluster;
use error::Problems;
use files::RawFiles;
use limits::RawLimits;
use log::RawLog;
use mail::RawMail;
use retention::RawRetention;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use server::RawServer;
use storage::RawStorage;
use trace::RawTrace;

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where and how it listens.
    pub server: ServerConfig,
    /// Where it keeps what must not be lost.
    pub storage: StorageConfig,
    /// Passwords and tokens.
    pub auth: AuthConfig,
    /// Mails.
    pub mail: MailConfig,
    /// Files.
    pub files: FilesConfig,
    /// The servers that this one is one with, if it is not alone.
    pub cluster: Option<ClusterConfig>,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// How long what administration keeps is kept.
    pub retention: RetentionConfig,
    /// What it logs, and how.
    pub log: LogConfig,
    /// Which messages are traced, and who is told, if anybody is.
    pub trace: Option<TraceConfig>,
}

/// One setting as `rookery config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key, `section.name`.
    pub key: String,
    /// Its value; a secret is only said to be set.
    pub value: serde_json::Value,
    /// The file, the variable or the flag that set it, or `default`.
    pub origin: String,
    /// Whether a server that runs takes a change of it over when it reloads.
    pub reloads: bool,
}

/// The Rookery server's settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Rookery configuration")]
struct RawConfig {
    server: RawServer,
    storage: RawStorage,
    auth: RawAuth,
    mail: RawMail,
    files: RawFiles,
    cluster: RawCluster,
    limits: RawLimits,
    retention: RawRetention,
    log: RawLog,
    trace: RawTrace,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every mistake that was found, each with its key, where it stands, what was found and what
    /// is allowed.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        Self::load_with_settings(sources).map(|(config, _)| config)
    }

    /// Reads and checks the configuration, and tells where each setting came from.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with_settings(sources: &Sources) -> Result<(Self, Vec<Setting>), ConfigErrors> {
        let merged = layer::merge(sources)?;
        let raw = merged.raw()?;
        let mut problems = Problems::new(&merged);
        let limits = raw.limits.check(&mut problems);
        let server = raw.server.check(&mut problems);
        let storage = raw.storage.check(&mut problems);
        let auth = raw.auth.check(limits, &mut problems);
        let mail = raw.mail.check(&storage.data_dir, &mut problems);
        raw.auth.check_mail(&mail.place, &mut problems);
        let files = raw.files.check(&storage.data_dir, &mut problems);
        let cluster = raw.cluster.check(
            (&storage.place, &auth),
            (&files.place, raw.files.names_a_folder()),
            &mut problems,
        );
        let trace = raw.trace.check(&mut problems);
        let config = Self {
            server,
            auth,
            mail,
            files,
            cluster,
            storage,
            log: raw.log.check(&mut problems),
            limits,
            retention: raw.retention.check(&mut problems),
            trace,
        };
        exposed::check(&config, &mut problems);
        problems.into_result()?;
        Ok((config, merged.settings(&raw)))
    }

    /// Returns what runs, with what a reload takes over from `new`; everything else needs a restart.
    #[must_use]
    pub fn reloaded(&self, new: &Self) -> Self {
        Self {
            server: self.server.reloaded(&new.server),
            auth: AuthConfig {
                signing_key: new.auth.signing_key.clone(),
                providers: new.auth.providers.clone(),
                ..self.auth.clone()
            },
            log: LogConfig { filter: new.log.filter.clone(), ..self.log.clone() },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
