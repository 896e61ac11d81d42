//! What was played, and the code that was measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use uuid::Uuid;

/// What was played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `fanout`, `idle`, or the name in a scenario's file. Runs of different names are not compared.
    pub name: String,
    /// Everything that was chosen, defaults included: two runs with the same are repetitions.
    pub parameters: BTreeMap<String, Value>,
    /// [`config_hash`] of the parameters and of the server's configuration.
    pub config_hash: String,
}

/// Returns a name for a choice of parameters and a server's configuration: the same for the same.
///
/// A UUIDv5 of both as text, so it says nothing of what is in them.
pub fn config_hash(parameters: &BTreeMap<String, Value>, server_config: &str) -> String {
    let parameters = Value::Object(parameters.clone().into_iter().collect());
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{parameters}\n{server_config}").as_bytes()).to_string()
}

/// The code that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The commit of the work tree; `None` where there is none, or no git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether something was changed since, so that the commit does not say what was measured.
    #[serde(default)]
    pub is_dirty: bool,
}

impl Source {
    /// Returns what git says of the work tree that `folder` is in.
    pub fn of(folder: &Path) -> Self {
        let git = |args: &[&str]| {
            let output = Command::new("git").arg("-C").arg(folder).args(args).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let commit = git(&["rev-parse", "HEAD"]);
        // A run that is being written beside the code changes nothing that is measured.
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
        Self { is_dirty: commit.is_some() && changed.is_none_or(|files| !files.is_empty()), commit }
    }
}
