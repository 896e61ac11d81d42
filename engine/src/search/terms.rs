//! What a query asks for: words and phrases, all of which must be there. There are no operators, so
//! nothing that a person types is an error but nothing at all.

use super::words::{normal, searchable, stands_alone};
use rookery_protocol::MessageBody;
use rookery_protocol::limits::{QUERY_BYTES, QUERY_WORDS};

/// Letters that the last word has at least to be taken for the beginning of others.
///
/// The words that one letter begins are in most messages, and merging their lists costs by the message.
const PREFIX_LETTERS: usize = 2;

/// Words in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// At least one; each as [`super::normal`] makes them.
    pub words: Vec<String>,
    /// Whether longer words that begin with the last one match as well.
    pub is_prefix: bool,
}

/// At least one phrase, all of which must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms(Vec<Phrase>);

/// Why a text is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// It is over [`QUERY_BYTES`].
    #[error("a query has at most {QUERY_BYTES} bytes")]
    TooLong,
    /// It has over [`QUERY_WORDS`] words.
    #[error("a query has at most {QUERY_WORDS} words")]
    TooManyWords,
    /// It has no letter, digit or emoji.
    #[error("a query has at least one word")]
    NoWords,
}

impl Terms {
    /// Reads what a person typed: words, and phrases between double quotes. The last word matches
    /// longer ones too, unless it is quoted or has one letter only.
    ///
    /// # Errors
    /// [`TermsError`].
    pub fn parse(query: &str) -> Result<Self, TermsError> {
        if query.len() > QUERY_BYTES {
            return Err(TermsError::TooLong);
        }
        let mut phrases = Vec::new();
        let mut words = 0;
        for (part, is_quoted) in query.split('"').zip([false, true].into_iter().cycle()) {
            let has_words = |chunk: &&str| !normal(chunk).is_empty();
            words += part.split_whitespace().filter(has_words).count();
            if is_quoted {
                phrases.extend(phrase(part, false));
            } else {
                phrases.extend(part.split_whitespace().filter_map(|chunk| phrase(chunk, true)));
            }
        }
        if words > QUERY_WORDS {
            return Err(TermsError::TooManyWords);
        }
        let Some((_, rest)) = phrases.split_last_mut() else { return Err(TermsError::NoWords) };
        for phrase in rest {
            phrase.is_prefix = false;
        }
        Ok(Self(phrases))
    }

    /// Returns the phrases.
    pub fn phrases(&self) -> &[Phrase] {
        &self.0
    }

    /// Returns whether a message matches, by reading it.
    pub fn matches(&self, body: &MessageBody) -> bool {
        let text = searchable(body);
        let words: Vec<&str> = text.split(' ').collect();
        self.0.iter().all(|phrase| words.windows(phrase.words.len()).any(|words| phrase.is_at(words)))
    }
}

impl Phrase {
    /// Returns whether `words`, as many as the phrase has, are it.
    fn is_at(&self, words: &[&str]) -> bool {
        let Some((last, before)) = self.words.split_last() else { return false };
        let Some((newest, rest)) = words.split_last() else { return false };
        let is_last = if self.is_prefix { newest.starts_with(last.as_str()) } else { newest == last };
        is_last && rest.iter().zip(before).all(|(word, wanted)| word == wanted)
    }
}

fn phrase(text: &str, may_go_on: bool) -> Option<Phrase> {
    let text = normal(text);
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let last = words.last().filter(|word| !word.is_empty())?;
    let is_prefix = may_go_on && last.chars().count() >= PREFIX_LETTERS && !last.starts_with(stands_alone);
    Some(Phrase { words, is_prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes terms down: `+` joins a phrase, `*` is a prefix.
    fn told(query: &str) -> Result<Vec<String>, TermsError> {
        let told = |phrase: &Phrase| {
            format!("{}{}", phrase.words.join("+"), if phrase.is_prefix { "*" } else { "" })
        };
        Terms::parse(query).map(|terms| terms.phrases().iter().map(told).collect())
    }

    #[test]
    fn words_phrases_and_a_last_beginning() {
        for (query, terms) in [
            ("kettle", &["kettle*"][..]),
            ("  The  kettle ", &["the", "kettle*"]),
            ("\"the kettle\"", &["the+kettle"]),
            ("on \"the kettle\" now", &["on", "the+kettle", "now*"]),
            ("now \"the kettle", &["now", "the+kettle"]),
            ("don't", &["don+t"]),
            ("e-mail", &["e+mail*"]),
            ("a", &["a"]),
            ("東京 x", &["東+京", "x"]),
            ("東京", &["東+京"]),
            ("👍", &["👍"]),
        ] {
            assert_eq!(told(query).unwrap(), terms, "{query:?}");
        }
    }

    #[test]
    fn nothing_is_an_operator() {
        for (query, terms) in [
            ("a NEAR(b c)", &["a", "near+b", "c"][..]),
            ("text:secret OR x", &["text+secret", "or", "x"]),
            ("-no ^first foo*", &["no", "first", "foo*"]),
            ("a\0b \" \"\" x", &["a+b", "x"]),
            ("'; DROP TABLE messages; --", &["drop", "table", "messages"]),
        ] {
            let told: Vec<_> = told(query).unwrap();
            let told: Vec<_> = told.iter().map(|term| term.trim_end_matches('*')).collect();
            let terms: Vec<_> = terms.iter().map(|term| term.trim_end_matches('*')).collect();
            assert_eq!(told, terms, "{query:?}");
        }
    }

    #[test]
    fn a_query_has_words_within_the_limits() {
        for empty in ["", "  ", "\"", "\"\"", "* ^ - ( )", "\0", "\u{200d}"] {
            assert_eq!(told(empty), Err(TermsError::NoWords), "{empty:?}");
        }
        let words = |count: usize| vec!["w"; count].join(" ");
        assert!(told(&words(QUERY_WORDS)).is_ok());
        assert_eq!(told(&words(QUERY_WORDS + 1)), Err(TermsError::TooManyWords));
        assert_eq!(told(&format!("\"{}\"", words(QUERY_WORDS + 1))), Err(TermsError::TooManyWords));
        assert!(told(&"a".repeat(QUERY_BYTES)).is_ok());
        assert_eq!(told(&"a".repeat(QUERY_BYTES + 1)), Err(TermsError::TooLong));
    }

    #[test]
    fn a_message_matches_by_every_term() {
        let matches =
            |query: &str, text: &str| Terms::parse(query).unwrap().matches(&MessageBody::text(text));
        assert!(matches("kettle the", "The kettle is on"));
        assert!(matches("ket", "The kettle is on"));
        assert!(!matches("ket on", "The kettle is on"), "only the last word may go on");
        assert!(matches("\"kettle is\"", "The kettle is on"));
        assert!(!matches("\"is kettle\"", "The kettle is on"));
        assert!(!matches("\"kettl\"", "The kettle is on"));
        assert!(matches("京大", "東京大学"));
        assert!(!matches("kettle off", "The kettle is on"));
        assert!(!matches("a", ""));
    }
}
