//! `schemas/protocol.schema.json`: the shapes as JSON Schema, generated from the types.

use rookery_protocol::{Command, Reply, ServerEvent};
use schemars::generate::SchemaSettings;
use schemars::json_schema;
use std::path::PathBuf;

/// Whether generated files are to be written anew and not compared.
#[expect(clippy::disallowed_methods, reason = "what a test is asked for comes by the environment")]
pub(crate) fn is_update() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

fn schema() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let frames = [
        generator.subschema_for::<Command>(),
        generator.subschema_for::<Reply>(),
        generator.subschema_for::<ServerEvent>(),
    ];
    let mut schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rookery wire protocol, version 1, as JSON",
        "description": "Any one frame: a command, a reply or an event. A client may also send an array of 1 to 32 commands.",
        "anyOf": frames,
    });
    schema.insert("$defs".to_owned(), generator.take_definitions(true).into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[test]
fn the_schema_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/protocol.schema.json");
    let now = schema();
    if is_update() {
        std::fs::write(&path, &now).expect("write the file");
    }
    let there = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes it", path.display()));
    assert!(
        there == now,
        "the types have changed: UPDATE=1 cargo test -p rookery-protocol writes the schema anew"
    );
}
