//! The embedded database: its schema's version, and whether SQLite finds it whole.

use super::Finding;
use super::data_dir::State;
use super::migrations::{self, Standing};
use rookery_store_sqlite::{MigrationState, migrations_status, quick_check, search_status};
use std::path::Path;

/// Looks at the database; a server that uses it is not disturbed.
pub(super) fn look(dir: &Path, state: State, findings: &mut Vec<Finding>) {
    if !dir.join("rookery.db").exists() {
        findings.push(Finding::ok("database", "is made at the first start"));
        return;
    }
    findings.push(schema(dir));
    findings.push(whole(dir, state));
    findings.push(search(dir));
}

fn schema(dir: &Path) -> Finding {
    let all = match migrations_status(dir) {
        Ok(all) => all,
        Err(error) => return Finding::fail("migrations", error),
    };
    let standing = |state: MigrationState| match state {
        MigrationState::Applied { .. } => Standing::Applied,
        MigrationState::Pending => Standing::Pending,
        MigrationState::Changed => Standing::Changed,
        MigrationState::Unknown => Standing::Unknown,
    };
    let all = all.iter().map(|one| (standing(one.state), one.number, one.name.as_str()));
    migrations::judge(&all.collect::<Vec<_>>())
}

fn whole(dir: &Path, state: State) -> Finding {
    const NAME: &str = "database";
    match quick_check(dir) {
        Ok(wrong) if wrong.is_empty() && state == State::InUse => Finding::ok(NAME, "whole (while in use)"),
        Ok(wrong) if wrong.is_empty() => Finding::ok(NAME, "whole"),
        Ok(wrong) => Finding::fail(NAME, wrong.join("; ")),
        Err(error) => Finding::fail(NAME, error),
    }
}

fn search(dir: &Path) -> Finding {
    const NAME: &str = "search index";
    match search_status(dir) {
        Ok(None) => Finding::ok(NAME, "is made at the next start"),
        Ok(Some(status)) if !status.is_usable => {
            Finding::warn(NAME, "of another version or another database: the next start makes it anew")
        }
        Ok(Some(status)) => {
            Finding::ok(NAME, format!("up to event {}, {} behind", status.position, status.behind))
        }
        Err(error) => Finding::warn(NAME, format!("{error}: the next start makes it anew")),
    }
}
