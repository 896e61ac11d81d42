//! The dashboards: every metric of the catalogue is on a panel, no panel asks for what there is not, and each
//! panel keeps the rules of dashboards (those of Grafana's dashboard-linter).

use super::promql::{Problem, Selector, metrics_outside_of_rates, problems, selectors};
use crate::tidy::tree::Tree;
use rookery_engine::metrics::{CATALOGUE, Kind};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const RULES: &str = "deploy/prometheus/rookery.rules.yml";
const FOLDER: &str = "deploy/grafana/dashboards/";
const PICTURES: &str = "docs/boards/";

/// Units that panels may have: those that `tests/boards/scale.py` can draw.
const UNITS: &[&str] = &["short", "s", "bytes", "binBps", "ops", "reqps", "percentunit", "none"];

/// One dashboard, by the name of its file.
pub(super) struct Board {
    pub(super) name: String,
    json: Value,
}

impl Board {
    fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), json: serde_json::from_str(text).expect("a dashboard is JSON") }
    }

    /// Returns the panels that show something: all but the headings of rows.
    pub(super) fn panels(&self) -> impl Iterator<Item = &Value> {
        self.json["panels"].as_array().into_iter().flatten().filter(|panel| panel["type"] != "row")
    }
}

pub(super) fn boards(tree: &Tree) -> Vec<Board> {
    let files = tree.files(".json").filter_map(|(path, text)| Some((path.strip_prefix(FOLDER)?, text)));
    files.map(|(file, text)| Board::of(file.trim_end_matches(".json"), text)).collect()
}

fn expressions(panel: &Value) -> impl Iterator<Item = &str> {
    panel["targets"].as_array().into_iter().flatten().filter_map(|target| target["expr"].as_str())
}

/// Returns the names that rules record.
pub(super) fn recorded(rules: &str) -> BTreeSet<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).collect()
}

/// Returns the metrics that no panel shows.
fn unseen(boards: &[Board]) -> Vec<&'static str> {
    let seen: BTreeSet<String> = boards
        .iter()
        .flat_map(Board::panels)
        .flat_map(expressions)
        .flat_map(selectors)
        .filter_map(|Selector { metric, .. }| super::promql::row(&metric).map(|row| row.name.to_owned()))
        .collect();
    CATALOGUE.iter().map(|row| row.name).filter(|name| !seen.contains(*name)).collect()
}

/// Returns what is wrong with the expressions of a board.
fn wrong_expressions(board: &Board, recorded: &BTreeSet<&str>) -> Vec<String> {
    let mut findings = Vec::new();
    for panel in board.panels() {
        for expr in expressions(panel) {
            let mut say = |what: String| findings.push(format!("{}: {}: {what}", board.name, panel["title"]));
            for Problem(what) in problems(expr, recorded) {
                say(what);
            }
            for Selector { metric, matchers } in selectors(expr) {
                let chosen = |label: &str| {
                    let wanted = format!("${label}");
                    matchers.iter().any(|(name, op, value)| name == label && op == "=~" && *value == wanted)
                };
                // What is recorded is of a job, not of a server.
                if !chosen("job") || !(chosen("instance") || metric.contains(':')) {
                    say(format!("{metric} is not limited to $job and $instance"));
                }
            }
            for range in expr.split('[').skip(1).filter_map(|rest| rest.split(']').next()) {
                if range != "$__rate_interval" && range != "$__range" {
                    say(format!("[{range}] is not $__rate_interval"));
                }
            }
            for metric in metrics_outside_of_rates(expr) {
                let counter = super::promql::row(&metric).is_some_and(|row| row.kind != Kind::Gauge);
                if counter {
                    say(format!("{metric} only grows, and is shown as it is"));
                }
            }
        }
    }
    findings
}

/// Returns what is wrong with a board beside its expressions.
fn wrong_forms(board: &Board) -> Vec<String> {
    let mut findings = Vec::new();
    let mut say = |what: String| findings.push(format!("{}: {what}", board.name));
    let json = &board.json;
    if json["uid"] != format!("rookery-{}", board.name).as_str() {
        say("its uid is not fixed".to_owned());
    }
    if json["editable"] != false {
        say("it can be edited".to_owned());
    }
    let variables: Vec<_> = json["templating"]["list"].as_array().into_iter().flatten().collect();
    let named: Vec<_> = variables.iter().filter_map(|one| one["name"].as_str()).collect();
    if named != ["datasource", "job", "instance"] {
        say(format!("its variables are {named:?}"));
    }
    for variable in variables.iter().filter(|one| one["type"] == "query") {
        let is_open = variable["multi"] == true && variable["allValue"] == ".+" && variable["refresh"] == 2;
        if !is_open || variable["datasource"]["uid"] != "${datasource}" {
            say(format!("variable {} cannot be several, or all, of what there is", variable["name"]));
        }
    }
    let mut taken = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for panel in board.panels() {
        let title = panel["title"].as_str().unwrap_or_default();
        let told = |field: &str| panel[field].as_str().is_some_and(|text| !text.is_empty());
        if !told("title") || !told("description") || expressions(panel).next().is_none() {
            say(format!("{title:?} has no title, no description or no expression"));
        }
        if !titles.insert(title) {
            say(format!("{title:?} is there twice"));
        }
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        let unit = unit.or(panel["options"]["yAxis"]["unit"].as_str()).unwrap_or_default();
        if !UNITS.contains(&unit) {
            say(format!("{title:?} has the unit {unit:?}"));
        }
        let sources = panel["targets"].as_array().into_iter().flatten().chain([panel]);
        if sources.into_iter().any(|one| one["datasource"]["uid"] != "${datasource}") {
            say(format!("{title:?} has a source of its own"));
        }
        let at = |field: &str| panel["gridPos"][field].as_u64().unwrap_or_default();
        let cells = (at("x")..at("x") + at("w"))
            .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
            .collect::<Vec<_>>();
        if cells.iter().any(|cell| cell.0 >= 24 || !taken.insert(*cell)) {
            say(format!("{title:?} lies on another panel, or outside"));
        }
    }
    findings
}

