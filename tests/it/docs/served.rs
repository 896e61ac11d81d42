//! The wire contract's pages against a running server: the examples are a conversation that can be had,
//! and what they call not served is not.

use super::examples::{Example, examples, unserved};
use super::pages::PAGE;
use crate::tidy::tree::Tree;
use rookery_protocol::{Op, RoomId};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

/// Ids and the token of the page's examples, and what they are on this server.
#[derive(Debug)]
struct Cast(Vec<(String, String)>);

impl Cast {
    fn of(examples: &[Example<'_>], alice: &TestUser, bob: &TestUser) -> Self {
        let auth = parsed(first(examples, "auth", "command"));
        let added = parsed(first(examples, "member.add", "command"));
        let shown = [
            (parsed(first(examples, "auth", "reply"))["ok"]["user"]["id"].clone(), alice.id().to_string()),
            (added["d"]["users"][0].clone(), bob.id().to_string()),
            (auth["d"]["token"].clone(), alice.token().to_owned()),
        ];
        let text = |value: Value| value.as_str().expect("the page shows a text there").to_owned();
        Self(shown.into_iter().map(|(shown, here)| (text(shown), here)).collect())
    }

    fn plays(&mut self, shown: &Value, here: &Value) {
        let text = |value: &Value| value.as_str().expect("an id is a text").to_owned();
        self.0.push((text(shown), text(here)));
    }

    /// Returns the command of an example, as it has to be said here.
    fn speak(&self, example: &Example<'_>) -> (String, Value) {
        let text = self.0.iter().fold(example.text.clone(), |text, (shown, here)| text.replace(shown, here));
        let mut command: Value = serde_json::from_str(&text).expect("an example is JSON");
        let op = command["op"].as_str().expect("a command has an op").to_owned();
        (op, command.get_mut("d").map_or_else(|| json!({}), Value::take))
    }
}

fn first<'a, 'p>(examples: &'a [Example<'p>], section: &str, kind: &str) -> &'a Example<'p> {
    examples
        .iter()
        .find(|example| example.section == section && example.kind == kind)
        .unwrap_or_else(|| panic!("{section} shows no {kind}"))
}

fn parsed(example: &Example<'_>) -> Value {
    serde_json::from_str(&example.text).expect("an example is JSON")
}

/// Returns a value without what differs from run to run: ids and times become their kind, and a name
/// is not told from a handle.
fn told(value: &Value) -> Value {
    /// Later than 2001 in milliseconds, and more than any position in an example.
    const FIRST_TIME: u64 = 1_000_000_000_000;
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), told(value))).collect(),
        Value::Array(items) => items.iter().map(told).collect(),
        Value::String(text) if text.parse::<RoomId>().is_ok() => "an id".into(),
        Value::String(text) if text.starts_with("http") => "a link".into(),
        Value::String(text) if is_secret(text) => "a secret".into(),
        Value::String(text) => text.to_lowercase().into(),
        Value::Number(number) if number.as_u64().is_some_and(|number| number >= FIRST_TIME) => {
            "a time".into()
        }
        other => other.clone(),
    }
}

/// Whether a text is one that lets somebody in: an invite.
fn is_secret(text: &str) -> bool {
    /// Characters of an invite.
    const INVITE_CHARS: usize = 22;
    let is_of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == INVITE_CHARS && text.bytes().all(is_of_base64)
}

#[tokio::test]
async fn the_examples_are_a_conversation_that_can_be_had() {
    let tree = Tree::read();
    let examples = examples(&tree);
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut cast = Cast::of(&examples, &alice, &bob);
    let mut wire = Wire::open(node.http()).await;
    let mut commands: Vec<_> =
        examples.iter().enumerate().filter(|(_, example)| example.kind == "command").collect();
    // The page explains what a command is before it explains `auth`, which has to come first.
    commands.sort_by_key(|(_, example)| example.section != "auth");
    for (index, example) in commands {
        let (op, d) = cast.speak(example);
        let said = wire.ok(&op, d).await;
        let Some(shown) = examples.get(index + 1).filter(|next| next.kind == "reply") else { continue };
        let shown = &parsed(shown)["ok"];
        assert_eq!(told(&said), told(shown), "{}:{}: `{op}` answers {said}", example.page, example.line);
        match &*op {
            "room.create" => cast.plays(&shown["id"], &said["id"]),
            "invite.create" => cast.plays(&shown["invite"], &said["invite"]),
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_the_page_calls_not_served_is_unsupported() {
    let tree = Tree::read();
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut wire = Wire::log_in(node.http(), alice.token()).await;
    let unserved = unserved(tree.required(PAGE));
    for op in Op::NAMES {
        let golden = tree.required(&format!("schemas/golden/command.{op}.json"));
        let golden: Value = serde_json::from_str(golden).expect("a golden frame is JSON");
        let d = golden["json"].get("d").cloned().unwrap_or_else(|| json!({}));
        if unserved.contains(op) {
            assert_eq!(wire.refused(op, d).await, "unsupported", "{op}");
        } else if *op != "auth" {
            // Refused for its room or its users, perhaps, but served.
            let code = wire.call(op, d).await.map_or_else(|mut error| error["code"].take(), |_| Value::Null);
            assert_ne!(code, "unsupported", "{op}");
        }
    }
}
