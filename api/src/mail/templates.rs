//! Templates of letters: a folder for each language, a file for each kind, of which the first line is the
//! subject.

use super::letter::{About, Letter, Words};
use super::{MailError, SendError};
use minijinja::{Environment, UndefinedBehavior, context};
use rookery_protocol::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

macro_rules! built_in {
    ($($language:literal),+) => {
        [$(($language, [
            include_str!(concat!("templates/", $language, "/confirm.txt")),
            include_str!(concat!("templates/", $language, "/address_taken.txt")),
            include_str!(concat!("templates/", $language, "/reset.txt")),
            include_str!(concat!("templates/", $language, "/change_address.txt")),
            include_str!(concat!("templates/", $language, "/password_changed.txt")),
            include_str!(concat!("templates/", $language, "/password_reset.txt")),
            include_str!(concat!("templates/", $language, "/address_changing.txt")),
            include_str!(concat!("templates/", $language, "/address_changed.txt")),
            include_str!(concat!("templates/", $language, "/token_reused.txt")),
            include_str!(concat!("templates/", $language, "/factor_on.txt")),
            include_str!(concat!("templates/", $language, "/factor_off.txt")),
            include_str!(concat!("templates/", $language, "/recovery_renewed.txt")),
            include_str!(concat!("templates/", $language, "/identity_linked.txt")),
            include_str!(concat!("templates/", $language, "/identity_unlinked.txt")),
            include_str!(concat!("templates/", $language, "/new_login.txt")),
        ])),+]
    };
}

/// The templates that are in the binary, in the order of [`About::TEMPLATES`].
const BUILT_IN: [(&str, [&str; 15]); 2] = built_in!("en", "ru");

/// What every language falls back to where an operator has not written a kind.
const LAST_RESORT: &str = "en";

/// Every template there is.
#[derive(Debug)]
pub(super) struct Templates {
    made: Environment<'static>,
    /// The languages that there are.
    languages: BTreeSet<String>,
    /// For those who ask for none of these.
    default: String,
}

impl Templates {
    /// Takes what is built in, and over it what is in `folder`: `LANGUAGE/KIND.txt`.
    pub(super) fn load(folder: Option<&Path>, default: &str) -> Result<Self, MailError> {
        let mut made = Environment::new();
        // A slip in a template is found at the start, not in somebody's mail.
        made.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut languages = BTreeSet::new();
        for (language, texts) in BUILT_IN {
            languages.insert(language.to_owned());
            for (kind, text) in About::TEMPLATES.into_iter().zip(texts) {
                made.add_template_owned(name(language, kind), text)
                    .expect("the tests render every template that is built in");
            }
        }
        if let Some(folder) = folder {
            languages.extend(overrides(&mut made, folder)?);
        }
        if !languages.contains(default) {
            let missing = std::io::Error::other("there are no templates in the language of mail.language");
            return Err(MailError::Io(folder.unwrap_or(Path::new(default)).to_owned(), missing));
        }
        Ok(Self { made, languages, default: default.to_owned() })
    }

    /// Returns the first language there is of those in an `Accept-Language`, which browsers write in the order
    /// of preference (RFC 9110, section 12.5.4).
    pub(super) fn language(&self, accepted: Option<&str>) -> &str {
        let tags = accepted.unwrap_or_default().split(',').take(16);
        let wanted = tags.filter_map(|tag| tag.trim().split([';', '-', '_']).next());
        let mut known = wanted.filter_map(|wanted| self.languages.get(&wanted.to_ascii_lowercase()));
        known.next().unwrap_or(&self.default)
    }

    /// Returns the subject and the text of a letter.
    pub(super) fn render(&self, letter: &Letter, words: &Words<'_>) -> Result<(String, String), SendError> {
        let kind = letter.about.template();
        let found = self
            .made
            .get_template(&name(&letter.language, kind))
            .or_else(|_| self.made.get_template(&name(LAST_RESORT, kind)));
        let text = found.and_then(|template| {
            template.render(context! {
                address => letter.to.as_str(),
                at => utc(letter.at),
                site => words.site,
                link => words.link,
                code => words.code,
                minutes => words.minutes,
            })
        });
        let text = text.map_err(|error| SendError::Refused(error.to_string()))?;
        let (subject, body) = text.split_once('\n').unwrap_or((text.as_str(), ""));
        let subject = subject.strip_prefix("Subject:").unwrap_or(subject).trim();
        Ok((subject.to_owned(), body.trim_start_matches('\n').to_owned()))
    }
}

fn name(language: &str, kind: &str) -> String {
    format!("{language}/{kind}.txt")
}

/// Takes the templates in an operator's folder. Returns their languages.
fn overrides(made: &mut Environment<'static>, folder: &Path) -> Result<Vec<String>, MailError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |error| MailError::Io(path, error)
    };
    let mut languages = Vec::new();
    for entry in fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        let Some(language) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_dir()) else {
            continue;
        };
        let language = language.to_ascii_lowercase();
        for kind in About::TEMPLATES {
            let file = path.join(format!("{kind}.txt"));
            if !file.is_file() {
                continue;
            }
            let text = fs::read_to_string(&file).map_err(io(&file))?;
            let bad = |error: minijinja::Error| MailError::Template(file.clone(), error.to_string());
            made.add_template_owned(name(&language, kind), text).map_err(bad)?;
            let example = context! {
                address => "a@example.org", at => "", site => "", link => "", code => "", minutes => 10
            };
            let rendered = made.get_template(&name(&language, kind)).and_then(|made| made.render(example));
            let text = rendered.map_err(bad)?;
            if !text.starts_with("Subject:") {
                let rule = "its first line is `Subject: …`".to_owned();
                return Err(MailError::Template(file, rule));
            }
        }
        languages.push(language);
    }
    Ok(languages)
}

/// Returns a moment for people of every language: `2026-11-21 22:40 UTC`.
fn utc(at: Timestamp) -> String {
    let since = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    let text = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string();
    let parts = text.get(..10).zip(text.get(11..16));
    parts.map(|(date, time)| format!("{date} {time} UTC")).unwrap_or(text)
}

#[cfg(test)]
mod tests;
