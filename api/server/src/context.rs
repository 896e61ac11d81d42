//! Kept logins: a file that lets nobody retype a URL or a password.
//!
//! `$XDG_CONFIG_HOME/rookery/contexts.json`, mode 0600, written whole or not at all. Every change
//! happens under a lock, because two terminals share one refresh token and using it twice would
//! end the login.

use anyhow::{Context as _, Result, anyhow, bail};
use rookery_client::Tokens;
use rookery_engine::{Clock, SystemClock};
use rookery_protocol::{SessionId, Timestamp, User};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Seconds that stand for ever: ten years.
pub(crate) const LASTS_FOR_EVER: u64 = 315_360_000;

/// All kept logins.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Contexts {
    /// The one that is used when none is named.
    pub(crate) current: Option<String>,
    pub(crate) logins: BTreeMap<String, KeptLogin>,
}

/// One login at one server.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptLogin {
    pub(crate) url: String,
    pub(crate) user: User,
    pub(crate) session: SessionId,
    pub(crate) access_token: String,
    pub(crate) access_expires_at: Timestamp,
    pub(crate) refresh_token: String,
}

/// The file, locked until dropped: nobody else reads or writes it meanwhile.
#[derive(Debug)]
pub(crate) struct ContextFile {
    path: PathBuf,
    _lock: File,
    pub(crate) contexts: Contexts,
}

impl ContextFile {
    /// Locks and reads the file; one that is absent holds nothing.
    pub(crate) fn lock() -> Result<Self> {
        let dir = folder()?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .with_context(|| format!("make {}", dir.display()))?;
        let path = dir.join("contexts.json");
        let lock = private().open(dir.join("contexts.lock")).context("open the lock of the kept logins")?;
        flock(&lock, FlockOperation::LockExclusive).context("lock the kept logins")?;
        let contexts = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contexts::default(),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        Ok(Self { path, _lock: lock, contexts })
    }

    /// Writes beside the place and renames.
    pub(crate) fn save(&self) -> Result<()> {
        let write = || -> io::Result<()> {
            let beside = self.path.with_extension("json.new");
            let mut file = private().truncate(true).open(&beside)?;
            file.write_all(&serde_json::to_vec_pretty(&self.contexts)?)?;
            file.sync_all()?;
            std::fs::rename(&beside, &self.path)
        };
        write().with_context(|| format!("write {}", self.path.display()))
    }
}

impl KeptLogin {
    /// Returns what is kept of a login at the server `url`.
    pub(crate) fn new(url: String, tokens: Tokens) -> Result<Self> {
        let lasts = i64::try_from(tokens.expires_in).context("keep the login: it has no end")?;
        Ok(Self {
            url,
            access_expires_at: SystemClock::new().now().plus_millis(lasts.saturating_mul(1000)),
            refresh_token: tokens.refresh_token.context("keep the login: it has no refresh token")?,
            access_token: tokens.access_token,
            session: tokens.session,
            user: tokens.user,
        })
    }
}

impl Contexts {
    /// Forgets the login `name`.
    pub(crate) fn forget(&mut self, name: &str) {
        self.logins.remove(name);
        self.current = self.current.take().filter(|current| current != name);
    }

    /// Finds the name to act under: the one given, `ROOKERY_CONTEXT`, or the current one.
    pub(crate) fn name(&self, given: Option<&str>) -> Result<String> {
        let of_environment = std::env::var_os("ROOKERY_CONTEXT").and_then(|name| name.into_string().ok());
        let name = given.map(str::to_owned).or(of_environment).or_else(|| self.current.clone());
        let name =
            name.ok_or_else(|| anyhow!("find a login: `rookery register` or `rookery login` first"))?;
        if !self.logins.contains_key(&name) {
            let known: Vec<_> = self.logins.keys().map(String::as_str).collect();
            bail!(
                "find the login {name}; there is {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
        }
        Ok(name)
    }
}

impl std::fmt::Debug for KeptLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptLogin").field("url", &self.url).field("user", &self.user).finish_non_exhaustive()
    }
}

/// The server that a command without a kept login speaks to.
pub(crate) fn url(given: Option<&str>) -> String {
    given_or_set(given, "ROOKERY_URL", "http://127.0.0.1:7080")
}

/// Returns the server's admin listener that was given, or that of the environment, or the one of this machine.
pub(crate) fn admin_url(given: Option<&str>) -> String {
    given_or_set(given, "ROOKERY_ADMIN_URL", "http://127.0.0.1:7081")
}

/// Returns where the key is that shows who operates a server.
pub(crate) fn admin_key(given: Option<&Path>) -> PathBuf {
    let given = given.map(|path| path.to_string_lossy().into_owned());
    given_or_set(given.as_deref(), "ROOKERY_ADMIN_KEY", "./data/signing.key").into()
}

fn given_or_set(given: Option<&str>, name: &str, otherwise: &str) -> String {
    let of_environment = || std::env::var_os(name).and_then(|url| url.into_string().ok());
    given.map(str::to_owned).or_else(of_environment).unwrap_or_else(|| otherwise.to_owned())
}

fn folder() -> Result<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|home| home.join(".config")));
    Ok(config.context("find the folder of kept logins: HOME is not set")?.join("rookery"))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}
