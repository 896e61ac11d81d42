//! The page that says which table has what of a user, against the migrations: a new table is one that somebody has
//! thought about, for the archive and for the erasure.

use crate::tidy::tree::{Tree, table, ticked};
use std::collections::BTreeSet;

const PAGE: &str = "docs/OPERATING.md";
const HEADING: &str = "### Which table has what of a user";

/// Returns the tables that are there after migrations, in their order.
fn tables<'a>(migrations: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for line in migrations.flat_map(str::lines) {
        let words: Vec<_> = line.split([' ', '(', ';']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["CREATE", "TABLE", name, ..] | ["CREATE", "VIRTUAL", "TABLE", name, ..] => {
                tables.insert((*name).to_owned());
            }
            ["DROP", "TABLE", name, ..] => assert!(tables.remove(*name), "{line}"),
            ["ALTER", "TABLE", name, "RENAME", "TO", other, ..] => {
                assert!(tables.remove(*name), "{line}");
                tables.insert((*other).to_owned());
            }
            _ => {}
        }
    }
    tables
}

/// Returns the parts of an archive that the page names.
pub(crate) fn parts_of_an_archive() -> BTreeSet<String> {
    let tree = Tree::read();
    let rows = table(tree.required(PAGE), HEADING);
    let parts = rows.iter().flat_map(|row| ticked(row[2]));
    parts.chain(["archive", "end"]).map(str::to_owned).collect()
}

#[test]
fn every_table_of_the_embedded_store_says_what_an_archive_and_an_erasure_make_of_it() {
    let tree = Tree::read();
    let mut files: Vec<_> =
        tree.files(".sql").filter(|(path, _)| path.starts_with("schemas/sqlite/")).collect();
    files.sort_unstable();
    let there = tables(files.into_iter().map(|(_, text)| text));
    assert!(there.contains("cursors") && there.contains("events"), "{there:?}");
    let rows = table(tree.required(PAGE), HEADING);
    let mut written = BTreeSet::new();
    for row in &rows {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.trim().is_empty()), "a cell is empty: {row:?}");
        for name in ticked(row[0]) {
            assert!(written.insert(name.to_owned()), "{name} has two rows");
        }
    }
    let (unsaid, gone): (Vec<_>, Vec<_>) =
        (there.difference(&written).collect(), written.difference(&there).collect());
    assert!(
        unsaid.is_empty() && gone.is_empty(),
        "say in {PAGE}, {HEADING:?}, what is in {unsaid:?} of a user; no migration makes {gone:?}"
    );
}

#[test]
fn tables_come_and_go_and_get_other_names() {
    let migrations = [
        "CREATE TABLE users (\n    user BLOB\n);\nCREATE TABLE old (id INTEGER);",
        "CREATE VIRTUAL TABLE words USING fts5 (x);\nCREATE TABLE new_old (id INTEGER);\nDROP TABLE old;\nALTER TABLE new_old RENAME TO old;\nALTER TABLE users ADD COLUMN x TEXT;",
    ];
    assert_eq!(tables(migrations.into_iter()), ["old", "users", "words"].map(str::to_owned).into());
}
