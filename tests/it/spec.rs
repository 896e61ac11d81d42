//! The descriptions of the interface for programs: made of the route table and of the table of ops,
//! compared with what is checked in, and checked against what the server says.

mod asyncapi;
mod examples;
mod live;
mod openapi;
mod references;
mod schemas;

pub(crate) use asyncapi::events;
pub(crate) use schemas::Schemas;

use std::path::PathBuf;

/// Whether generated files are to be written anew and not compared.
#[expect(clippy::disallowed_methods, reason = "what a test is asked for comes by the environment")]
pub(crate) fn is_update() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

/// Compares `schemas/NAME` with what the code makes now, or writes it.
#[track_caller]
fn expect_up_to_date(name: &str, document: &serde_json::Value) {
    let mut now = serde_json::to_string_pretty(document).expect("a document is JSON");
    now.push('\n');
    expect_file(&format!("schemas/{name}"), &now);
}

/// Compares a file of the tree with what it has to be now, or writes it.
#[track_caller]
pub(crate) fn expect_file(path: &str, now: &str) {
    let file = PathBuf::from(crate::tidy::tree::ROOT).join(path);
    if is_update() {
        // In one step: other tests read the tree at the same time.
        let new = file.with_extension("tmp");
        std::fs::write(&new, now).expect("write the file");
        std::fs::rename(&new, &file).expect("replace the file");
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == now,
        "{path} is not what the code says: UPDATE=1 cargo test -p rookery-tests --test it writes it anew"
    );
}
