//! `schemas/bench-run.schema.json`: the shape of a result, generated from the types.

use crate::{expect_file, file, sample};
use rookery_load::result::RunResult;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::path::PathBuf;

fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RunResult>();
    schema.insert("title".to_owned(), "The result of a run of rookery-bench, format 1".into());
    schema.into()
}

#[test]
fn the_schema_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/bench-run.schema.json");
    expect_file(&path, &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"));
}

#[test]
fn a_result_is_what_the_schema_says_and_a_misspelt_one_is_not() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let text = std::fs::read_to_string(file("fanout.json")).unwrap();
    let mut run: Value = serde_json::from_str(&text).unwrap();
    assert!(schema.is_valid(&run), "{:?}", schema.validate(&run));
    run["cuonts"] = run["counts"].take();
    assert!(!schema.is_valid(&run));
    assert!(!schema.is_valid(&serde_json::json!({ "format": 1 })));
    assert!(schema.is_valid(&serde_json::to_value(sample::fanout(2.0)).unwrap()));
}
