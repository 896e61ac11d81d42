//! `schemas/asyncapi.json`: the ops, their replies and the events as AsyncAPI 3.0.

use super::examples::Golden;
use super::schemas::Schemas;
use crate::tidy::tree::Tree;
use rookery_protocol::{COMMAND_ID_MAX, Op, OpShape, ServerEvent, WireError};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The one channel.
const CHANNEL: &str = "#/channels/socket";

/// What is said of one event: its name, what it means, the schema of `d`.
pub(crate) struct EventShape {
    pub(crate) ev: String,
    pub(crate) what: String,
    pub(crate) d: Value,
}

/// Reads the events off their enumeration's schema.
pub(crate) fn events(schemas: &mut Schemas) -> Vec<EventShape> {
    // The enumeration is wanted only for its parts, so its own schema is made in place.
    let schema = schemas.of(<ServerEvent as schemars::JsonSchema>::json_schema);
    let choices = schema["oneOf"].as_array().expect("events are a choice").clone();
    choices
        .into_iter()
        .map(|choice| {
            let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
            EventShape {
                ev: text(&choice["properties"]["ev"]["const"]),
                what: text(&choice["description"]),
                d: choice["properties"]["d"].clone(),
            }
        })
        .collect()
}

/// Makes the document.
pub(super) fn document(tree: &Tree) -> Value {
    let mut schemas = Schemas::new();
    let golden = Golden::read(tree);
    let error = schemas.of(SchemaGenerator::subschema_for::<WireError>);
    let events = events(&mut schemas);
    let mut messages = Map::new();
    let mut operations = Map::new();
    messages.insert("refused".to_owned(), refused(&error, &golden));
    for shape in Op::SHAPES {
        let d = shape.fields.map(|(_, fields)| schemas.of(fields));
        let ok = schemas.of(shape.reply.1);
        messages.insert(shape.name.to_owned(), command(shape, d, &golden));
        messages.insert(format!("{}.ok", shape.name), reply(shape, &ok, &golden));
    }
    let mut schemas = schemas.take();
    for shape in Op::SHAPES {
        let what = what(shape, &schemas);
        messages[shape.name]["summary"] = json!(what);
        operations.insert(shape.name.to_owned(), asked(shape, &what));
    }
    for event in &events {
        messages.insert(format!("event.{}", event.ev), told(event, &golden));
        operations.insert(format!("event.{}", event.ev), tells(event));
    }
    schemas.insert("CommandId".to_owned(), command_id());
    let on_the_channel: Map<String, Value> = messages
        .keys()
        .map(|name| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")})))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rookery",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What is said over the WebSocket. A client sends commands, one or an array of 1 to 32 \
                in a frame; every command gets one reply with its `id`; the server sends events unasked, `hello` \
                first. JSON is described here; MessagePack has the same maps, with ids as 16 bytes. The requests \
                are in `/openapi.json`.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:7080",
                "protocol": "ws",
                "description": "Where a server listens that was told nothing else.",
                "security": [
                    {"$ref": "#/components/securitySchemes/accessToken"},
                    {"$ref": "#/components/securitySchemes/ticket"},
                ],
            },
        },
        "channels": {"socket": channel(&on_the_channel)},
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Not as a header: in the command `auth`.",
                },
                "ticket": {
                    "type": "httpApiKey",
                    "name": "ticket",
                    "in": "query",
                    "description": "From `POST /v1/auth/ticket`, good once.",
                },
            },
        },
    })
}

fn channel(messages: &Map<String, Value>) -> Value {
    json!({
        "address": "/v1/ws",
        "description": "One WebSocket, with all of a client's rooms.",
        "messages": messages,
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {"ticket": {"type": "string", "description": "Authenticates at once."}},
                },
                "headers": {
                    "type": "object",
                    "properties": {
                        "Sec-WebSocket-Protocol": {
                            "type": "string",
                            "enum": ["rookery.v1.json", "rookery.v1.msgpack"],
                            "description": "None means JSON.",
                        },
                    },
                },
                "bindingVersion": "0.1.0",
            },
        },
    })
}

fn command_id() -> Value {
    json!({
        "description": "What a reply is named by; chosen by the client.",
        "type": "integer",
        "minimum": 1,
        "maximum": COMMAND_ID_MAX,
    })
}

