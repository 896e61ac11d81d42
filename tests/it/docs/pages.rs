//! The pages of the wire contract: the index and what it names, in the order in which it names them.

use crate::tidy::tree::{Tree, table};

/// The index.
pub(super) const PAGE: &str = "docs/PROTOCOL.md";

/// Returns the paths of the index and of every page in its table.
pub(super) fn pages(tree: &Tree) -> Vec<&str> {
    let mut pages = vec![PAGE];
    let rows = table(tree.required(PAGE), "# The wire contract, version 1");
    let targets = rows.iter().filter_map(|row| row[0].split_once("](")?.1.split(')').next());
    pages.extend(targets.map(|target| {
        let found = tree.files(target).next();
        found.unwrap_or_else(|| panic!("{PAGE} names {target}, which is not there")).0
    }));
    pages
}

#[test]
fn every_page_of_the_contract_is_in_its_index() {
    let tree = Tree::read();
    let mut named: Vec<_> = pages(&tree).into_iter().skip(1).collect();
    named.sort_unstable();
    let there: Vec<_> =
        tree.files(".md").map(|(path, _)| path).filter(|path| path.starts_with("docs/protocol/")).collect();
    assert_eq!(named, there);
}
