//! Rules for the pages: the map of the project, the decisions, the changes.

use super::expect_clean;
use super::tree::{Tree, table, ticked};
use std::collections::BTreeSet;

/// How deep the map goes: `tests/it` has a line, what is in it has not.
const MAP_DEPTH: usize = 2;

/// What every decision tells.
const DECISION_PARTS: &[&str] =
    &["## Context", "## Choice", "## Alternatives", "## Price", "## What would change our mind"];

fn off_the_map(tree: &Tree) -> Vec<String> {
    let drawn: BTreeSet<&str> = table(tree.required("docs/project.md"), "## Folders")
        .iter()
        .flat_map(|row| ticked(row[0]))
        .map(|folder| folder.trim_end_matches('/'))
        .collect();
    let there: BTreeSet<&str> = tree
        .folders()
        .filter(|folder| folder.split('/').count() <= MAP_DEPTH && !folder.ends_with("/src"))
        .collect();
    let mut findings: Vec<String> =
        there.difference(&drawn).map(|folder| format!("{folder} is not in docs/project.md")).collect();
    findings.extend(
        drawn.difference(&there).map(|folder| format!("{folder} is in docs/project.md and not in the tree")),
    );
    findings
}

fn decisions(tree: &Tree) -> Vec<String> {
    let index = tree.required("docs/adr/README.md");
    let mut findings = Vec::new();
    let pages = tree.files(".md").filter(|(path, _)| path.starts_with("docs/adr/0"));
    for (number, (path, text)) in (1..).zip(pages) {
        let file = path.trim_start_matches("docs/adr/");
        let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
        if !file.starts_with(&format!("{number:04}-")) {
            findings.push(format!("{path} is not number {number:04}"));
        }
        if !title.starts_with(&file[..4]) {
            findings.push(format!("{path} does not open with its number: `# {} …`", &file[..4]));
        }
        if !index.contains(&format!("[{title}]({file})")) {
            findings.push(format!("docs/adr/README.md does not list [{title}]({file})"));
        }
        let missing = DECISION_PARTS.iter().filter(|part| !text.lines().any(|line| line == **part));
        findings.extend(missing.map(|part| format!("{path} has no \"{part}\"")));
    }
    findings
}

fn unreleased(changelog: &str) -> Vec<String> {
    let first = changelog.lines().find(|line| line.starts_with("## "));
    if first == Some("## [Unreleased]") {
        Vec::new()
    } else {
        vec!["CHANGELOG.md does not begin with [Unreleased]".to_owned()]
    }
}

fn said_twice(glossary: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    table_words(glossary)
        .filter(|word| !seen.insert(*word))
        .map(|word| format!("{word} is in docs/GLOSSARY.md twice: one word, one meaning"))
        .collect()
}

/// Returns the first cell of every row of every table of a page, headers left out.
fn table_words(page: &str) -> impl Iterator<Item = &str> {
    let headings = page.lines().filter(|line| line.starts_with("## "));
    headings.flat_map(|heading| table(page, heading)).map(|row| row[0])
}

fn unweighed(roadmap: &str) -> Vec<String> {
    let headings = roadmap.lines().filter(|line| line.starts_with("## "));
    headings
        .flat_map(|heading| table(roadmap, heading))
        .filter(|row| {
            let [_, weights @ .., state] = &row[..] else { return true };
            let is_weighed =
                weights.len() == 4 && weights.iter().all(|weight| ["0", "1", "2", "3"].contains(weight));
            !is_weighed || !["done", "now", "next"].contains(state)
        })
        .map(|row| format!("docs/roadmap.md: \"{}\" needs four weights from 0 to 3 and a state", row[0]))
        .collect()
}

#[test]
fn the_map_shows_every_folder_and_no_other() {
    expect_clean("docs/project.md", &off_the_map(&Tree::read()));
    let map = "## Folders\n| folder | what |\n|---|---|\n| `docs/` | words |\n| `gone/` | nothing |\n";
    let tree =
        Tree::of(&[("docs/project.md", map), ("api/src/http/login.rs", ""), ("tests/it/tidy/a.rs", "")]);
    assert_eq!(off_the_map(&tree).len(), 4, "api, tests, tests/it and gone");
}

#[test]
fn every_decision_is_in_the_index_and_whole() {
    expect_clean("docs/adr", &decisions(&Tree::read()));
    let whole = format!("# 0001 A\n{}\n", DECISION_PARTS.join("\n"));
    let index = "[0001 A](0001-a.md)";
    let good = Tree::of(&[("docs/adr/README.md", index), ("docs/adr/0001-a.md", &whole)]);
    assert!(decisions(&good).is_empty());
    let bad = Tree::of(&[("docs/adr/README.md", index), ("docs/adr/0003-b.md", "# B\n## Context\n")]);
    assert_eq!(decisions(&bad).len(), 3 + DECISION_PARTS.len() - 1);
}

#[test]
fn the_changes_begin_with_what_is_not_released() {
    expect_clean("CHANGELOG.md", &unreleased(Tree::read().required("CHANGELOG.md")));
    assert_eq!(unreleased("# Changelog\n\n## [0.1.0] - 2026-11-21\n").len(), 1);
    assert_eq!(unreleased("").len(), 1);
}

#[test]
fn a_word_has_one_meaning() {
    expect_clean("docs/GLOSSARY.md", &said_twice(Tree::read().required("docs/GLOSSARY.md")));
    let twice = "## A\n| word | meaning |\n|---|---|\n| seq | x |\n\n## B\n| word | meaning |\n|---|---|\n| seq | y |\n| ord | z |\n";
    assert_eq!(said_twice(twice).len(), 1);
}

#[test]
fn every_task_is_weighed_and_has_a_state() {
    expect_clean("docs/roadmap.md", &unweighed(Tree::read().required("docs/roadmap.md")));
    let row = |cells: &str| {
        format!("## A\n| task | r | e | v | s | state |\n|---|---|---|---|---|---|\n| {cells} |\n")
    };
    assert!(unweighed(&row("a | 0 | 1 | 2 | 3 | now")).is_empty());
    assert_eq!(unweighed(&row("a | 0 | 1 | 2 | 4 | now")).len(), 1);
    assert_eq!(unweighed(&row("a | 0 | 1 | 2 | 3 | soon")).len(), 1);
    assert_eq!(unweighed(&row("a | 0 | 1 | 2 | now")).len(), 1);
}
