//! `rookery migrate`: brings the schema of the store up to date before a server starts on it.

use crate::cli::MigrateArgs;
use crate::output::line;
use crate::{logs, settings, wiring};
use anyhow::{Context, Result};
use rookery_api::config::StoragePlace;
use rookery_store_cql::MigrationState;

/// Migrates, or says what would be.
pub(crate) fn run(args: &MigrateArgs) -> Result<()> {
    let (config, _) = settings::load(&args.serve)?;
    logs::install(&config.log)?;
    let StoragePlace::Cql(cql) = &config.storage.place else {
        return line(
            "The embedded store migrates itself at each start; `rookery doctor` says how it stands.",
        );
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let before = runtime.block_on(rookery_store_cql::migrate(&wiring::cql_options(cql), args.dry_run))?;
    for one in before {
        let state = match one.state {
            MigrationState::Applied => "was applied before",
            _ if args.dry_run => "would be applied",
            _ => "applied",
        };
        line(format_args!("{:04} {}: {state}", one.number, one.name))?;
    }
    Ok(())
}
