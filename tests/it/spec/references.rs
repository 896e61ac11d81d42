//! The documents hold together: every reference leads somewhere, every example is what it says.

use super::{asyncapi, openapi};
use crate::tidy::tree::Tree;
use rookery_tests::contract::validator;
use serde_json::Value;

/// Calls `look` with every value of a document and its place in it.
fn walk(value: &Value, place: &str, look: &mut impl FnMut(&str, &Value)) {
    look(place, value);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(value, &format!("{place}/{name}"), look);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(value, &format!("{place}/{index}"), look);
            }
        }
        _ => {}
    }
}

/// Returns the references that lead nowhere.
fn broken(document: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    walk(document, "", &mut |place, value| {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else { return };
        let found = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        if found.is_none() {
            broken.push(format!("{place}: {target}"));
        }
    });
    broken
}

/// Returns the schemas that nothing refers to.
fn unused(document: &Value) -> Vec<String> {
    let mut used = std::collections::BTreeSet::new();
    walk(document, "", &mut |_, value| {
        used.extend(value.get("$ref").and_then(Value::as_str).map(str::to_owned));
    });
    let all = document["components"]["schemas"].as_object().expect("there are schemas");
    all.keys().filter(|name| !used.contains(&format!("#/components/schemas/{name}"))).cloned().collect()
}

/// Returns the examples that are not what stands beside them, and how many there are.
fn wrong_examples(document: &Value) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut check = |place: &str, schema: &str, example: &Value| {
        count += 1;
        if let Err(why) = validator(document, schema).validate(example) {
            wrong.push(format!("{place}: {why}"));
        }
    };
    walk(document, "", &mut |place, value| {
        if let (Some(_), Some(example)) = (value.get("schema"), value.get("example")) {
            check(place, &format!("{place}/schema"), example);
        }
        if let (Some(_), Some(Value::Array(examples))) = (value.get("payload"), value.get("examples")) {
            for example in examples {
                check(place, &format!("{place}/payload"), &example["payload"]);
            }
        }
        if let (Some(Value::Array(examples)), true) = (value.get("examples"), value.get("type").is_some()) {
            for example in examples {
                check(place, place, example);
            }
        }
    });
    (wrong, count)
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let tree = Tree::read();
    for document in [openapi::document(&tree), asyncapi::document(&tree)] {
        assert_eq!(broken(&document), Vec::<String>::new());
        assert_eq!(unused(&document), Vec::<String>::new());
    }
}

#[test]
fn every_example_is_what_it_says() {
    let tree = Tree::read();
    let (wrong, count) = wrong_examples(&openapi::document(&tree));
    assert!(wrong.is_empty() && count > 10, "{count} examples\n{}", wrong.join("\n"));
    let (wrong, count) = wrong_examples(&asyncapi::document(&tree));
    assert!(wrong.is_empty() && count > 80, "{count} examples\n{}", wrong.join("\n"));
}

#[test]
fn a_reference_into_nothing_and_a_wrong_example_are_found() {
    let document = serde_json::json!({
        "a": {"$ref": "#/components/schemas/Gone"},
        "b": {"schema": {"type": "string"}, "example": 7},
        "c": {"schema": {"type": "string"}, "example": "seven"},
        "components": {"schemas": {"Left": {"type": "string", "examples": [8]}}},
    });
    assert_eq!(broken(&document).len(), 1);
    assert_eq!(unused(&document), ["Left"]);
    assert_eq!(wrong_examples(&document).0.len(), 2);
}
