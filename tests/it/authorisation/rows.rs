//! The rows of `schemas/authorisation/`.

use super::scene::Who;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One op or route, how it is asked, and what each column is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// The op, or the method and the path as the table of routes has it.
    pub(super) name: String,
    /// The kind of room in which it is asked.
    #[serde(default = "group")]
    pub(super) room: String,
    /// The path as it is asked, with placeholders, where it does not follow from the name.
    pub(super) path: Option<String>,
    /// Headers beside the usual ones.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// `d` or the body, as JSON with placeholders.
    pub(super) ask: Option<String>,
    told: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    who: Vec<String>,
    #[serde(default)]
    op: Vec<Row>,
    #[serde(default)]
    route: Vec<Row>,
}

fn group() -> String {
    "group".to_owned()
}

impl Row {
    /// Returns what the column of `who` says.
    pub(super) fn told(&self, who: Who) -> &str {
        &self.told[who as usize]
    }

    /// Returns everything in which a placeholder may stand.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.path(), self.ask.as_deref().unwrap_or_default())
    }

    /// Returns the path as it is asked, with placeholders.
    pub(super) fn path(&self) -> String {
        let named = self.name.split_once(' ').map_or("", |(_, path)| path);
        self.path.clone().unwrap_or_else(|| {
            [("{room}", "$room"), ("{user}", "$other"), ("{seq}", "$said"), ("{emoji}", "!")]
                .into_iter()
                .chain([("{invite}", "$invite"), ("{id}", "$file")])
                .fold(named.to_owned(), |path, (name, value)| path.replace(name, value))
        })
    }
}

fn read(text: &str) -> Page {
    let page: Page = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(page.who, Who::ALL.map(Who::name), "the columns are those of the tests");
    for row in page.op.iter().chain(&page.route) {
        assert_eq!(row.told.len(), page.who.len(), "{} has a cell for each column", row.name);
    }
    page
}

pub(super) fn ops() -> Vec<Row> {
    read(include_str!("../../../schemas/authorisation/ops.toml")).op
}

pub(super) fn routes() -> Vec<Row> {
    read(include_str!("../../../schemas/authorisation/routes.toml")).route
}

pub(super) fn operators() -> Vec<Row> {
    read(include_str!("../../../schemas/authorisation/operators.toml")).route
}
