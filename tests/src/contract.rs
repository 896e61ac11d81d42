//! The contract as programs read it: what a server says is held against `schemas/openapi.json` and
//! `schemas/asyncapi.json`, in every test that hears it.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where the documents are.
const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas");

/// Makes the validator of the schema at a JSON pointer of a document.
///
/// # Panics
/// When there is no schema.
pub fn validator(document: &Value, pointer: &str) -> Validator {
    // A reference into the components is one from the root, wherever it stands.
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": {"schemas": document["components"]["schemas"]},
        "allOf": [document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing"))],
    });
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|error| panic!("{pointer} is no schema: {error}"))
}

/// One document with the validators that were needed so far.
#[derive(Debug)]
struct Document {
    content: Value,
    made: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Document {
    fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(format!("{SCHEMAS}/{name}")).expect("the document is there");
        let content = serde_json::from_str(&text).expect("the document is JSON");
        Self { content, made: Mutex::default() }
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let one = made.entry(pointer.to_owned());
        Arc::clone(one.or_insert_with(|| Arc::new(validator(&self.content, pointer))))
    }

    #[track_caller]
    fn expect(&self, pointer: &str, said: &Value) {
        if let Err(error) = self.validator(pointer).validate(said) {
            panic!("not as {pointer} of the contract has it: {error}\n{said}");
        }
    }
}

fn asyncapi() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::read("asyncapi.json"))
}

fn openapi() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::read("openapi.json"))
}

/// Holds a frame of the server against the contract. `asked` is the op that a reply answers, where it
/// is known.
///
/// # Panics
/// When the frame is not as the contract has it.
#[track_caller]
pub fn expect_frame(said: &Value, asked: Option<&str>) {
    let message = match (said["ev"].as_str(), said.get("ok"), asked) {
        (Some(ev), _, _) => format!("event.{ev}"),
        (None, None, _) => "refused".to_owned(),
        (None, Some(_), Some(op)) => format!("{op}.ok"),
        (None, Some(_), None) => return,
    };
    asyncapi().expect(&format!("/components/messages/{message}/payload"), said);
}

/// Holds an answer against the contract: its status has to be one that the operation names, its body
/// what stands there.
///
/// Errors that it does not name are faults of HTTP itself, and problems all the same.
///
/// # Panics
/// When the answer is not as the contract has it.
#[track_caller]
pub fn expect_answer(method: &str, path: &str, status: u16, body: Option<&Value>) {
    let problem = "/components/schemas/Problem";
    let operation = operation(method, path);
    let responses = operation.as_ref().map(|at| format!("{at}/responses/{status}"));
    let named = responses.filter(|at| openapi().content.pointer(at).is_some());
    match (named, body) {
        (Some(at), Some(body)) if status >= 400 && body.get("code").is_some() => {
            openapi().expect(problem, body);
            let codes = &openapi().content.pointer(&at).expect("it was found")["x-codes"];
            let is_named = codes.as_array().is_some_and(|codes| codes.contains(&body["code"]));
            assert!(is_named, "{method} {path}: `.fails` does not name {}\n{body}", body["code"]);
        }
        (Some(at), Some(body)) => {
            let schema = format!("{at}/content/application~1json/schema");
            if openapi().content.pointer(&schema).is_some() {
                openapi().expect(&schema, body);
            }
        }
        (Some(_), None) => {}
        (None, Some(body)) if status >= 400 => openapi().expect(problem, body),
        (None, _) => {
            let is_told = operation.is_none() || status >= 400;
            assert!(is_told, "{method} {path} answers {status}, which its row does not say");
        }
    }
}

/// Returns the pointer to the operation that serves this.
fn operation(method: &str, path: &str) -> Option<String> {
    let path = path.split('?').next()?;
    let paths = openapi().content["paths"].as_object()?;
    let is_it = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted.starts_with('{') || wanted == given => {}
                _ => return false,
            }
        }
    };
    // A path without names is meant before one with them.
    let mut found: Vec<&String> = paths.keys().filter(|template| is_it(template)).collect();
    found.sort_by_key(|template| template.matches('{').count());
    let template = found.first()?.replace('~', "~0").replace('/', "~1");
    let at = format!("/paths/{template}/{}", method.to_lowercase());
    openapi().content.pointer(&at).map(|_| at)
}
