//! The fault matrix: every row has its tests, and every test that it names is there.

use crate::tidy::tree::{Tree, table, ticked};

const PAGE: &str = "tests/README.md";

/// The rows that are tests of their own; the others are limits, which have theirs beside the code.
const ROWS: [std::ops::RangeInclusive<u32>; 2] = [1..=21, 32..=35];

fn findings(tree: &Tree) -> Vec<String> {
    let rows = table(tree.required(PAGE), "## The fault matrix");
    let numbers: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    let wanted: Vec<_> = ROWS.into_iter().flatten().map(|number| number.to_string()).collect();
    let mut findings = Vec::new();
    if numbers != wanted {
        findings.push(format!("{PAGE} has the rows {numbers:?}, not {wanted:?}"));
    }
    for row in &rows {
        let tests = row.get(3).map(|tests| ticked(tests)).unwrap_or_default();
        if tests.is_empty() {
            findings.push(format!("row {} names no test", row[0]));
        }
        let missing = tests.into_iter().filter(|test| !has_test(tree, test));
        findings.extend(missing.map(|test| format!("row {} names {test}, which is no test", row[0])));
    }
    findings
}

/// Whether there is a test of this name that is run with all others.
pub(super) fn has_test(tree: &Tree, name: &str) -> bool {
    let wanted = format!("fn {name}(");
    let is_it = |line: &str| line.trim_start_matches("async ").starts_with(&wanted);
    tree.files(".rs").filter(|(_, text)| text.contains(&wanted)).any(|(_, text)| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let found = lines.iter().position(|line| is_it(line));
        found.is_some_and(|at| {
            let marks = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
            let marks: Vec<_> = marks.collect();
            marks.iter().any(|mark| mark.contains("test"))
                && !marks.iter().any(|mark| mark.contains("ignore"))
        })
    })
}

#[test]
fn every_row_of_the_fault_matrix_has_tests_that_are_there() {
    let findings = findings(&Tree::read());
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn a_row_that_is_missing_and_a_test_that_is_not_there_are_found() {
    let page = "## The fault matrix\n| row | fault | promise | tests |\n|---|---|---|---|\n\
                | 1 | a | b | `there`, `gone` |\n| 2 | a | b | `idle` |\n| 3 | a | b | |\n| 4 | a | b | `plain` |\n";
    let code =
        "#[tokio::test]\nasync fn there() {}\n\n#[test]\n#[ignore = \"no\"]\nfn idle() {}\n\nfn plain() {}\n";
    let tree = Tree::of(&[(PAGE, page), ("tests/it/a.rs", code)]);
    assert_eq!(findings(&tree).len(), 1 + 4, "{:?}", findings(&tree));
}
