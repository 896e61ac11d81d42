//! The tables of the pages, row by row against the code.

use crate::tidy::tree::{Tree, table, ticked};
use rookery_api::config::{Config, Sources};
use rookery_api::route_infos;
use rookery_engine::metrics::{CATALOGUE, Kind};
use rookery_protocol::{CloseCode, ErrorCode, limits};
use std::collections::BTreeSet;

const OPERATING: &str = "docs/OPERATING.md";
const CONNECTION: &str = "docs/protocol/connection.md";
const ERRORS: &str = "docs/protocol/errors.md";
const HTTP: &str = "docs/protocol/http.md";

/// Fails with what only one side has.
#[track_caller]
fn expect_same(written: &BTreeSet<String>, there: &BTreeSet<String>) {
    let only_written: Vec<_> = written.difference(there).collect();
    let only_there: Vec<_> = there.difference(written).collect();
    assert!(!there.is_empty(), "the code has none");
    assert!(
        only_written.is_empty() && only_there.is_empty(),
        "written and not in the code: {only_written:#?}\nin the code and not written: {only_there:#?}"
    );
}

/// Joins the first backticked words of the first cells of each row, so that rows can be compared.
fn rows(page: &str, heading: &str, columns: usize) -> BTreeSet<String> {
    let tree = Tree::read();
    let plain = |cell: &&str| ticked(cell).first().copied().unwrap_or(cell).to_owned();
    table(tree.required(page), heading)
        .iter()
        .map(|row| row.iter().take(columns).map(plain).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_metric_is_described_with_its_type() {
    let kind = |kind| match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let there = CATALOGUE.iter().map(|row| format!("{} {}", row.name, kind(row.kind))).collect();
    expect_same(&rows(OPERATING, "## Metrics", 2), &there);
}

#[test]
fn every_label_of_a_metric_is_named() {
    let tree = Tree::read();
    let table = table(tree.required(OPERATING), "## Metrics");
    for row in CATALOGUE {
        let written = table.iter().find(|cells| ticked(cells[0]) == [row.name]);
        let words = written.map(|cells| ticked(cells[2])).unwrap_or_default();
        for label in row.labels {
            assert!(words.contains(label), "{} has the label {label}, which its row does not name", row.name);
        }
    }
}

#[test]
fn every_setting_is_described_with_its_default() {
    let (_, settings) = Config::load_with_settings(&Sources::default()).expect("the defaults hold");
    let there = settings.iter().map(|setting| format!("{} {}", setting.key, setting.value)).collect();
    expect_same(&rows(OPERATING, "## Settings", 2), &there);
}

#[test]
fn every_route_is_described() {
    let tree = Tree::read();
    let written = table(tree.required(HTTP), "## Routes")
        .iter()
        .flat_map(|row| ticked(row[0]))
        .map(str::to_owned)
        .collect();
    let there = route_infos()
        .filter(|route| route.is_public && route.path != "/v1/ws")
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    expect_same(&written, &there);
}

#[test]
fn every_error_code_is_described_with_its_status_and_whether_to_try_again() {
    let there = ErrorCode::ALL
        .iter()
        .map(|code| {
            let again = if code.retryable() { "yes" } else { "no" };
            format!("{} {} {again}", code.as_str(), code.http_status())
        })
        .collect();
    expect_same(&rows(ERRORS, "## Errors", 3), &there);
}

#[test]
fn every_close_code_is_described_with_whether_to_come_back() {
    let tree = Tree::read();
    let written = table(tree.required(ERRORS), "## Close codes")
        .iter()
        .map(|row| {
            let back = row[2].split(',').next().unwrap_or_default();
            format!("{} {} {back}", row[0], ticked(row[1]).concat())
        })
        .collect();
    let there = CloseCode::ALL
        .iter()
        .filter(|code| code.as_u16() >= 4000)
        .map(|code| {
            let back = if code.reconnect() { "yes" } else { "no" };
            format!("{} {} {back}", code.as_u16(), code.reason())
        })
        .collect();
    expect_same(&written, &there);
}

#[test]
fn the_limits_are_those_of_the_code() {
    let there = [
        ("frame_bytes", limits::FRAME_BYTES),
        ("text_bytes", limits::TEXT_BYTES),
        ("batch", limits::BATCH_COMMANDS),
        ("in_flight", limits::IN_FLIGHT),
        ("open_rooms", limits::OPEN_ROOMS),
        ("page", limits::PAGE),
        ("replay", limits::REPLAY),
    ];
    let there = there.iter().map(|(name, value)| format!("{name} {value}")).collect();
    expect_same(&rows(CONNECTION, "### Limits", 2), &there);
}
