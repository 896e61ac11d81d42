//! The examples of docs/PROTOCOL.md: each is decoded, and encodes to what is written, so that a
//! misspelt field, which decoding would ignore, is found as well.

use crate::tidy::tree::{Tree, ticked};
use rookery_protocol::{
    Authenticated, Codec, Found, History, Members, Op, Pong, RawBody, ReplyBody, Room, RoomOpened, Rooms,
    Sent, ServerEvent, ServerFrame, Written, limits,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const PAGE: &str = "docs/PROTOCOL.md";

/// A fenced block marked `json` and what it is.
#[derive(Debug)]
pub(super) struct Example<'a> {
    /// `command`, `reply` or `event`.
    pub(super) kind: &'a str,
    /// The heading it stands under, without its signs.
    pub(super) section: &'a str,
    pub(super) line: usize,
    pub(super) text: String,
}

pub(super) fn examples(page: &str) -> Vec<Example<'_>> {
    let mut examples: Vec<Example<'_>> = Vec::new();
    let mut section = "";
    let mut open = false;
    for (line, text) in (1..).zip(page.lines()) {
        if let Some(kind) = text.strip_prefix("```json ") {
            examples.push(Example { kind, section, line, text: String::new() });
            open = true;
        } else if text == "```" {
            open = false;
        } else if open {
            examples.last_mut().expect("a block was begun").text.push_str(text);
        } else if text.starts_with('#') {
            section = text.trim_start_matches(['#', ' ']).trim_matches('`');
        }
    }
    examples
}

/// Returns what is wrong with an example, if anything is.
fn fault(example: &Example<'_>) -> Option<String> {
    let checked = match example.kind {
        "command" => command(example),
        "reply" => reply(example),
        "event" => event(example),
        other => Err(format!("{other} is none of command, reply, event")),
    };
    checked.err().map(|why| format!("{PAGE}:{}: {why}", example.line))
}

fn command(example: &Example<'_>) -> Result<(), String> {
    let written = json(&example.text)?;
    let incoming = Codec::Json.decode_commands(example.text.as_bytes()).map_err(|error| error.to_string())?;
    let [decoded] = &incoming.commands[..] else { return Err("not one command".to_owned()) };
    let command = decoded.as_ref().map_err(|rejected| rejected.error.to_string())?;
    let op = command.op.name();
    if is_op(example.section) && op != example.section {
        return Err(format!("{op} stands under {}", example.section));
    }
    same(&written, command)
}

fn reply(example: &Example<'_>) -> Result<(), String> {
    let written = json(&example.text)?;
    match server_frame(&example.text)? {
        ServerFrame::Ok { body, .. } => ok_body(example.section, &body, &written["ok"]),
        ServerFrame::Err { error, .. } => {
            let is_as_its_code_says = error.retryable == error.code.retryable();
            same(&written["err"], &error).and(if is_as_its_code_says {
                Ok(())
            } else {
                Err("retryable".to_owned())
            })
        }
        ServerFrame::Event { .. } => Err("an event, not a reply".to_owned()),
    }
}

/// Reads the `ok` of a reply as what the op of its section answers.
fn ok_body(section: &str, body: &RawBody, written: &Value) -> Result<(), String> {
    match section {
        "Commands and replies" => again::<Pong>(body, written),
        "auth" => again::<Authenticated>(body, written),
        "room.create" => again::<Room>(body, written),
        "room.list" => again::<Rooms>(body, written),
        "room.open" => again::<RoomOpened>(body, written),
        "room.close" => same(written, &ReplyBody::Empty {}),
        "room.history" => again::<History>(body, written),
        "member.list" => again::<Members>(body, written),
        "member.add" => again::<Written>(body, written),
        "message.search" => again::<Found>(body, written),
        "message.send" => again::<Sent>(body, written),
        other => Err(format!("say in this test what {other} answers")),
    }
}

/// Reads what is written as a `T` and compares what that encodes to.
fn again<T: DeserializeOwned + Serialize>(body: &RawBody, written: &Value) -> Result<(), String> {
    same(written, &read::<T>(body)?)
}

fn event(example: &Example<'_>) -> Result<(), String> {
    let event: ServerEvent =
        Codec::Json.decode(example.text.as_bytes()).map_err(|error| error.to_string())?;
    same(&json(&example.text)?, &event)
}