#[track_caller]
fn expect_none(findings: &[impl std::fmt::Debug]) {
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn every_metric_is_on_a_panel() {
    let boards = boards(&Tree::read());
    assert_eq!(boards.len(), 3);
    expect_none(&unseen(&boards));
}

#[test]
fn a_panel_asks_for_what_there_is() {
    let tree = Tree::read();
    let recorded = recorded(tree.required(RULES));
    let findings: Vec<_> =
        boards(&tree).iter().flat_map(|board| wrong_expressions(board, &recorded)).collect();
    expect_none(&findings);
}

#[test]
fn a_board_keeps_the_rules_of_boards() {
    let findings: Vec<_> = boards(&Tree::read()).iter().flat_map(wrong_forms).collect();
    expect_none(&findings);
}

#[test]
fn the_pictures_show_the_panels_that_there_are() {
    let tree = Tree::read();
    for board in boards(&tree) {
        let picture = tree.required(&format!("{PICTURES}{}.svg", board.name));
        let shown: BTreeSet<_> = picture
            .lines()
            .filter_map(|line| line.strip_prefix("<text class=\"title\"")?.split(['>', '<']).nth(1))
            .map(|title| title.replace("&amp;", "&").replace("&#x27;", "'"))
            .collect();
        let there: BTreeSet<_> =
            board.panels().filter_map(|panel| panel["title"].as_str()).map(str::to_owned).collect();
        assert_eq!(shown, there, "draw {} anew: UPDATE=1 tests/boards/prove", board.name);
    }
}

#[test]
fn what_is_wrong_with_a_board_is_found() {
    let tree = Tree::read();
    let mut boards = boards(&tree);
    let gone: Vec<_> = boards.iter().map(|board| board.json.clone()).collect();
    boards.truncate(1);
    assert!(!unseen(&boards).is_empty(), "two boards are missing");

    let with = |expr: &str| {
        let mut json = gone[0].clone();
        let panels = json["panels"].as_array_mut().expect("it has panels");
        let panel = panels.iter_mut().find(|panel| panel["type"] == "stat").expect("it has a number");
        panel["targets"][0]["expr"] = Value::from(expr);
        wrong_expressions(&Board { name: "bad".to_owned(), json }, &BTreeSet::new()).len()
            - wrong_expressions(&Board { name: "good".to_owned(), json: gone[0].clone() }, &BTreeSet::new())
                .len()
    };
    let chosen = r#"job=~"$job",instance=~"$instance""#;
    assert_eq!(with(&format!("sum(rookery_connections{{{chosen}}})")), 0);
    assert_eq!(with(&format!("sum(rookery_connection{{{chosen}}})")), 1, "no such metric");
    assert_eq!(with(r#"sum(rookery_connections{job=~"$job"})"#), 1, "not limited");
    assert_eq!(with(&format!(r#"rookery_connections{{{chosen},codec="xml"}}"#)), 1, "no such value");
    assert_eq!(with(&format!(r#"rookery_connections{{{chosen},color="json"}}"#)), 1, "no such label");
    assert_eq!(with(&format!("sum by (color) (rookery_connections{{{chosen}}})")), 1, "folded by no label");
    assert_eq!(with(&format!("rate(rookery_connects_total{{{chosen}}}[5m])")), 1, "a fixed range");
    assert_eq!(with(&format!("sum(rookery_connects_total{{{chosen}}})")), 1, "a counter as it is");

    let change = |change: fn(&mut Value)| {
        let mut json = gone[0].clone();
        change(&mut json);
        wrong_forms(&Board { name: boards[0].name.clone(), json }).len()
    };
    assert_eq!(change(|_| {}), 0);
    assert_eq!(change(|json| json["editable"] = Value::from(true)), 1);
    assert_eq!(change(|json| json["uid"] = Value::from("x")), 1);
    assert_eq!(change(|json| json["panels"][1]["description"] = Value::from("")), 1);
    assert_eq!(change(|json| json["panels"][1]["fieldConfig"]["defaults"]["unit"] = Value::Null), 1);
    assert_eq!(change(|json| json["panels"][2]["gridPos"] = json["panels"][1]["gridPos"].clone()), 1);
}
