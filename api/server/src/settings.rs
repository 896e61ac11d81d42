//! The configuration as this process finds it: file, environment, flags.

use crate::cli::ServeArgs;
use anyhow::Result;
use rookery_api::Config;
use rookery_api::config::{Setting, Sources};

/// Reads and checks the configuration.
pub(crate) fn load(args: &ServeArgs) -> Result<(Config, Vec<Setting>)> {
    Ok(Config::load_with_settings(&sources(args))?)
}

fn sources(args: &ServeArgs) -> Sources {
    let flags = [
        ("server.listen", "--listen", &args.listen),
        ("server.admin_listen", "--admin-listen", &args.admin_listen),
        ("storage.data_dir", "--data-dir", &args.data_dir),
    ];
    Sources {
        file: args.config.clone(),
        // A variable that is not UTF-8 is no setting of ours.
        env: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        flags: flags.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value.clone()?))).collect(),
    }
}
