//! One section a frame: what each op and each event has to tell, and the tables of fields, which are
//! made of the types. `UPDATE=1 cargo test -p rookery-tests --test it docs` writes the tables anew.

use super::examples::unserved;
use super::pages::{PAGE, pages};
use crate::spec::{Schemas, events, expect_file};
use crate::tidy::tree::{Tree, ticked};
use rookery_protocol::{ErrorCode, Op};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Replies that have a section of their own among the objects, or nothing to tell.
const TOLD_ELSEWHERE: &[&str] = &["Room", "User", "Empty"];

/// What is known of every frame, by the name of its section: the table above its first example of a
/// kind.
struct Tables {
    schemas: Map<String, Value>,
    of: BTreeMap<String, Vec<(&'static str, String)>>,
}

impl Tables {
    fn new() -> Self {
        let mut schemas = Schemas::new();
        let events = events(&mut schemas);
        let ops: Vec<_> = Op::SHAPES
            .iter()
            .map(|shape| (shape, shape.fields.map(|(_, of)| schemas.of(of)), schemas.of(shape.reply.1)))
            .collect();
        let mut tables = Self { schemas: schemas.take(), of: BTreeMap::new() };
        for (shape, d, ok) in ops {
            let fields = d.map(|d| ("command", tables.table("`d`", &d)));
            let is_told = TOLD_ELSEWHERE.contains(&shape.reply.0);
            let reply = (!is_told).then(|| ("reply", tables.table("`ok`", &ok)));
            tables.of.insert(shape.name.to_owned(), fields.into_iter().chain(reply).collect());
        }
        for event in events {
            let table = tables.table("`d`", &event.d);
            tables.of.insert(event.ev, vec![("event", table)]);
        }
        tables
    }

    /// Writes the fields of a schema as a table.
    fn table(&self, of: &str, schema: &Value) -> String {
        let mut table = format!("| field of {of} | kind | what |\n|---|---|---|\n");
        for (name, (property, is_required)) in self.fields(schema) {
            let mark = if is_required { "" } else { "?" };
            let what = property["description"].as_str().unwrap_or_default();
            let what = what.split("\n\n").next().unwrap_or_default().replace('|', "\\|");
            writeln!(table, "| `{name}`{mark} | {} | {what} |", self.kind(&property))
                .expect("a string takes every write");
        }
        table
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next());
        name.map_or(schema, |name| &self.schemas[name])
    }

    /// Returns every field of a schema and whether it is always there; of a choice, those of each.
    fn fields(&self, schema: &Value) -> BTreeMap<String, (Value, bool)> {
        let schema = self.resolved(schema);
        let mut fields = BTreeMap::new();
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            fields.insert(name.clone(), (property.clone(), required(name)));
        }
        let choices: Vec<_> = ["oneOf", "anyOf"]
            .iter()
            .filter_map(|key| schema[*key].as_array())
            .flatten()
            .map(|choice| self.fields(choice))
            .collect();
        for choice in &choices {
            for (name, (property, _)) in choice {
                let everywhere = choices.iter().all(|choice| choice.get(name).is_some_and(|field| field.1));
                let differs =
                    choices.iter().any(|choice| choice.get(name).is_some_and(|field| field.0 != *property));
                let property = if differs { Value::Null } else { property.clone() };
                fields.insert(name.clone(), (property, everywhere));
            }
        }
        fields
    }

    fn kind(&self, property: &Value) -> String {
        if property.is_null() {
            return "see below".to_owned();
        }
        if let Some(choices) = property["anyOf"].as_array() {
            return choices.iter().map(|choice| self.kind(choice)).collect::<Vec<_>>().join(" or ");
        }
        let name = property["$ref"].as_str().and_then(|target| target.rsplit('/').next());
        let schema = self.resolved(property);
        if let Some(words) = schema["enum"].as_array().filter(|words| words.len() <= 4) {
            let words: Vec<_> =
                words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
            return words.join(", ");
        }
        match (name, schema["type"].as_str()) {
            (Some("Seq"), _) => "position".to_owned(),
            (Some("Timestamp"), _) => "time".to_owned(),
            (Some(_), _) if schema["format"] == "uuid" => "id".to_owned(),
            (Some(name), _) => name.to_owned(),
            (None, Some("array")) => format!("list of {}", self.kind(&schema["items"])),
            (None, Some("string")) => "text".to_owned(),
            (None, Some("integer" | "number")) => "number".to_owned(),
            (None, Some(other)) => other.to_owned(),
            (None, None) => "any".to_owned(),
        }
    }

    /// Returns the page with the tables as they have to be now.
    fn written(&self, page: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        let mut rest = page.lines().peekable();
        while let Some(line) = rest.next() {
            if line.starts_with("| field of `") {
                while rest.next_if(|line| !line.is_empty()).is_some() {}
                rest.next_if(|line| line.is_empty());
                continue;
            }
            if line.starts_with('#') {
                wanted = self.wanted(line);
            }
            if let Some(kind) = line.strip_prefix("```json ")
                && let Some(at) = wanted.iter().position(|(of, _)| *of == kind)
            {
                lines.push(wanted.remove(at).1.to_owned());
            }
            lines.push(line.to_owned());
        }
        lines.join("\n") + "\n"
    }

    fn wanted(&self, heading: &str) -> Vec<(&str, &str)> {
        let name = heading.trim_start_matches(['#', ' ']).trim_matches('`');
        let tables = self.of.get(name).into_iter().flatten();
        tables.map(|(kind, table)| (*kind, table.as_str())).collect()
    }
}

