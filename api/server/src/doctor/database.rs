//! The database: its schema's version, and whether SQLite finds it whole.

use super::Finding;
use super::data_dir::State;
use rookery_store_sqlite::{MigrationState, MigrationStatus, migrations_status, quick_check, search_status};
use std::path::Path;

/// Looks at the database; a server that uses it is not disturbed.
pub(super) fn look(dir: &Path, state: State, findings: &mut Vec<Finding>) {
    if !dir.join("rookery.db").exists() {
        findings.push(Finding::ok("database", "is made at the first start"));
        return;
    }
    findings.push(migrations(dir));
    findings.push(whole(dir, state));
    findings.push(search(dir));
}

fn migrations(dir: &Path) -> Finding {
    const NAME: &str = "migrations";
    let all = match migrations_status(dir) {
        Ok(all) => all,
        Err(error) => return Finding::fail(NAME, error),
    };
    let named = |wanted: MigrationState| {
        let wrong: Vec<String> = all
            .iter()
            .filter(|one| one.state == wanted)
            .map(|one| format!("{:04}_{}", one.number, one.name))
            .collect();
        wrong.join(", ")
    };
    let is = |one: &MigrationStatus, state: MigrationState| one.state == state;
    if all.iter().any(|one| is(one, MigrationState::Changed)) {
        return Finding::fail(NAME, format!("applied with other text: {}", named(MigrationState::Changed)));
    }
    if all.iter().any(|one| is(one, MigrationState::Unknown)) {
        return Finding::fail(NAME, format!("of a newer version: {}", named(MigrationState::Unknown)));
    }
    if all.iter().any(|one| is(one, MigrationState::Pending)) {
        return Finding::ok(NAME, format!("the next start applies {}", named(MigrationState::Pending)));
    }
    Finding::ok(NAME, format!("all {} applied", all.len()))
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
