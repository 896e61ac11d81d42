//! What is wrong with a configuration, in words that say where to mend it.

use super::layer::Merged;
use std::fmt;

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, or is not TOML.
    #[error("read {file}: {cause}")]
    File {
        /// Which file.
        file: String,
        /// What the system or the parser says.
        cause: String,
    },
    /// No setting has this name.
    #[error("use {key} from {origin}: there is no such setting; {allowed}")]
    Unknown {
        /// The key that was written.
        key: String,
        /// The file or the variable.
        origin: String,
        /// The names there are.
        allowed: String,
    },
    /// The value is of another type or outside its range.
    #[error("use {key} from {origin}: found {found}, allowed is {allowed}")]
    Value {
        /// Which setting.
        key: String,
        /// The file, the variable or the flag.
        origin: String,
        /// What was written; a secret is never shown.
        found: String,
        /// What may be written.
        allowed: String,
    },
}

/// Every mistake found, in the order of the sections; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

/// Collects the mistakes of all sections, so that one run shows them all.
pub(super) struct Problems<'a> {
    merged: &'a Merged,
    found: Vec<ConfigError>,
}

impl<'a> Problems<'a> {
    pub(super) const fn new(merged: &'a Merged) -> Self {
        Self { merged, found: Vec::new() }
    }

    /// Notes that `key` holds `found`, which is not `allowed`.
    pub(super) fn value(&mut self, key: &str, found: impl fmt::Display, allowed: impl Into<String>) {
        self.found.push(ConfigError::Value {
            key: key.to_owned(),
            origin: self.merged.origin(key),
            found: format!("`{found}`"),
            allowed: allowed.into(),
        });
    }

    /// Returns `value` when it is from `least` to `most`; otherwise notes it and returns `least`.
    pub(super) fn number(&mut self, key: &str, value: u64, least: u64, most: u64) -> u64 {
        if (least..=most).contains(&value) {
            return value;
        }
        self.value(key, value, format!("a whole number from {least} to {most}"));
        least
    }

    /// Parses `text`, or notes that it is not `allowed`.
    pub(super) fn parse<T: std::str::FromStr>(&mut self, key: &str, text: &str, allowed: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.value(key, text, allowed);
        }
        value
    }

    pub(super) fn into_result(self) -> Result<(), ConfigErrors> {
        if self.found.is_empty() { Ok(()) } else { Err(ConfigErrors(self.found)) }
    }
}