/// Returns the sections of all pages: heading and text.
fn sections(tree: &Tree) -> BTreeMap<&str, String> {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    for page in pages(tree) {
        let mut heading = "";
        for line in tree.required(page).lines() {
            if line.starts_with('#') {
                heading = line.trim_start_matches(['#', ' ']).trim_matches('`');
            }
            let section = sections.entry(heading).or_default();
            section.push_str(line);
            section.push('\n');
        }
    }
    sections
}

/// Returns the events that the index says are not sent yet.
fn unsent(page: &str) -> Vec<&str> {
    let paragraph = page.split("\n\n").find(|text| text.starts_with("Events that are not sent yet:"));
    paragraph.map(ticked).unwrap_or_default()
}

#[test]
fn the_tables_of_fields_are_up_to_date() {
    let (tree, tables) = (Tree::read(), Tables::new());
    for page in pages(&tree) {
        expect_file(page, &tables.written(tree.required(page)));
    }
}

#[test]
fn every_op_tells_who_may_and_what_is_refused() {
    let tree = Tree::read();
    let sections = sections(&tree);
    let unserved = unserved(tree.required(PAGE));
    let mut missing = Vec::new();
    for op in Op::NAMES.iter().filter(|op| !unserved.contains(op)) {
        let Some(section) = sections.get(op) else {
            missing.push(format!("{op} has no section on a page of docs/protocol/"));
            continue;
        };
        let said = section.split_once("**Who may**: ").and_then(|(_, rest)| rest.split_once("**Errors**: "));
        let Some((_, errors)) = said else {
            missing
                .push(format!("{op} does not say `**Who may**: …. **Errors**: ….` above its first example"));
            continue;
        };
        let errors = errors.split("\n\n").next().unwrap_or_default();
        let none = errors.starts_with("none");
        if !none && !ticked(errors).iter().any(|word| word.parse::<ErrorCode>().is_ok()) {
            missing.push(format!("{op} names no code of an error"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_event_has_a_section_or_is_not_sent_yet() {
    let tree = Tree::read();
    let sections = sections(&tree);
    let unsent: BTreeSet<_> = unsent(tree.required(PAGE)).into_iter().map(str::to_owned).collect();
    let all: BTreeSet<_> = events(&mut Schemas::new()).into_iter().map(|event| event.ev).collect();
    let told: BTreeSet<_> = all
        .iter()
        .filter(|ev| sections.get(ev.as_str()).is_some_and(|text| text.contains("```json event")))
        .cloned()
        .collect();
    assert_eq!(told.union(&unsent).cloned().collect::<BTreeSet<_>>(), all);
    assert!(told.is_disjoint(&unsent), "told and not sent: {:?}", told.intersection(&unsent));
}

#[test]
fn a_table_is_put_above_its_example_and_an_old_one_taken_away() {
    let tables = Tables::new();
    let bare = "## `room.get`\n\nOne room.\n\n```json command\n{}\n```\n";
    let with = tables.written(bare);
    assert!(with.contains("| `room` | id | Which. |\n\n```json command"), "{with}");
    assert_eq!(tables.written(&with), with);
    assert_eq!(tables.written(&with.replace("Which.", "Which one.")), with);
}
