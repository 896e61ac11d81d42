//! Schemas as documents hold them: those of the types, without what only Rust or serde means.

use rookery_protocol::SchemaOf;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Where a document keeps its schemas.
const PLACE: &str = "/components/schemas";

/// Collects the schemas of one document.
#[derive(Debug)]
pub(crate) struct Schemas(SchemaGenerator);

impl Schemas {
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = PLACE.into();
            settings.meta_schema = None;
        });
        Self(settings.into_generator())
    }

    /// Returns the schema of a type, or a reference to it.
    pub(crate) fn of(&mut self, schema: SchemaOf) -> Value {
        let mut schema = schema(&mut self.0).to_value();
        if schema == true {
            // Anything at all; some readers of documents know only objects.
            schema = json!({});
        }
        tidy(&mut schema);
        schema
    }

    /// Returns all schemas that were referred to, by name.
    pub(crate) fn take(mut self) -> Map<String, Value> {
        let mut all = self.0.take_definitions(true);
        all.values_mut().for_each(tidy);
        for name in all.keys() {
            let is_second = name.ends_with(|letter: char| letter.is_ascii_digit());
            assert!(!is_second, "two types are called alike: give one `#[schemars(rename = …)]` ({name})");
        }
        all
    }
}

/// Makes a schema one that says what is on the wire, in few words.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(tidy);
            plain_description(fields);
            known_format(fields);
            never_null(fields);
            words_in_one(fields);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Keeps the first paragraph: the others are for who reads the code. Links of rustdoc become names.
fn plain_description(fields: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = fields.get_mut("description") {
        *text = plain(text);
    }
}

fn plain(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let mut plain = String::new();
    let mut rest = first.as_str();
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, end)) = after.split_once("`]") else { break };
        write!(plain, "{before}`{name}`").expect("a string takes every write");
        rest = match end.strip_prefix('(') {
            Some(target) => target.split_once(')').map_or("", |(_, rest)| rest),
            None => end,
        };
    }
    plain + rest
}

/// Takes formats away that are Rust's own.
fn known_format(fields: &mut Map<String, Value>) {
    let is_own = |format: &Value| format.as_str().is_some_and(|format| format.starts_with("uint"));
    if fields.get("type").is_some() && fields.get("format").is_some_and(is_own) {
        fields.remove("format");
    }
}

/// Takes `null` out of what may be absent: an absent field is left out.
fn never_null(fields: &mut Map<String, Value>) {
    let required: Vec<String> = fields
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    let Some(Value::Object(properties)) = fields.get_mut("properties") else { return };
    for (name, property) in properties {
        let Value::Object(property) = property else { continue };
        if required.contains(name) {
            continue;
        }
        if let Some(Value::Array(types)) = property.get_mut("type") {
            types.retain(|one| one != "null");
            if let [one] = &types[..] {
                let one = one.clone();
                property.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(any)) = property.get_mut("anyOf") {
            any.retain(|one| one["type"] != "null");
            if let [Value::Object(one)] = &any[..] {
                let one = one.clone();
                property.remove("anyOf");
                property.extend(one);
            }
        }
    }
}

/// Makes one list of words of a choice between words, and says in its description what each means.
fn words_in_one(fields: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = fields.get("oneOf") else { return };
    if !choices.iter().all(|choice| choice["const"].is_string()) {
        return;
    }
    let words: Vec<Value> = choices.iter().map(|choice| choice["const"].clone()).collect();
    let meanings = choices.iter().filter_map(|choice| {
        Some(format!("- `{}`: {}", choice["const"].as_str()?, choice["description"].as_str()?))
    });
    let meanings: Vec<_> = meanings.collect();
    let what = fields.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{what}\n\n{}", meanings.join("\n"));
    fields.remove("oneOf");
    fields.insert("type".to_owned(), json!("string"));
    fields.insert("enum".to_owned(), Value::Array(words));
    fields.insert("description".to_owned(), json!(description));
}

#[test]
fn what_only_rust_means_is_left_out() {
    let mut schema = json!({
        "description": "A room's [`Seq`], see [`next`](crate::Seq::next).\n\nMore.",
        "type": "object",
        "properties": {
            "a": {"type": ["integer", "null"], "format": "uint32", "minimum": 0},
            "b": {"description": "B.", "anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
            "c": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
            "d": {"oneOf": [{"const": "on", "description": "On."}, {"const": "off", "description": "Off."}]},
        },
        "required": ["c"],
    });
    tidy(&mut schema);
    let wanted = json!({
        "description": "A room's `Seq`, see `next`.",
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 0},
            "b": {"description": "B.", "$ref": "#/x"},
            "c": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
            "d": {"type": "string", "enum": ["on", "off"], "description": "\n\n- `on`: On.\n- `off`: Off."},
        },
        "required": ["c"],
    });
    assert_eq!(schema, wanted);
}
