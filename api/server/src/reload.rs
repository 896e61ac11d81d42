//! SIGHUP: the configuration is read again, and what can change while the server runs changes.

use crate::cli::ServeArgs;
use crate::systemd::Systemd;
use crate::{descriptors, settings, wiring};
use anyhow::{Result, anyhow};
use rookery_api::config::Setting;
use rookery_api::{Config, Edge};
use rookery_engine::SystemRandom;

/// Reads the configuration again when it is told to.
#[derive(Debug)]
pub(crate) struct Reload {
    args: ServeArgs,
    /// What runs.
    running: Vec<Setting>,
}

/// What a reload came to: keys of settings.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    /// Those that were taken over.
    taken: Vec<String>,
    /// Those that are other than what runs, and need a restart.
    waiting: Vec<String>,
}

impl Reload {
    /// Takes where the configuration was read from, and what was read.
    pub(crate) const fn new(args: ServeArgs, running: Vec<Setting>) -> Self {
        Self { args, running }
    }

    /// Reloads once. What cannot be read or is not valid changes nothing.
    pub(crate) fn run(&mut self, edge: &Edge, systemd: &Systemd) {
        systemd.reloading();
        let outcome = self.try_run(edge);
        let metrics = &edge.node().metrics().operation;
        metrics.reloads.of(if outcome.is_ok() { "ok" } else { "failed" }).increment(1);
        metrics.reload_success.set(f64::from(u8::from(outcome.is_ok())));
        match outcome {
            Ok(Changes { taken, waiting }) => {
                tracing::info!(taken = taken.join(" "), "the configuration was reloaded");
                if !waiting.is_empty() {
                    tracing::warn!(
                        keys = waiting.join(" "),
                        "these settings have changed and need a restart"
                    );
                }
                systemd.ready("serving");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the configuration was not reloaded, and nothing has changed");
                systemd.ready("serving; the last reload failed");
            }
        }
    }

    fn try_run(&mut self, edge: &Edge) -> Result<Changes> {
        let (mut config, settings) = settings::load(&self.args)?;
        fit(&mut config)?;
        let keys = wiring::signing_keys(&config, &SystemRandom)?;
        edge.reload(&config).map_err(|error| anyhow!(error))?;
        edge.accounts().use_keys(&keys);
        Ok(adopt(&mut self.running, settings))
    }
}

/// Lets no more connections in than there are file descriptors for.
pub(crate) fn fit(config: &mut Config) -> Result<(), descriptors::TooFew> {
    let (limit, wanted) = (descriptors::limit(), config.server.max_connections);
    let fits = descriptors::fitting(limit, wanted)?;
    if fits < wanted {
        tracing::warn!(
            limit,
            wanted,
            fits,
            "server.max_connections is more than there are file descriptors for (ulimit -n, LimitNOFILE=)"
        );
    }
    config.server.max_connections = fits;
    Ok(())
}

/// Notes in `running` what a reload takes over from `new`, and says what is other.
fn adopt(running: &mut [Setting], new: Vec<Setting>) -> Changes {
    let mut changes = Changes::default();
    for (old, new) in running.iter_mut().zip(new) {
        if old.value == new.value {
            continue;
        }
        if new.reloads {
            changes.taken.push(new.key.clone());
            *old = new;
        } else {
            changes.waiting.push(new.key);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_taken_over_is_said_once_and_what_needs_a_restart_every_time() {
        let setting = |key: &str, value: u64, reloads| Setting {
            key: key.to_owned(),
            value: json!(value),
            origin: "a file".to_owned(),
            reloads,
        };
        let of = |live, fixed| vec![setting("live", live, true), setting("fixed", fixed, false)];
        let mut running = of(1, 1);
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let changes =
            |taken: &[&str], waiting: &[&str]| Changes { taken: keys(taken), waiting: keys(waiting) };
        assert_eq!(adopt(&mut running, of(1, 1)), changes(&[], &[]));
        assert_eq!(adopt(&mut running, of(2, 2)), changes(&["live"], &["fixed"]));
        assert_eq!(adopt(&mut running, of(2, 2)), changes(&[], &["fixed"]));
        assert_eq!(adopt(&mut running, of(1, 1)), changes(&["live"], &[]));
    }
}
