//! `rookery doctor`: everything a server needs, looked at without changing anything.
//!
//! One line a check; exit 1 when one fails. A server may be running meanwhile.

mod cql;
mod data_dir;
mod database;
mod migrations;
mod redis;
mod system;

use crate::cli::DoctorArgs;
use crate::exit::Failed;
use crate::output::line;
use crate::settings;
use anyhow::{Context, Result};
use rookery_api::Config;
use rookery_api::config::StoragePlace;
use serde::Serialize;
use std::fmt;

/// The file in the data dir that a running server holds locked: the embedded store's.
const STORE_LOCK: &str = "rookery.lock";

/// The same where the store is elsewhere: the search index's.
const SEARCH_LOCK: &str = "search/lock";

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) name: &'static str,
    pub(crate) detail: String,
}

impl Finding {
    pub(crate) fn ok(name: &'static str, detail: impl fmt::Display) -> Self {
        Self { level: Level::Ok, name, detail: detail.to_string() }
    }

    pub(crate) fn warn(name: &'static str, detail: impl fmt::Display) -> Self {
        Self { level: Level::Warn, name, detail: detail.to_string() }
    }

    pub(crate) fn fail(name: &'static str, detail: impl fmt::Display) -> Self {
        Self { level: Level::Fail, name, detail: detail.to_string() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "[ok]  ",
            Level::Warn => "[warn]",
            Level::Fail => "[fail]",
        };
        write!(f, "{level} {}: {}", self.name, self.detail)
    }
}

/// Runs every check.
pub(crate) fn run(args: &DoctorArgs) -> Result<()> {
    let findings = match settings::load(&args.serve) {
        Err(errors) => vec![Finding::fail("configuration", format!("{errors:#}"))],
        Ok((config, _)) => {
            let mut findings = vec![Finding::ok("configuration", "valid")];
            if config.limits.relaxed {
                findings.push(Finding::warn("limits", "limits.relaxed is on: for tests and benches only"));
            }
            checks(&config, &mut findings)?;
            findings
        }
    };
    let failed = findings.iter().any(|finding| finding.level == Level::Fail);
    if args.json {
        line(serde_json::to_string_pretty(&findings)?)?;
    } else {
        for finding in &findings {
            line(finding)?;
        }
    }
    if failed { Err(Failed.into()) } else { Ok(()) }
}

/// Looks at everything that a configuration names.
fn checks(config: &Config, findings: &mut Vec<Finding>) -> Result<()> {
    let dir = &config.storage.data_dir;
    let state = match &config.storage.place {
        StoragePlace::Embedded => {
            let state = data_dir::look(dir, &dir.join(STORE_LOCK), findings);
            database::look(dir, state, findings);
            state
        }
        StoragePlace::Cql(_) => data_dir::look(dir, &dir.join(SEARCH_LOCK), findings),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("start the runtime")?.block_on(async {
        if let StoragePlace::Cql(cql) = &config.storage.place {
            cql::look(cql, findings).await;
        }
        if let Some(cluster) = &config.cluster {
            findings.push(redis::look(cluster).await);
        }
    });
    findings.push(data_dir::signing_key(dir, config.auth.signing_key.is_some()));
    system::look(config, state, findings);
    Ok(())
}
