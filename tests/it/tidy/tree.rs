//! The work tree as the rules see it: every path, and the text of every file that is text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where the repository begins.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Folders of the root that are made by running things, and are not part of the work.
const NOT_OURS: &[&str] = &[".git", "target", "data"];

/// Paths from the root, with `/` between their parts and none at the end.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    texts: BTreeMap<String, String>,
    folders: BTreeSet<String>,
}

impl Tree {
    /// Reads the work tree.
    pub(crate) fn read() -> Self {
        let mut tree = Self::default();
        tree.read_folder(Path::new(ROOT), "");
        assert!(tree.text("Cargo.toml").is_some(), "{ROOT} is not the root");
        tree
    }

    /// Returns a tree of these files, for samples.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
            for (end, _) in path.match_indices('/') {
                tree.folders.insert(path[..end].to_owned());
            }
        }
        tree
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).expect("a folder of the tree can be listed") {
            let entry = entry.expect("a folder of the tree can be listed");
            let name = entry.file_name().into_string().expect("names are UTF-8");
            let path = format!("{prefix}{name}");
            if NOT_OURS.contains(&path.as_str()) || path.rsplit('.').next() == Some("tmp") {
                continue;
            }
            if entry.file_type().expect("an entry has a type").is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"));
                self.folders.insert(path);
            } else {
                let bytes = fs::read(entry.path()).expect("a file of the tree can be read");
                self.texts.insert(path, String::from_utf8(bytes).unwrap_or_default());
            }
        }
    }

    /// Returns the files whose path ends in `suffix`, with their texts.
    pub(crate) fn files<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts
            .iter()
            .filter(move |(path, _)| path.ends_with(suffix))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Returns the text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Returns the text of a file that every tree has.
    pub(crate) fn required(&self, path: &str) -> &str {
        self.text(path).unwrap_or_else(|| panic!("{path} is missing"))
    }

    /// Returns the folders.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// Returns whether `path` is a file or a folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.texts.contains_key(path) || self.folders.contains(path)
    }

    /// Returns whether a file or folder has a path that `accept`s.
    pub(crate) fn any(&self, mut accept: impl FnMut(&str) -> bool) -> bool {
        self.texts.keys().chain(&self.folders).any(|path| accept(path))
    }
}

/// Returns the rows of the table that follows `heading` in a Markdown text: the cells of each, the
/// header and the rule below it left out. Nothing when there is no such heading or table.
pub(crate) fn table<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    text.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| cells(line))
        .collect()
}

/// Splits a table row at the `|` that are not escaped.
fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, _) in inner.match_indices('|') {
        if !inner[..at].ends_with('\\') {
            cells.push(inner[start..at].trim());
            start = at + 1;
        }
    }
    cells.push(inner[start..].trim());
    cells
}

/// Returns what stands between backticks, in order.
pub(crate) fn ticked(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_table_is_found_by_its_heading_and_an_escaped_bar_does_not_split() {
    let page = "# A\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n## B\nwords\n| h |\n|---|\n| `a\\|b` |\n| c |\nend";
    assert_eq!(table(page, "# A"), [["1", "2"]]);
    assert_eq!(table(page, "## B"), [["`a\\|b`"], ["c"]]);
    assert!(table(page, "## C").is_empty());
    assert_eq!(ticked("`a` and `b c`, d"), ["a", "b c"]);
}

#[test]
fn the_tree_knows_files_and_the_folders_that_hold_them() {
    let tree = Tree::of(&[("a/b/c.rs", "//! C."), ("d.md", "# D")]);
    assert!(tree.has("a/b") && tree.has("a/b/c.rs") && !tree.has("c.rs"));
    assert_eq!(tree.files(".rs").collect::<Vec<_>>(), [("a/b/c.rs", "//! C.")]);
}
