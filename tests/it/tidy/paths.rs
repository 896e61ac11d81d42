//! Rules for names of files: every link and every path that a page or a comment gives leads
//! somewhere.

use super::expect_clean;
use super::tree::{Tree, ticked};

/// Endings by which a word between backticks is known to be a file's name.
const ENDINGS: &[&str] = &[".rs", ".md", ".sql", ".json", ".toml", ".sh", ".service", ".c"];

/// Names that end like a file's and are none of the tree: subprotocols, and routes.
const NOT_FILES: &[&str] = &["rookery.v1.json", "rookery.v1.msgpack"];

fn dead_links(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (page, text) in tree.files(".md") {
        for target in prose(text).flat_map(links) {
            let outside = ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { page.to_owned() } else { resolve(page, path) };
            if !outside && !tree.has(&path) {
                findings.push(format!("{page} links to {target}, which is not there"));
            } else if !outside && !anchor.is_empty() && !has_heading(tree, &path, anchor) {
                findings.push(format!("{page} links to {target}, which has no such heading"));
            }
        }
    }
    findings
}

/// Returns the targets of the links of a line.
fn links(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// Returns the lines that are not inside a fenced block.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Returns the path from the root that `target` means on `page`.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn has_heading(tree: &Tree, page: &str, anchor: &str) -> bool {
    let text = tree.text(page).unwrap_or_default();
    prose(text).filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor)
}

/// Returns the anchor of a heading, as code hosts make it.
fn slug(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter(kept)
        .collect::<String>()
        .to_lowercase()
        .replace(' ', "-")
}

fn unknown_names(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (page, text) in tree.files(".md") {
        for line in prose(text) {
            let wrong = ticked(line).into_iter().filter_map(|name| unknown(tree, page, name));
            findings.extend(wrong.map(|name| format!("{page} names `{name}`, which is not there")));
        }
    }
    for (file, text) in tree.files(".rs") {
        for (number, comment) in
            (1..).zip(text.lines()).filter_map(|(number, line)| Some((number, comment(line)?)))
        {
            let words = comment.split(|letter: char| letter.is_whitespace() || "`()[],;:\"".contains(letter));
            let pages = words.map(|word| word.trim_end_matches('.')).filter(|word| is_page(word));
            let wrong = pages.filter(|word| word.contains('/')).filter_map(|word| unknown(tree, file, word));
            findings.extend(wrong.map(|name| format!("{file}:{number} names {name}, which is not there")));
        }
    }
    findings
}

fn is_page(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(_, ending)| ending == "md")
}

/// Returns what a line of code says as a comment, when it is one.
fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("//")
}

/// Returns the file that `name` claims and the tree does not have. A name is one that begins with
/// a folder of the root (then the whole path counts), or that ends like a file's (then it may be
/// the end of a path, so `room/submit.rs` will do). `*` stands for anything.
fn unknown<'a>(tree: &Tree, page: &str, name: &'a str) -> Option<&'a str> {
    let name = name.split_whitespace().next()?.trim_end_matches('/');
    let first = name.split('/').next()?;
    let rooted = name.contains('/') && tree.folders().any(|folder| folder == first);
    let is_file = ENDINGS.iter().any(|ending| name.ends_with(ending))
        && !name.starts_with(['/', '.', '<', '$', '~', '*']);
    if NOT_FILES.contains(&name) || !(rooted || is_file) || name.contains("NNNN") {
        return None;
    }
    let known = tree.any(|path| matches(name, path))
        || tree.has(&resolve(page, name))
        || !rooted && tree.any(|path| path.match_indices('/').any(|(at, _)| matches(name, &path[at + 1..])));
    (!known).then_some(name)
}

/// Returns whether `pattern`, in which `*` stands for any text without `/`, is `path`.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == path };
    let Some(rest) = path.strip_prefix(before) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.take_while(|end| !rest[..*end].contains('/')).any(|end| matches(after, &rest[end..]))
}

/// Finds paths that only the machine of whoever wrote them has.
fn private_paths(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (file, text) in tree.files("") {
        for (number, line) in (1..).zip(text.lines()) {
            let words = line.split(|letter: char| letter.is_whitespace() || "\"'`()<>=:".contains(letter));
            let private = |word: &&str| {
                ["root", "home", "work"].iter().any(|top| word.starts_with(&format!("/{top}/")))
            };
            findings.extend(
                words.filter(private).map(|word| format!("{file}:{number}: {word} is on one machine only")),
            );
        }
    }
    findings
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    expect_clean("private paths", &private_paths(&Tree::read()));
    let text = ["cd /", "home/me && ls \"/", "root/x\" /homework/a b/", "work/c"].concat();
    assert_eq!(private_paths(&Tree::of(&[("run.sh", &text)])).len(), 2);
}

#[test]
fn every_link_leads_somewhere() {
    expect_clean("links", &dead_links(&Tree::read()));
}

#[test]
fn a_dead_link_and_a_dead_anchor_are_found() {
    let page = "[a](b.md) [c](../d/e.rs#x) [w](https://x.y/z) [s](#two-words) [n](f.md#none)\n## Two `words`\n\
                ```\n[in a fence](nowhere)\n```\n";
    let tree = Tree::of(&[("docs/a.md", page), ("docs/f.md", "# F")]);
    assert_eq!(dead_links(&tree).len(), 3, "b.md, d/e.rs and the heading of f.md");
}

#[test]
fn every_file_that_is_named_exists() {
    expect_clean("file names", &unknown_names(&Tree::read()));
}

#[test]
fn a_name_of_nothing_is_found_and_one_of_something_is_not() {
    let page = "`docs/a.md`, `room/submit.rs`, `actors/src/room*`, `tests/run fast`, `/v1/rooms.json`, `GET`";
    let files = [
        ("docs/a.md", page),
        ("actors/src/room/submit.rs", "//! See docs/b.md, section 2.\n"),
        ("actors/src/room.rs", "//! See docs/a.md.\n"),
        ("tests/run", ""),
    ];
    assert_eq!(
        unknown_names(&Tree::of(&files)),
        ["actors/src/room/submit.rs:1 names docs/b.md, which is not there"]
    );
    let bad = "`docs/gone.md` `submit/room.rs` `actors/src/call*` `tests/walk fast` `gone.rs`";
    assert_eq!(unknown_names(&Tree::of(&[("docs/a.md", bad), files[2], files[3]])).len(), 5);
}
