//! `[auth]`: what passwords and tokens cost and how long they last.

use super::error::Problems;
use super::layer::hidden;
use super::limits::LimitsConfig;
use super::mail::MailPlace;
use super::providers::{self, ProviderConfig};
use crate::accounts::SigningKeys;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The least argon2id memory, with five passes (OWASP Password Storage Cheat Sheet).
const LEAST_MEMORY_KIB: u64 = 7168;

/// The least product of memory and passes among the settings that the same page holds equal.
const LEAST_WORK_KIB: u64 = LEAST_MEMORY_KIB * 5;

/// Passwords and tokens.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// KiB of memory of one argon2id hash.
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    pub argon2_passes: u32,
    /// Threads that hash, and nothing else.
    pub argon2_threads: usize,
    /// How long an access token lasts.
    pub access_token: Duration,
    /// How long a login lasts, however often it is refreshed.
    pub refresh_token: Duration,
    /// How long a login lasts that nobody refreshes.
    pub login_idle: Duration,
    /// The Ed25519 keys that sign access tokens, a line each. None: those in the data dir.
    pub signing_key: Option<SecretString>,
    /// Whether somebody who has not confirmed its e-mail address may not log in.
    pub verify_email: bool,
    /// Whose identities log in here, by their names in paths.
    pub providers: BTreeMap<String, ProviderConfig>,
}

/// Passwords and tokens.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAuth {
    /// KiB of memory of one argon2id hash; memory times passes is at least 35840 unless `limits.relaxed`.
    #[schemars(range(min = 8, max = 1_048_576))]
    argon2_memory_kib: u64,
    /// Passes over that memory.
    #[schemars(range(min = 1, max = 16))]
    argon2_passes: u64,
    /// Threads that hash, and nothing else; 0 takes half of the cores.
    #[schemars(range(min = 0, max = 64))]
    argon2_threads: u64,
    /// Minutes that an access token lasts.
    #[schemars(range(min = 1, max = 60))]
    access_token_minutes: u64,
    /// Days that a login lasts, however often it is refreshed.
    #[schemars(range(min = 1, max = 365))]
    refresh_token_days: u64,
    /// Days that a login lasts that nobody refreshes; as long as `auth.refresh_token_days` at most.
    #[schemars(range(min = 1, max = 365))]
    login_idle_days: u64,
    /// The Ed25519 keys that sign access tokens: 32 random bytes in base64 and, on a line each, those that follow. When absent, one is made and kept in the data dir.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true, "x-reload" = true))]
    signing_key: Option<SecretString>,
    /// Lets nobody log in who has not confirmed its e-mail address; mails must go somewhere then.
    verify_email: bool,
    /// A TOML file of the providers whose identities log in here; empty: none do.
    #[schemars(extend("x-reload" = true))]
    providers: String,
}

impl Default for RawAuth {
    fn default() -> Self {
        Self {
            argon2_memory_kib: 19_456,
            argon2_passes: 2,
            argon2_threads: 0,
            access_token_minutes: 10,
            refresh_token_days: 30,
            login_idle_days: 30,
            signing_key: None,
            verify_email: false,
            providers: String::new(),
        }
    }
}

impl RawAuth {
    pub(super) fn check(&self, limits: LimitsConfig, problems: &mut Problems<'_>) -> AuthConfig {
        let least_memory = if limits.relaxed { 8 } else { LEAST_MEMORY_KIB };
        let memory =
            problems.number("auth.argon2_memory_kib", self.argon2_memory_kib, least_memory, 1_048_576);
        let passes = problems.number("auth.argon2_passes", self.argon2_passes, 1, 16);
        if !limits.relaxed && memory * passes < LEAST_WORK_KIB {
            let allowed = format!("memory times passes of at least {LEAST_WORK_KIB}");
            problems.value("auth.argon2_memory_kib", format_args!("{memory} with {passes} passes"), allowed);
        }
        let threads = problems.number("auth.argon2_threads", self.argon2_threads, 0, 64);
        let minutes = problems.number("auth.access_token_minutes", self.access_token_minutes, 1, 60);
        let days = problems.number("auth.refresh_token_days", self.refresh_token_days, 1, 365);
        let idle = problems.number("auth.login_idle_days", self.login_idle_days, 1, 365);
        if let Some(key) = &self.signing_key
            && SigningKeys::parse(key.expose_secret()).is_err()
        {
            let allowed = "32 bytes in base64, as `openssl rand -base64 32` prints them, or lines as `rookery keys` writes them";
            problems.value("auth.signing_key", "(a secret)", allowed);
        }
        AuthConfig {
            argon2_memory_kib: u32::try_from(memory).unwrap_or(u32::MAX),
            argon2_passes: u32::try_from(passes).unwrap_or(u32::MAX),
            argon2_threads: threads_or_half(threads),
            access_token: Duration::from_secs(minutes * 60),
            refresh_token: Duration::from_secs(days * 24 * 60 * 60),
            login_idle: Duration::from_secs(idle * 24 * 60 * 60),
            signing_key: self.signing_key.clone(),
            verify_email: self.verify_email,
            providers: providers::read(&self.providers, problems),
        }
    }
}

impl RawAuth {
    /// Refuses to wait for mails that go nowhere.
    pub(super) fn check_mail(&self, place: &MailPlace, problems: &mut Problems<'_>) {
        if self.verify_email && matches!(place, MailPlace::Nowhere) {
            problems.value("auth.verify_email", self.verify_email, "false, where mail.transport is none");
        }
    }
}

/// Half of the cores, so that a burst of logins leaves the other half to those who chat.
fn threads_or_half(threads: u64) -> usize {
    match usize::try_from(threads) {
        Ok(0) | Err(_) => {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            (cores / 2).max(1)
        }
        Ok(threads) => threads,
    }
}