/// What an op does: the first sentence of its struct.
fn what(shape: &OpShape, schemas: &Map<String, Value>) -> String {
    let Some((name, _)) = shape.fields else { return "Asks for the server's time.".to_owned() };
    let what = schemas[name]["description"].as_str();
    what.unwrap_or_else(|| panic!("{name} does not say what it does")).to_owned()
}

fn command(shape: &OpShape, d: Option<Value>, golden: &Golden) -> Value {
    let mut payload = json!({
        "type": "object",
        "required": ["id", "op"],
        "properties": {"id": {"$ref": "#/components/schemas/CommandId"}, "op": {"const": shape.name}},
    });
    if let Some(d) = d {
        payload["properties"]["d"] = d;
        payload["required"] = json!(["id", "op", "d"]);
    }
    json!({
        "name": shape.name,
        "title": shape.name,
        "tags": [{"name": "command"}],
        "payload": payload,
        "examples": [{"payload": golden.command(shape.name)}],
    })
}

fn reply(shape: &OpShape, ok: &Value, golden: &Golden) -> Value {
    let examples = golden.replies(shape.reply.0);
    json!({
        "name": format!("{}.ok", shape.name),
        "title": format!("{} was done", shape.name),
        "tags": [{"name": "reply"}],
        "payload": {
            "type": "object",
            "required": ["id", "ok"],
            "properties": {"id": {"$ref": "#/components/schemas/CommandId"}, "ok": ok},
        },
        "examples": examples.iter().map(|frame| json!({"payload": frame})).collect::<Vec<_>>(),
    })
}

fn refused(error: &Value, golden: &Golden) -> Value {
    let refusals = golden.all().map(|(_, frame)| frame).filter(|frame| frame.get("err").is_some());
    json!({
        "name": "refused",
        "title": "a command was not done",
        "tags": [{"name": "reply"}],
        "payload": {
            "type": "object",
            "required": ["id", "err"],
            "properties": {"id": {"$ref": "#/components/schemas/CommandId"}, "err": error},
        },
        "examples": refusals.map(|frame| json!({"payload": frame})).collect::<Vec<_>>(),
    })
}

fn told(event: &EventShape, golden: &Golden) -> Value {
    let EventShape { ev, what, d } = event;
    json!({
        "name": ev,
        "title": ev,
        "summary": what,
        "tags": [{"name": "event"}],
        "payload": {
            "type": "object",
            "required": ["ev", "d"],
            "properties": {"ev": {"const": ev}, "d": d},
        },
        "examples": golden.events(ev).iter().map(|frame| json!({"payload": frame})).collect::<Vec<_>>(),
    })
}

fn message(name: &str) -> Value {
    json!({"$ref": format!("{CHANNEL}/messages/{name}")})
}

/// A command and its reply, as the server sees them.
fn asked(shape: &OpShape, what: &str) -> Value {
    json!({
        "action": "receive",
        "channel": {"$ref": CHANNEL},
        "summary": what,
        "messages": [message(shape.name)],
        "reply": {
            "channel": {"$ref": CHANNEL},
            "messages": [message(&format!("{}.ok", shape.name)), message("refused")],
        },
    })
}

fn tells(event: &EventShape) -> Value {
    json!({
        "action": "send",
        "channel": {"$ref": CHANNEL},
        "summary": event.what,
        "messages": [message(&format!("event.{}", event.ev))],
    })
}

#[test]
fn the_document_is_up_to_date() {
    super::expect_up_to_date("asyncapi.json", &document(&Tree::read()));
}

#[test]
fn its_messages_are_the_ops_their_replies_and_the_events() {
    let document = document(&Tree::read());
    let written: BTreeSet<&str> =
        document["channels"]["socket"]["messages"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut there: BTreeSet<String> = Op::NAMES.iter().map(|op| (*op).to_owned()).collect();
    there.extend(Op::NAMES.iter().map(|op| format!("{op}.ok")));
    there.extend(events(&mut Schemas::new()).iter().map(|event| format!("event.{}", event.ev)));
    there.insert("refused".to_owned());
    assert_eq!(written, there.iter().map(String::as_str).collect());
}
