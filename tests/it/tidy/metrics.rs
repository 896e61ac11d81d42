//! The catalogue holds nothing that is never counted.

use super::expect_clean;
use super::tree::Tree;
use std::collections::HashMap;

/// Where the rows are.
const CATALOGUE: &str = "engine/src/metrics/";

/// Returns the fields of the subjects, each with its subject's name in `Metrics` in front.
fn fields(tree: &Tree) -> Vec<(String, String)> {
    let contents = tree.required("engine/src/metrics.rs");
    let named = contents.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "));
    let subjects: HashMap<_, _> = named
        .map(|(name, of)| (of.trim_end_matches(','), name))
        .filter(|(of, _)| of.ends_with("Metrics"))
        .collect();
    let mut fields = Vec::new();
    for (_, text) in tree.files(".rs").filter(|(path, _)| path.starts_with(CATALOGUE)) {
        let mut subject = None;
        for line in text.lines().map(str::trim) {
            if let Some(of) = line.strip_suffix(" {") {
                subject = subjects.get(of).copied().or(subject);
            }
            if let (Some(subject), Some((field, rest))) = (subject, line.split_once(": "))
                && rest.contains("= Row::of(")
            {
                fields.push((subject.to_owned(), field.to_owned()));
            }
        }
    }
    fields
}

/// Returns the rows that nothing but their declaration names. Whoever counts names the field behind its subject,
/// or behind `metrics`, which is what a part is called that has one subject only.
fn uncounted(tree: &Tree) -> Vec<String> {
    let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
    let code: Vec<(bool, String)> = tree
        .files(".rs")
        .filter(|(path, _)| !path.contains("tests") && !path.starts_with("bench/"))
        .map(|(path, text)| (path.starts_with(CATALOGUE), joined(text)))
        .collect();
    let is_named = |text: &str, name: &str| {
        text.match_indices(name).any(|(at, _)| {
            !text[at + name.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    };
    let counted = |subject: &str, field: &str| {
        code.iter().any(|(is_catalogue, text)| match is_catalogue {
            true => is_named(text, &format!("self.{field}")),
            false => [subject, "metrics"].iter().any(|of| is_named(text, &format!("{of}.{field}"))),
        })
    };
    let fields = fields(tree);
    let never = fields.iter().filter(|(subject, field)| !counted(subject, field));
    never
        .map(|(subject, field)| format!("`{subject}.{field}` is in the catalogue and never counted"))
        .collect()
}

#[test]
fn every_row_of_the_catalogue_is_counted_somewhere() {
    let tree = Tree::read();
    assert!(fields(&tree).len() == rookery_engine::metrics::CATALOGUE.len(), "{:?}", fields(&tree));
    expect_clean("metrics", &uncounted(&tree));
}

#[test]
fn a_row_that_is_never_counted_is_found() {
    let tree = Tree::of(&[
        ("engine/src/metrics.rs", "pub struct Metrics {\n    pub tea: TeaMetrics,\n}"),
        (
            "engine/src/metrics/tea.rs",
            "subject! {\n    TeaMetrics {\n        cups: Counter = Row::of(\"a\");\n        pots: Counter = Row::of(\"b\");\n    }\n}",
        ),
        (
            "actors/src/tea.rs",
            "fn pour() { node.metrics().tea\n    .cups.increment(1); node.tea.pots_are(2); }",
        ),
    ]);
    assert_eq!(uncounted(&tree), ["`tea.pots` is in the catalogue and never counted"]);
}