fn server_frame(text: &str) -> Result<ServerFrame, String> {
    Codec::Json.decode_server(text.as_bytes()).map_err(|error| error.to_string())
}

fn read<T: DeserializeOwned>(body: &RawBody) -> Result<T, String> {
    body.read().map_err(|error| error.to_string())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

fn same(written: &Value, decoded: &impl Serialize) -> Result<(), String> {
    let encoded = serde_json::to_value(decoded).map_err(|error| error.to_string())?;
    if encoded == *written { Ok(()) } else { Err(format!("written {written}\n  means {encoded}")) }
}

/// Whether a section is named after an op, which then is what its examples show.
fn is_op(section: &str) -> bool {
    Op::NAMES.contains(&section)
}

#[test]
fn every_example_is_what_it_says() {
    let tree = Tree::read();
    let examples = examples(tree.required(PAGE));
    let faults: Vec<String> = examples.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(examples.len() > 20, "the blocks are marked `json command`, `json reply`, `json event`");
}

#[test]
fn a_broken_example_is_found() {
    let broken = |kind, section, text: &str| {
        fault(&Example { kind, section, line: 1, text: text.to_owned() }).is_some()
    };
    assert!(!broken("command", "auth", r#"{"id":1,"op":"auth","d":{"token":"t"}}"#));
    assert!(broken("command", "auth", r#"{"id":1,"op":"auth","d":{"tokn":"t"}}"#));
    assert!(
        broken("command", "auth", r#"{"id":1,"op":"auth","d":{"token":"t","devise":"x"}}"#),
        "a misspelt field"
    );
    assert!(broken("command", "ping", r#"{"id":1,"op":"auth","d":{"token":"t"}}"#), "another section");
    assert!(broken("command", "ping", r#"{"id":1,"op":"pong"}"#));
    assert!(!broken("reply", "message.send", r#"{"id":1,"ok":{"seq":4,"ord":1,"at":5}}"#));
    assert!(broken("reply", "message.send", r#"{"id":1,"ok":{"seq":4,"ord":1}}"#));
    assert!(broken("reply", "room.close", r#"{"ev":"bye","d":{"code":4000,"reason":"draining"}}"#));
    assert!(broken("event", "hello", r#"{"ev":"room.removed","d":{"room":"tea","seq":1}}"#));
    assert!(broken("other", "hello", "{}"));
}

#[test]
fn every_op_has_an_example_or_is_not_served_yet() {
    let tree = Tree::read();
    let page = tree.required(PAGE);
    let shown: BTreeSet<String> = examples(page)
        .iter()
        .filter(|example| example.kind == "command")
        .filter_map(|example| json(&example.text).ok()?["op"].as_str().map(str::to_owned))
        .collect();
    let unserved: BTreeSet<String> = unserved(page).into_iter().map(str::to_owned).collect();
    let all: BTreeSet<String> = Op::NAMES.iter().map(|op| (*op).to_owned()).collect();
    assert!(shown.is_disjoint(&unserved), "shown and not served: {:?}", shown.intersection(&unserved));
    assert_eq!(shown.union(&unserved).cloned().collect::<BTreeSet<_>>(), all);
}

/// Returns the ops that the page says are not served yet.
pub(super) fn unserved(page: &str) -> Vec<&str> {
    page.lines()
        .skip_while(|line| *line != "## Not served yet")
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .skip_while(|line| !line.starts_with('`'))
        .take_while(|line| !line.is_empty())
        .flat_map(ticked)
        .collect()
}

#[test]
fn the_hello_that_is_shown_has_the_limits_of_the_code() {
    let tree = Tree::read();
    let examples = examples(tree.required(PAGE));
    let hello = examples.iter().find(|example| example.section == "hello").expect("hello has an example");
    let shown = json(&hello.text).expect("it is JSON");
    let there = serde_json::to_value(limits::Limits::default()).expect("limits encode");
    assert_eq!(shown["d"]["limits"], there);
    assert_eq!(shown["d"]["ping_every_ms"], limits::PING_EVERY_MS);
    assert_eq!(shown["d"]["auth_within_ms"], limits::AUTH_WITHIN_MS);
}
