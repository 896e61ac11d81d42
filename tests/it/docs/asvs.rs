//! The page on ASVS: each requirement of level 1 and 2 has one row, each row has what shows it, what it names is
//! there, and the page's own sums are right.

use super::matrix::has_test;
use crate::tidy::tree::{Tree, table, ticked};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/asvs.md";

/// The sections of ASVS 5.0.0, each with the levels of its requirements in their order.
const LEVELS: &str = include_str!("asvs/levels.txt");

/// What a requirement comes to, in the order in which it is counted.
const VERDICTS: [&str; 3] = ["holds", "not applicable", "falls short"];

/// What it takes to mend something.
const EFFORTS: [&str; 5] = ["small", "decided", "operator", "larger", "not built"];

/// Crates whose code runs in a server.
const SERVED: [&str; 4] = ["actors/", "api/", "engine/", "protocol/"];

/// A requirement's row.
#[derive(Debug)]
struct Row<'a> {
    id: &'a str,
    level: &'a str,
    /// Its place in [`VERDICTS`].
    verdict: usize,
    shown: &'a str,
}

impl<'a> Row<'a> {
    fn read(cells: &[&'a str]) -> Option<Self> {
        let &[id, level, _, here, shown] = cells else { return None };
        // What does not apply says why.
        let verdict = match here.split_once(": ") {
            None => VERDICTS.iter().position(|verdict| *verdict == here && here != "not applicable"),
            Some((verdict, why)) => (verdict == "not applicable" && !why.is_empty()).then_some(1),
        };
        Some(Self { id, level, verdict: verdict?, shown })
    }
}

/// Returns the requirements of level 1 and 2 with their levels.
fn required(levels: &str) -> BTreeMap<String, String> {
    let sections = levels.lines().filter_map(|line| line.split_once(' '));
    let each = sections.flat_map(|(section, levels)| {
        (1..).zip(levels.chars()).map(move |(number, level)| (format!("{section}.{number}"), level))
    });
    each.filter(|(_, level)| *level < '3').map(|(id, level)| (id, level.to_string())).collect()
}

fn findings(tree: &Tree, levels: &str) -> Vec<String> {
    let text = tree.required(PAGE);
    let mut findings = Vec::new();
    let mut rows = Vec::new();
    for heading in text.lines().filter(|line| line.starts_with("## V")) {
        for cells in table(text, heading) {
            match Row::read(&cells) {
                Some(row) => rows.push(row),
                None => findings.push(format!("no row of a requirement: {}", cells.join(" | "))),
            }
        }
    }
    findings.extend(missing(&rows, &required(levels)));
    findings.extend(rows.iter().flat_map(|row| unshown(tree, row)));
    findings.extend(unexplained(text, &rows));
    let counted = table(text, "## In numbers");
    let right = numbers(&rows);
    findings
        .extend((counted != right).then(|| format!("{PAGE} counts {counted:?}, and there are {right:?}")));
    findings
}

/// Finds requirements without a row or with several, and rows of none or of another level.
fn missing(rows: &[Row<'_>], required: &BTreeMap<String, String>) -> Vec<String> {
    let mut of: BTreeMap<&str, Vec<&str>> = required.keys().map(|id| (id.as_str(), Vec::new())).collect();
    for row in rows {
        of.entry(row.id).or_default().push(row.level);
    }
    let wrong = of.into_iter().filter(|(id, told)| {
        let wanted = required.get(*id).map(String::as_str);
        !matches!(&told[..], [level] if Some(*level) == wanted)
    });
    wrong
        .map(|(id, told)| format!("{id} is of level {:?}, and has rows of {told:?}", required.get(id)))
        .collect()
}

/// Finds a row that names nothing, or what is neither a test nor a file.
fn unshown(tree: &Tree, row: &Row<'_>) -> Vec<String> {
    let names = ticked(row.shown);
    if names.is_empty() && !row.shown.contains("](") {
        return vec![format!("{}: nothing shows it", row.id)];
    }
    let is_there = |name: &&str| {
        if name.contains(['/', '.']) { tree.has(name) } else { has_test(tree, name) }
    };
    let gone = names.into_iter().filter(|name| !is_there(name));
    gone.map(|name| format!("{} names {name}, which is not there", row.id)).collect()
}

/// Compares what falls short with what is said of it: each once, and with what it would take.
fn unexplained(text: &str, rows: &[Row<'_>]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut told = Vec::new();
    for cells in table(text, "## What falls short") {
        match cells[..] {
            [ids, effort, what] if EFFORTS.contains(&effort) && !what.is_empty() => {
                told.extend(ids.split(", "));
            }
            _ => findings.push(format!("no row of what falls short: {}", cells.join(" | "))),
        }
    }
    let short: BTreeSet<&str> = rows.iter().filter(|row| row.verdict == 2).map(|row| row.id).collect();
    let once: BTreeSet<&str> = told.iter().copied().collect();
    if told.len() != once.len() {
        findings.push(format!("{PAGE} tells of something twice that falls short"));
    }
    findings.extend(
        short.symmetric_difference(&once).map(|id| format!("{id}: say what falls short, or that it does")),
    );
    findings
}

/// Counts the rows as the page does: by level, then all.
fn numbers(rows: &[Row<'_>]) -> Vec<Vec<String>> {
    let of = |name: &str, level: Option<&str>| {
        let rows = || rows.iter().filter(|row| level.is_none_or(|level| row.level == level));
        let counted = (0..VERDICTS.len()).map(|verdict| rows().filter(|row| row.verdict == verdict).count());
        let counted = counted.chain([rows().count()]).map(|count| count.to_string());
        [name.to_owned()].into_iter().chain(counted).collect()
    };
    vec![of("1", Some("1")), of("2", Some("2")), of("both", None)]
}

/// Finds code of a server that could start a process.
fn processes(tree: &Tree) -> Vec<String> {
    let served =
        |path: &str| SERVED.iter().any(|folder| path.starts_with(folder)) && !path.contains("/tests/");
    let starts = |line: &&str| line.contains("process::") && line.contains("Command");
    let files = tree.files(".rs").filter(|(path, _)| served(path));
    files
        .flat_map(|(path, text)| text.lines().filter(starts).map(move |line| format!("{path}: {line}")))
        .collect()
}

#[test]
fn every_requirement_of_the_page_on_asvs_has_what_shows_it() {
    let all: Vec<char> = LEVELS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(_, levels)| levels.chars())
        .collect();
    let of = |level: char| all.iter().filter(|other| **other == level).count();
    assert_eq!((of('1'), of('2'), of('3')), (70, 183, 92), "as ASVS 5.0.0 has them");
    let findings = findings(&Tree::read(), LEVELS);
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn what_is_wrong_with_a_row_or_a_sum_is_found() {
    let page = |numbers: &str, short: &str, rows: &str| {
        format!(
            "## In numbers\n| l | h | n | f | all |\n|---|---|---|---|---|\n{numbers}\n\
             ## What falls short\n| r | e | w |\n|---|---|---|\n{short}\n\
             ## V1 A\n| r | l | s | h | by |\n|---|---|---|---|---|\n{rows}\n"
        )
    };
    let numbers = "| 1 | 1 | 0 | 0 | 1 |\n| 2 | 0 | 1 | 1 | 2 |\n| both | 1 | 1 | 1 | 3 |\n";
    let short = "| V1.1.4 | small | it is not there |\n";
    let rows = [
        "| V1.1.1 | 1 | x | holds | `it_is_there` |",
        "| V1.1.2 | 2 | x | not applicable: so | `a/b.rs` |",
        "| V1.1.4 | 2 | x | falls short | [x](x.md) |",
    ];
    let check = |numbers: &str, short: &str, rows: &[&str]| {
        let page = page(numbers, short, &rows.join("\n"));
        findings(&Tree::of(&[(PAGE, &page), ("a/b.rs", "#[test]\nfn it_is_there() {}\n")]), "V1.1 1232\n")
    };
    assert_eq!(check(numbers, short, &rows), [""; 0]);
    for (at, row) in [
        (0, "| V1.1.1 | 1 | x | holds | |"),
        (0, "| V1.1.1 | 1 | x | holds | `it_is_gone` |"),
        (1, "| V1.1.2 | 2 | x | not applicable: so | `a/gone.rs` |"),
    ] {
        let mut rows = rows;
        rows[at] = row;
        assert_eq!(check(numbers, short, &rows).len(), 1, "{row}");
    }
    for (at, row) in [
        (0, "| V1.1.1 | 2 | x | holds | `it_is_there` |"),
        (0, "| V1.1.2 | 1 | x | holds | `it_is_there` |"),
        (0, "| V1.1.3 | 1 | x | holds | `it_is_there` |"),
        (1, "| V1.1.2 | 2 | x | not applicable | `a/b.rs` |"),
        (1, "| V1.1.2 | 2 | x | falls short | `a/b.rs` |"),
    ] {
        let mut rows = rows;
        rows[at] = row;
        assert!(!check(numbers, short, &rows).is_empty(), "{row}");
    }
    assert!(!check(numbers, short, &rows[..2]).is_empty(), "a row too few");
    assert_eq!(check(&numbers.replace("| 2 | 0", "| 2 | 1"), short, &rows).len(), 1);
    assert_eq!(check(numbers, "", &rows).len(), 1);
    assert_eq!(check(numbers, &short.repeat(2), &rows).len(), 1);
    assert_eq!(check(numbers, &short.replace("small", "soon"), &rows).len(), 2);
}

#[test]
fn no_code_of_the_server_starts_a_process() {
    assert_eq!(processes(&Tree::read()), [""; 0]);
    let starts = "use std::process::{Command, Stdio};\n";
    assert_eq!(
        processes(&Tree::of(&[("api/src/a.rs", starts), ("api/tests/b.rs", starts), ("tests/c.rs", starts)]))
            .len(),
        1
    );
}
