//! Rules for a file of code: how long, how it opens, how it is named.

use super::expect_clean;
use super::tree::Tree;

/// Lines of one file, its tests included: what is read in one sitting.
const FILE_LINES: usize = 600;

/// Lines before the tests, above which a file has to be named in [`LONG_FILES`] with its reason.
const CODE_LINES: usize = 400;

/// Files that may be longer than [`CODE_LINES`], and why they are one thing all the same.
const LONG_FILES: &[(&str, &str)] = &[];

/// Words that say nothing about what a thing is.
const EMPTY_WORDS: &[&str] = &["manager", "helper", "helpers", "util", "utils", "utility"];

fn too_long(tree: &Tree, excused: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".rs") {
        let code = code_lines(text);
        let named = excused.iter().any(|(file, reason)| *file == path && !reason.is_empty());
        let all = text.lines().count();
        if all > FILE_LINES {
            findings.push(format!("{path} has {all} lines of {FILE_LINES}: split it"));
        } else if code > CODE_LINES && !named {
            findings.push(format!(
                "{path} has {code} lines before its tests, of {CODE_LINES}: what is the second thing in it?"
            ));
        } else if code <= CODE_LINES && named {
            findings.push(format!("{path} is short enough: take it out of LONG_FILES"));
        }
    }
    let gone = excused.iter().filter(|(file, _)| tree.text(file).is_none());
    findings.extend(gone.map(|(file, _)| format!("{file} is in LONG_FILES and not in the tree")));
    findings
}

/// Returns the lines before the first module of tests.
fn code_lines(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

fn without_module_doc(tree: &Tree) -> Vec<String> {
    tree.files(".rs")
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| format!("{path} does not open with what it is: `//! …` on line 1"))
        .collect()
}

fn named_mod_rs(tree: &Tree) -> Vec<String> {
    tree.files("/mod.rs").map(|(path, _)| format!("{path}: name it after its folder, beside it")).collect()
}

fn empty_names(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".rs") {
        let file = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
        if file.split('_').any(is_empty_word) {
            findings.push(format!("{path}: name the file after its main type or its verb"));
        }
        for name in text.lines().filter_map(declared_type) {
            if words(name).iter().any(|word| is_empty_word(word)) {
                findings.push(format!("{path}: {name} does not say what it is"));
            }
        }
    }
    findings
}

/// Returns the type that a line declares.
fn declared_type(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
    let name = ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| line.strip_prefix(kind))?;
    name.split(|letter: char| !letter.is_alphanumeric()).next()
}

/// Splits a type's name where a capital begins a word.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_lowercase().collect()),
        }
    }
    words
}

fn is_empty_word(word: &str) -> bool {
    EMPTY_WORDS.contains(&word)
}

fn left_undone(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".rs") {
        // What another test starts as a process of its own is no test by itself.
        let starts_its_own = text.contains("\"--ignored\"");
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_start();
            if line.starts_with("#[ignore") && !starts_its_own {
                findings.push(format!("{path}:{number}: a test that does not run shows nothing"));
            }
            let comment = line.split_once("//").map_or("", |(_, comment)| comment);
            if ["TODO", "FIXME", "XXX"].iter().any(|mark| comment.contains(&format!("{mark}:"))) {
                findings.push(format!("{path}:{number}: do it now or write it in docs/roadmap.md"));
            }
        }
    }
    findings
}

/// Finds files that no `mod` line makes part of a build: they compile as little as they are tested.
fn orphans(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, _) in tree.files(".rs") {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let module = file.trim_end_matches(".rs");
        let above = folder.rsplit('/').next().unwrap_or(folder);
        if ["main", "lib"].contains(&module)
            || ["tests", "examples", "benches"].contains(&above) && !is_module(tree, folder)
        {
            continue;
        }
        let parents = [format!("{folder}.rs"), format!("{folder}/main.rs"), format!("{folder}/lib.rs")];
        let declares =
            |text: &str| text.lines().any(|line| line.trim_start().ends_with(&format!("mod {module};")));
        if !parents.iter().filter_map(|parent| tree.text(parent)).any(declares) {
            findings.push(format!("{path} is in no build: `mod {module};` is missing beside it"));
        }
    }
    findings
}

/// Whether a folder holds the parts of a module, rather than targets of a crate.
fn is_module(tree: &Tree, folder: &str) -> bool {
    tree.text(&format!("{folder}.rs")).is_some()
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    expect_clean("file sizes", &too_long(&Tree::read(), LONG_FILES));
}

#[test]
fn a_long_file_a_stale_excuse_and_a_gone_one_are_found() {
    let long = format!("//! A.\n{}", "fn a() {}\n".repeat(CODE_LINES));
    let longer = "fn a() {}\n".repeat(FILE_LINES + 1);
    let tested = format!("//! B.\n#[cfg(test)]\n{}", "\n".repeat(CODE_LINES));
    let tree = Tree::of(&[("long.rs", &long), ("longer.rs", &longer), ("tested.rs", &tested)]);
    assert_eq!(too_long(&tree, &[]).len(), 2);
    assert_eq!(too_long(&tree, &[("long.rs", "one table")]).len(), 1);
    assert_eq!(too_long(&tree, &[("long.rs", "")]).len(), 2);
    assert_eq!(too_long(&tree, &[("tested.rs", "stale"), ("gone.rs", "gone")]).len(), 4);
}

#[test]
fn every_file_opens_with_what_it_is() {
    expect_clean("module docs", &without_module_doc(&Tree::read()));
    assert_eq!(without_module_doc(&Tree::of(&[("a.rs", "use std::fs;\n"), ("b.rs", "//! B.\n")])).len(), 1);
}

#[test]
fn a_module_is_named_after_what_it_holds() {
    expect_clean("mod.rs", &named_mod_rs(&Tree::read()));
    assert_eq!(named_mod_rs(&Tree::of(&[("a/mod.rs", ""), ("a.rs", "")])).len(), 1);
}

#[test]
fn names_say_what_a_thing_is() {
    expect_clean("names", &empty_names(&Tree::read()));
    let bad = Tree::of(&[
        ("room_utils.rs", ""),
        ("room.rs", "pub struct RoomManager;\npub(crate) enum Helper {\n}\n    trait Utility {}\n"),
        ("good.rs", "pub struct Utilisation;\nstruct ManagerOf;\ntype Utc = u8;\n"),
    ]);
    assert_eq!(empty_names(&bad).len(), 5);
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    expect_clean("undone", &left_undone(&Tree::read()));
    let mark = "FIXME";
    let bad = format!("//! A.\n#[test]\n#[ignore = \"slow\"]\nfn a() {{}} // {mark}: b\n");
    assert_eq!(left_undone(&Tree::of(&[("a.rs", &bad)])).len(), 2);
    let child =
        "//! A.\n#[ignore = \"another test kills it\"]\n.args([\"--ignored\", \"--exact\", \"child\"])\n";
    assert!(left_undone(&Tree::of(&[("a.rs", child)])).is_empty());
}

#[test]
fn every_file_is_part_of_a_build() {
    expect_clean("orphans", &orphans(&Tree::read()));
    let files = [
        ("a/src/lib.rs", "mod b;\npub mod c;\n"),
        ("a/src/b.rs", "#[cfg(test)]\nmod tests;\n"),
        ("a/src/b/tests.rs", ""),
        ("a/src/c.rs", ""),
        ("a/src/d.rs", ""),
        ("a/src/c/e.rs", ""),
        ("a/tests/f.rs", ""),
        ("a/tests/g/main.rs", ""),
    ];
    assert_eq!(orphans(&Tree::of(&files)).len(), 2, "d and e");
}
