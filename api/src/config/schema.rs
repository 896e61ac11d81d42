//! The JSON Schema of the configuration file, and what it says of each setting.

use super::RawConfig;
use serde_json::Value;
use std::sync::OnceLock;

/// Returns the JSON Schema of the configuration file (draft 2020-12), without references.
pub fn json_schema() -> Value {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<RawConfig>().to_value()
}

/// Lists every setting as `section.name`, in the order of the schema.
pub(super) fn keys() -> impl Iterator<Item = String> {
    sections().flat_map(|section| {
        let names = properties(&schema()["properties"][&section]);
        names.map(move |name| format!("{section}.{name}")).collect::<Vec<_>>()
    })
}

/// Lists the sections.
pub(super) fn sections() -> impl Iterator<Item = String> {
    properties(schema())
}

/// Returns whether `key` takes a list.
pub(super) fn is_list(key: &str) -> bool {
    setting(key)["type"] == "array"
}

/// Returns whether `key` is never shown and may stand in a file of its own.
pub(super) fn is_secret(key: &str) -> bool {
    setting(key)["writeOnly"] == true
}

/// Returns whether a reload takes a change of `key` over; of the others it needs a restart.
pub(super) fn is_reloaded(key: &str) -> bool {
    setting(key)["x-reload"] == true
}

fn setting(key: &str) -> &'static Value {
    let (section, name) = key.split_once('.').unwrap_or((key, ""));
    &schema()["properties"][section]["properties"][name]
}

fn properties(of: &'static Value) -> impl Iterator<Item = String> {
    of["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone())
}

/// The schema is a constant that costs a tree to make, so it is made once.
fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(json_schema)
}
