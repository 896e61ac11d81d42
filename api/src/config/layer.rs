//! The sources of the configuration, laid over each other.

use super::error::{ConfigError, ConfigErrors};
use super::{RawConfig, Setting, schema};
use config::{File, FileFormat, Map, Source, Value, ValueKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What every variable that is a setting begins with.
const PREFIX: &str = "ROOKERY_";

/// Ends a variable that names the file a secret stands in.
const FILE_SUFFIX: &str = "_FILE";

/// What stands for a secret wherever a setting is shown.
const HIDDEN: &str = "(set)";

/// Where settings come from; later fields win.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// The environment: `ROOKERY_SECTION__NAME`, and `ROOKERY_SECTION__NAME_FILE` for a secret.
    /// Variables without a section (`ROOKERY_URL`) are not settings and are left alone.
    pub env: BTreeMap<String, String>,
    /// Flags as (key, flag, value): `("server.listen", "--listen", "127.0.0.1:0")`.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// All sources laid over each other.
pub(super) struct Merged(config::Config);

/// Settings of one source, each with the name of what set it.
#[derive(Clone, Debug)]
struct Named(Vec<(String, Value)>);

impl Source for Named {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.iter().cloned().collect())
    }
}

/// Reads all sources.
pub(super) fn merge(sources: &Sources) -> Result<Merged, ConfigErrors> {
    let mut builder = config::Config::builder();
    let mut unknown = Vec::new();
    if let Some(path) = &sources.file {
        let name = path.display().to_string();
        let broken = |cause: String| ConfigError::File { file: name.clone(), cause };
        let text = std::fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
        let settings =
            File::from_str(&text, FileFormat::Toml).collect().map_err(|error| broken(unquoted(&error)))?;
        let mut named = Vec::new();
        for (section, value) in settings {
            flatten(&section, value, &name, &mut named);
        }
        unknown.extend(named.iter().filter_map(|(key, _)| unknown_key(key, &name)));
        builder = builder.add_source(Named(named));
    }
    let (variables, mistakes) = environment(&sources.env);
    unknown.extend(mistakes);
    let flags = sources
        .flags
        .iter()
        .map(|(key, flag, value)| ((*key).to_owned(), named_value(flag, value.as_str())))
        .collect();
    if !unknown.is_empty() {
        return Err(ConfigErrors(unknown));
    }
    builder
        .add_source(Named(variables))
        .add_source(Named(flags))
        .build()
        .map(Merged)
        .map_err(|error| ConfigErrors::from(readable(&error, None)))
}

impl Merged {
    /// Deserialises into the raw sections.
    pub(super) fn raw(&self) -> Result<RawConfig, ConfigErrors> {
        self.0.clone().try_deserialize().map_err(|error| readable(&error, Some(self)).into())
    }

    /// Returns what set `key`.
    pub(super) fn origin(&self, key: &str) -> String {
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        let settings = self.0.get_table(section).unwrap_or_default();
        let origin = settings.get(name).and_then(Value::origin);
        origin.unwrap_or("default").to_owned()
    }

    /// Lists every setting with its value and its origin.
    pub(super) fn settings(&self, raw: &RawConfig) -> Vec<Setting> {
        let tree = serde_json::to_value(raw).expect("plain structs with text keys serialise");
        schema::keys()
            .map(|key| Setting {
                value: key.split('.').fold(&tree, |at, name| &at[name]).clone(),
                origin: self.origin(&key),
                reloads: schema::is_reloaded(&key),
                key,
            })
            .collect()
    }
}

/// Serialises a secret as no more than whether it is set.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn hidden<S: serde::Serializer>(
    secret: &Option<secrecy::SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_str(HIDDEN),
        None => serializer.serialize_none(),
    }
}

fn named_value(origin: &str, kind: impl Into<ValueKind>) -> Value {
    Value::new(Some(&origin.to_owned()), kind)
}

/// Turns the tables of a file into `section.name` keys whose origin is the file.
fn flatten(key: &str, value: Value, origin: &str, into: &mut Vec<(String, Value)>) {
    match value.kind {
        ValueKind::Table(table) => {
            for (name, value) in table {
                flatten(&format!("{key}.{name}"), value, origin, into);
            }
        }
        kind => into.push((key.to_owned(), named_value(origin, kind))),
    }
}

/// Reads the settings among the variables of the environment.
fn environment(env: &BTreeMap<String, String>) -> (Vec<(String, Value)>, Vec<ConfigError>) {
    let (mut settings, mut mistakes) = (Vec::new(), Vec::new());
    for (variable, text) in env {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        let Some((section, name)) = name.split_once("__") else { continue };
        let key = format!("{section}.{name}").to_lowercase();
        if let Some(secret) = key.strip_suffix(&FILE_SUFFIX.to_lowercase())
            && schema::is_secret(secret)
        {
            match std::fs::read_to_string(text) {
                Ok(value) => settings.push((secret.to_owned(), named_value(variable, value.trim_end()))),
                Err(error) => mistakes.push(ConfigError::File {
                    file: format!("{text} (named by {variable})"),
                    cause: error.to_string(),
                }),
            }
        } else if let Some(mistake) = unknown_key(&key, variable) {
            mistakes.push(mistake);
        } else if schema::is_list(&key) {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            settings.push((key, named_value(variable, items.map(ValueKind::from).collect::<Vec<_>>())));
        } else {
            settings.push((key, named_value(variable, text.as_str())));
        }
    }
    (settings, mistakes)
}

fn unknown_key(key: &str, origin: &str) -> Option<ConfigError> {
    if schema::keys().any(|known| known == key) {
        return None;
    }
    let section = key.split('.').next().unwrap_or_default();
    let names: Vec<String> =
        schema::keys().filter(|known| known.split('.').next() == Some(section)).collect();
    let allowed = if names.is_empty() {
        format!("the sections are {}", schema::sections().collect::<Vec<_>>().join(", "))
    } else {
        format!("[{section}] has {}", names.join(", "))
    };
    Some(ConfigError::Unknown { key: key.to_owned(), origin: origin.to_owned(), allowed })
}

/// Says where and why a file is not TOML, without the line itself, which may hold a secret: the parser
/// draws it behind bars.
fn unquoted(error: &config::ConfigError) -> String {
    let text = error.to_string();
    let lines: Vec<_> = text.lines().filter(|line| !line.contains(" |")).map(str::trim).collect();
    lines.join(": ")
}

/// Says in our words what the `config` crate found.
fn readable(error: &config::ConfigError, merged: Option<&Merged>) -> ConfigError {
    use config::ConfigError as E;
    match error {
        E::Type { origin, unexpected, expected, key } => {
            let key = key.clone().unwrap_or_default();
            let found = if schema::is_secret(&key) { HIDDEN.to_owned() } else { unexpected.to_string() };
            let origin = origin.clone().or_else(|| merged.map(|merged| merged.origin(&key)));
            ConfigError::Value {
                key,
                origin: origin.unwrap_or_else(|| "the configuration".to_owned()),
                found,
                allowed: (*expected).to_owned(),
            }
        }
        E::At { error, key, .. } => match readable(error, merged) {
            ConfigError::Value { key: inner, origin, found, allowed } if inner.is_empty() => {
                let key = key.clone().unwrap_or_default();
                ConfigError::Value { key, origin, found, allowed }
            }
            other => other,
        },
        other => ConfigError::File { file: "the configuration".to_owned(), cause: other.to_string() },
    }
}
