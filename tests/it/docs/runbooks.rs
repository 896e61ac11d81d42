//! Alerts and runbooks: one page an alert, which names only what there is: panels, commands, metrics, settings,
//! lines of the log; and for each alert a case in which it fires and one in which it does not.

use super::boards::{Board, RULES, boards, recorded};
use super::promql::{Problem, problems};
use crate::tidy::tree::{Tree, ticked};
use rookery_api::config::{Config, Sources};
use rookery_tests::server::rookery;
use std::collections::{BTreeMap, BTreeSet};

const PAGES: &str = "docs/runbooks/";
const CASES: &str = "tests/boards/rules/";
const SECTIONS: &[&str] = &["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"];
const SEVERITIES: &[&str] = &["critical", "warning", "info"];

/// Returns the text of each alert, by its name.
fn alerts(rules: &str) -> BTreeMap<&str, &str> {
    let rest = rules.split("- alert: ").skip(1);
    rest.map(|text| text.split("- record: ").next().unwrap_or(text))
        .filter_map(|text| text.split_once('\n'))
        .map(|(name, text)| (name.trim(), text.split("\n  - name: ").next().unwrap_or(text)))
        .collect()
}

fn field<'a>(alert: &'a str, name: &str) -> &'a str {
    let line = alert.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default().trim_matches('"')
}

/// Returns what an alert does not tell, and what it tells of what there is not.
fn wrong_alerts(rules: &str, boards: &[Board]) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, alert) in alerts(rules) {
        let mut say = |what: &str| findings.push(format!("{name}: {what}"));
        let severity = field(alert, "labels").trim_matches(['{', '}']);
        if !severity.strip_prefix("severity: ").is_some_and(|severity| SEVERITIES.contains(&severity)) {
            say("its severity is none");
        }
        if ["summary", "description"].iter().any(|what| field(alert, what).is_empty()) {
            say("it has no summary or no description");
        }
        if !field(alert, "runbook_url").ends_with(&format!("/runbooks/{name}.md")) {
            say("its runbook is another one's");
        }
        let board = field(alert, "dashboard_url").rsplit("/d/rookery-").next().unwrap_or_default();
        if !boards.iter().any(|one| one.name == board) {
            say("it leads to no dashboard");
        }
    }
    findings
}

/// Returns the expressions of all rules.
fn expressions(rules: &str) -> Vec<String> {
    let mut expressions = Vec::new();
    for rule in rules.split("expr: ").skip(1) {
        let ends = ["\n      - ", "\n        for:", "\n        labels:", "\n  - name:", "\n\n"];
        let end = ends.iter().filter_map(|end| rule.find(end)).min().unwrap_or(rule.len());
        expressions
            .push(rule[..end].trim_start_matches('|').split_whitespace().collect::<Vec<_>>().join(" "));
    }
    expressions
}

/// What a page may name.
struct Known {
    settings: BTreeSet<String>,
    panels: BTreeSet<String>,
    code: String,
}

impl Known {
    fn of(tree: &Tree) -> Self {
        let (_, settings) = Config::load_with_settings(&Sources::default()).expect("the defaults hold");
        let panels = boards(tree).into_iter().flat_map(|board| {
            let titles: Vec<_> = board.panels().filter_map(|panel| panel["title"].as_str()).collect();
            titles.into_iter().map(|title| format!("{}: {title}", board.name)).collect::<Vec<_>>()
        });
        Self {
            settings: settings.iter().map(|setting| setting.key.clone()).collect(),
            panels: panels.collect(),
            code: tree
                .files(".rs")
                .filter(|(path, _)| !path.starts_with("tests/"))
                .map(|(_, text)| text)
                .collect(),
        }
    }

    /// Returns what a page names and nobody has.
    fn missing(&self, page: &str) -> Vec<String> {
        let mut findings = Vec::new();
        let text = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in ticked(&text) {
            let section = name.split('.').next().unwrap_or_default();
            let is_setting = self.settings.iter().any(|key| key.split('.').next() == Some(section));
            let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._".contains(letter));
            let is_file = [".db", ".key"].iter().any(|end| name.ends_with(end));
            if is_setting && is_plain && name.contains('.') && !is_file && !self.settings.contains(name) {
                findings.push(format!("there is no setting {name}"));
            }
            if name.starts_with("rookery_") {
                findings.extend(problems(name, &BTreeSet::new()).into_iter().map(|Problem(what)| what));
            }
            if let Some(said) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
                && !self.code.contains(&format!("\"{said}"))
            {
                findings.push(format!("the log never says {name}"));
            }
        }
        let named = text.split("**").skip(1).step_by(2).filter(|name| name.contains(": "));
        findings.extend(
            named.filter(|name| !self.panels.contains(*name)).map(|name| format!("there is no panel {name}")),
        );
        findings
    }
}

