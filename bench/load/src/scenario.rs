//! A scenario's file: what is played, and what has to hold of it.
//!
//! ```toml
//! name = "fanout-1000"
//! about = "A room of 1,000 connections, 128-byte texts, 20 messages/s, all durable."
//!
//! [quick.fanout]                # what `quick` plays, with its options as on the command line
//! connections = 1000
//! rate = 20
//! bytes = 128
//!
//! [options]                     # those that every play has
//! pin = true
//!
//! [[threshold]]                 # what has to hold; a run that breaks one ends with 3
//! holds = "floor_ratio <= 1.5"
//! promise = "server CPU a delivery at most 1.5 times that of the bare loop"
//! ```

use crate::condition::{Condition, ConditionError};
use crate::play::played;
use crate::quick::Phases;
use crate::result::{Derived, RunResult, Threshold};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Spanned, Value};

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What runs of it are called; that of the file.
    pub name: String,
    /// What it is about, in one sentence.
    pub about: String,
    /// What is played: the name of one that `quick` knows, and its options.
    #[serde(default)]
    quick: BTreeMap<String, Options>,
    /// Options that every play has: `pin`, `processes`, `codec`.
    #[serde(default)]
    options: Options,
    /// Or what is played phase by phase, which no `quick` knows.
    #[serde(default)]
    pub(crate) phases: Option<Phases>,
    /// What has to hold.
    #[serde(default, rename = "threshold")]
    pub thresholds: Vec<Promise>,
    /// Where it was read from, and what was read.
    #[serde(skip)]
    path: PathBuf,
    #[serde(skip)]
    text: String,
}

/// Options by their names, as on a command line but for the `--`; and where in the file each is.
type Options = BTreeMap<Spanned<String>, Spanned<Value>>;

/// Something that has to hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The condition.
    #[serde(deserialize_with = "condition")]
    pub holds: Condition,
    /// What was promised, in words; without it the condition stands in no table of promises.
    #[serde(default)]
    pub promise: Option<String>,
}

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not of this shape, or says something that cannot be.
    #[error("{path} is no scenario: {reason}")]
    Shape {
        /// Which.
        path: PathBuf,
        /// What is wrong, and in which line where it is in one.
        reason: String,
    },
}

fn condition<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Condition, D::Error> {
    let condition: Condition = String::deserialize(from)?.parse().map_err(serde::de::Error::custom)?;
    // What has to hold has to hold of one run, so there is nothing that it could be a change of.
    let known = condition.known();
    known.map_or(Ok(String::new()), |known| condition.limit(known)).map_err(serde::de::Error::custom)?;
    Ok(condition)
}

/// One word of a command line, and the line of the file that it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// When there is no such file or it is no scenario, with the line.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text =
            fs::read_to_string(path).map_err(|error| ScenarioError::File { path: path.to_owned(), error })?;
        let shape = |reason: String| ScenarioError::Shape { path: path.to_owned(), reason };
        let read: Self = toml::from_str(&text).map_err(|error| shape(error.to_string()))?;
        let scenario = Self { path: path.to_owned(), text, ..read };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if scenario.name != stem {
            return Err(shape(format!("its name is {}, that of the file {stem}", scenario.name)));
        }
        let plays = scenario.quick.len() + usize::from(scenario.phases.is_some());
        if plays != 1 {
            return Err(shape(format!(
                "it plays {plays} things; write one table [quick.NAME], or [[phases...]]"
            )));
        }
        if let Some(phases) = &scenario.phases {
            phases.check().map_err(shape)?;
        }
        Ok(scenario)
    }

    /// Reads all scenarios of a folder, by name.
    ///
    /// # Errors
    ///
    /// When the folder cannot be listed, or one of them is no scenario.
    pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths = files(folder, "toml")?;
        paths.sort();
        Ok(paths.iter().map(|path| Self::read(path)).collect::<Result<_, _>>()?)
    }

    /// Returns what one would type behind `rookery-bench quick` to have the same played, with the lines of the file.
    ///
    /// # Errors
    ///
    /// When an option's value cannot be typed.
    pub(crate) fn words(&self) -> Result<Vec<Word>, ScenarioError> {
        let line_at = |at: usize| self.text[..at].matches('\n').count() + 1;
        let mut words = Vec::new();
        let play = self.quick.iter().next();
        words.extend(play.map(|(name, _)| Word { text: name.clone(), line: 1 }));
        for (name, value) in self.options.iter().chain(play.into_iter().flat_map(|(_, options)| options)) {
            let line = line_at(value.span().start);
            let option = format!("--{}", name.get_ref().replace('_', "-"));
            let mut push = |text: String| words.push(Word { text, line });
            match value.get_ref() {
                Value::Boolean(true) => push(option),
                Value::Boolean(false) => {}
                value => {
                    let value = typed(value).ok_or_else(|| {
                        self.wrong(format!("line {line}: {} is neither a word nor a number", name.get_ref()))
                    })?;
                    push(format!("{option}={value}"));
                }
            }
        }
        Ok(words)
    }

    /// Sees whether it could be played.
    ///
    /// # Errors
    ///
    /// When there is no such play, or it has no such option, or not of that value; with the line of the file.
    pub fn check(&self) -> Result<(), ScenarioError> {
        played(self, &[]).map(|_| ())
    }

    /// Returns the error that something in this file is wrong.
    pub(crate) fn wrong(&self, reason: String) -> ScenarioError {
        ScenarioError::Shape { path: self.path.clone(), reason }
    }

    /// Returns how each threshold stands in a run.
    ///
    /// # Errors
    ///
    /// When one is about a figure that is counted in other units.
    pub fn judge(&self, run: &RunResult) -> Result<Vec<Threshold>, ConditionError> {
        let judge = |Promise { holds, .. }: &Promise| {
            let text = holds.to_string();
            let Ok(name) = holds.name_in(run) else {
                return Ok(Threshold { text, measured: None, is_kept: false });
            };
            let measured = run.figure(&name);
            let value = measured.unwrap_or(f64::NAN);
            Ok(Threshold { text, measured, is_kept: holds.is_true(&name, &run.unit(&name), value, None)? })
        };
        self.thresholds.iter().map(judge).collect()
    }
}

/// Returns a value as one types it.
fn typed(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Array(values) => Some(values.iter().map(typed).collect::<Option<Vec<_>>>()?.join(",")),
        _ => None,
    }
}

/// Returns the files of a folder with that ending.
pub(crate) fn files(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    use anyhow::Context;
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|own| own == ending)).collect())
}
