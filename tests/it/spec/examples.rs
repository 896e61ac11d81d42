//! The golden frames as examples: of ops, of replies, of events, of single shapes.

use crate::tidy::tree::Tree;
use rookery_protocol::Op;
use serde_json::Value;

/// What is in `schemas/golden/`, read.
#[derive(Debug)]
pub(super) struct Golden(Vec<(String, Value)>);

impl Golden {
    pub(super) fn read(tree: &Tree) -> Self {
        let files = tree.files(".json").filter_map(|(path, text)| {
            let name = path.strip_prefix("schemas/golden/")?.trim_end_matches(".json");
            let mut file: Value = serde_json::from_str(text).expect("a golden file is JSON");
            Some((name.to_owned(), file["json"].take()))
        });
        Self(files.collect())
    }

    /// Returns every golden frame with the name of its file.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, frame)| (name.as_str(), frame))
    }

    /// Returns the command of an op.
    pub(super) fn command(&self, op: &str) -> &Value {
        let name = format!("command.{op}");
        &self.0.iter().find(|(file, _)| *file == name).unwrap_or_else(|| panic!("{name} is missing")).1
    }

    /// Returns the replies whose `ok` is a shape: `reply.room_opened` and its variants after a dot.
    pub(super) fn replies(&self, shape: &str) -> Vec<&Value> {
        let name = format!("reply.{}", snake(shape));
        let is_it =
            |file: &str| file == name || file.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
        let found: Vec<_> = self.all().filter(|(file, _)| is_it(file)).map(|(_, frame)| frame).collect();
        assert!(!found.is_empty(), "{name} is missing");
        found
    }

    /// Returns the events of a name.
    pub(super) fn events(&self, ev: &str) -> Vec<&Value> {
        let found: Vec<_> = self.all().map(|(_, frame)| frame).filter(|frame| frame["ev"] == ev).collect();
        assert!(!found.is_empty(), "an event {ev} is missing");
        found
    }

    /// Returns an example of the shape of this name, if a frame holds it: fields of a command, or what
    /// a reply gives.
    pub(super) fn shape(&self, name: &str) -> Option<Value> {
        let op = Op::SHAPES.iter().find(|shape| shape.fields.is_some_and(|(fields, _)| fields == name));
        if let Some(shape) = op {
            return Some(self.command(shape.name)["d"].clone());
        }
        let is_given = Op::SHAPES.iter().any(|shape| shape.reply.0 == name);
        is_given.then(|| self.replies(name)[0]["ok"].clone())
    }
}

/// Writes the name of a type as the name of a file.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