/// Returns the commands of `rookery` that a page names, without what is put in.
fn commands(page: &str) -> BTreeSet<Vec<String>> {
    let text = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let named = ticked(&text).into_iter().filter_map(|name| name.strip_prefix("rookery "));
    named.map(|rest| rest.split(' ').map(str::to_owned).collect()).collect()
}

/// Returns whether the binary has a command with these flags; words in capitals and numbers are put in.
fn is_command(words: &[String]) -> bool {
    let is_verb = |word: &&String| word.chars().all(|letter| letter.is_ascii_lowercase());
    let verbs: Vec<_> = words.iter().take_while(is_verb).collect();
    let help = rookery().args(&verbs).arg("--help").output().expect("the binary runs");
    let said = String::from_utf8_lossy(&help.stdout).into_owned();
    let mut flags = words.iter().filter(|word| word.starts_with("--"));
    help.status.success()
        && flags.all(|flag| said.contains(&format!("{flag} ")) || said.contains(&format!("{flag}\n")))
}

#[test]
fn every_alert_tells_what_it_is_and_where_to_look() {
    let tree = Tree::read();
    let findings = wrong_alerts(tree.required(RULES), &boards(&tree));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn rules_ask_for_what_there_is() {
    let tree = Tree::read();
    let rules = tree.required(RULES);
    let (expressions, recorded) = (expressions(rules), recorded(rules));
    assert_eq!(expressions.len(), alerts(rules).len() + recorded.len());
    let findings: Vec<_> = expressions
        .iter()
        .flat_map(|expr| {
            problems(expr, &recorded).into_iter().map(move |Problem(what)| format!("{what} in {expr}"))
        })
        .collect();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let tree = Tree::read();
    let alerts: BTreeSet<_> = alerts(tree.required(RULES)).into_keys().collect();
    let pages: BTreeSet<_> = tree
        .files(".md")
        .filter_map(|(path, _)| path.strip_prefix(PAGES)?.strip_suffix(".md"))
        .filter(|name| *name != "README")
        .collect();
    assert_eq!(alerts, pages);
    for name in pages {
        let page = tree.required(&format!("{PAGES}{name}.md"));
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings[0], format!("# {name}"));
        assert_eq!(headings[1..], *SECTIONS, "{name}");
        let index = tree.required(&format!("{PAGES}README.md"));
        assert!(index.contains(&format!("[{name}]({name}.md)")), "{PAGES}README.md does not list {name}");
    }
}

#[test]
fn a_page_names_what_there_is() {
    let tree = Tree::read();
    let known = Known::of(&tree);
    let pages: Vec<_> = tree.files(".md").filter(|(path, _)| path.starts_with(PAGES)).collect();
    let mut findings: Vec<_> = pages
        .iter()
        .flat_map(|(path, page)| known.missing(page).into_iter().map(move |what| format!("{path}: {what}")))
        .collect();
    let commands: BTreeSet<_> = pages.iter().flat_map(|(_, page)| commands(page)).collect();
    let wrong = commands.iter().filter(|words| !is_command(words));
    findings.extend(wrong.map(|words| format!("there is no command {}", words.join(" "))));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_does_not() {
    let tree = Tree::read();
    let cases: String =
        tree.files(".yml").filter(|(path, _)| path.starts_with(CASES)).map(|(_, text)| text).collect();
    for name in alerts(tree.required(RULES)).keys() {
        let case = cases.split(&format!("\n  # {name}: ")).nth(1).unwrap_or_default();
        let case = case.split("\n  # ").next().unwrap_or_default();
        let is_silent = case.contains("exp_samples: []") || case.contains("exp_alerts: []");
        let fires = case
            .contains(&format!("exp_samples: [{{labels: '{{alertname=\"{name}\"}}', value: 1}}]"))
            || case.contains("- exp_labels:");
        assert!(is_silent && fires, "{name} has no such cases in {CASES}");
    }
}

#[test]
fn what_is_wrong_with_an_alert_or_a_page_is_found() {
    let tree = Tree::read();
    let rules = tree.required(RULES);
    let wrong = |from: &str, to: &str| wrong_alerts(&rules.replace(from, to), &boards(&tree)).len();
    assert_eq!(wrong("runbooks/BusDown.md", "runbooks/Other.md"), 1);
    assert_eq!(wrong("{severity: info}", "{severity: loud}"), 1);
    assert_eq!(wrong("summary: No server answers", "note: No server answers"), 1);
    assert_ne!(wrong("/d/rookery-engine", "/d/rookery-motor"), 0);

    let known = Known::of(&tree);
    let good = "`server.max_connections` **engine: Append** `rookery_connections` `\"actor failed\"` `rookery doctor`";
    assert!(known.missing(good).is_empty(), "{:?}", known.missing(good));
    let bad = "`server.max_connection` **engine: Appends** `rookery_connection` `\"actor fell\"`";
    assert_eq!(known.missing(bad).len(), 4);
    let words = |command: &str| command.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(is_command(&words("admin rooms ROOM --limit 5")));
    assert!(!is_command(&words("admin halt")) && !is_command(&words("doctor --deep")));
}
