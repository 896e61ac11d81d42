//! The page on hardening: every row of its tables shows something, and what it names is there.

use super::matrix::has_test;
use crate::tidy::tree::{Tree, table, ticked};

const PAGE: &str = "docs/hardening.md";

/// The tables, and the cell of each row that says what shows it.
const TABLES: [(&str, usize); 2] =
    [("## What libraries do by default, and is not kept", 3), ("## Strangers' bytes", 1)];

fn findings(tree: &Tree) -> Vec<String> {
    let text = tree.required(PAGE);
    let mut findings = Vec::new();
    for (heading, shown) in TABLES {
        let rows = table(text, heading);
        if rows.is_empty() {
            findings.push(format!("{PAGE} has no table under {heading}"));
        }
        let bare = rows.iter().filter(|row| row.get(shown).is_none_or(|cell| !cell.contains(['`', ']'])));
        findings.extend(bare.map(|row| format!("{}: nothing shows it", row.join(", "))));
    }
    // Names of tests are sentences; other names in code are shorter.
    let names = text.lines().flat_map(ticked).filter(|name| is_sentence(name));
    findings.extend(
        names
            .filter(|name| !has_test(tree, name))
            .map(|name| format!("{PAGE} names {name}, which is no test")),
    );
    findings
}

fn is_sentence(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.matches('_').count() >= 3
}

#[test]
fn every_row_of_the_page_on_hardening_has_what_shows_it() {
    let findings = findings(&Tree::read());
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn a_row_that_nothing_shows_and_a_test_that_is_not_there_are_found() {
    let page = "## What libraries do by default, and is not kept\n| l | d | h | s |\n|---|---|---|---|\n\
                | a | b | c | `it_is_not_there_at_all` |\n| a | b | `x` | |\n\n## Strangers' bytes\nnone\n";
    assert_eq!(findings(&Tree::of(&[(PAGE, page)])).len(), 3);
}
