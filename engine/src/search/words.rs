//! What a word is, for every index alike: text becomes words with one space between them.
//!
//! A word is a run of letters and digits of any script, in lower case. Latin and Greek letters lose
//! their marks (é is e), Cyrillic ones their stress, and ё is е; й stays й. Han, kana, Hangul and
//! emoji, which are written without spaces, are words one by one: a run of them is then found as a
//! phrase. Everything else separates words. The forms are those of Unicode NFKC (UAX 15).

use rookery_protocol::MessageBody;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_canonical};

/// A word that no text has, between parts of a message that no phrase may span. It is of Unicode's
/// private use.
const BARRIER: &str = " \u{e000} ";

/// Returns the words by which a message is found: those of its text and of its files' names.
pub fn searchable(body: &MessageBody) -> String {
    let text = body.text.as_deref().unwrap_or_default();
    let mut words = normal(text);
    for file in &body.attachments {
        let name = normal(&file.name);
        if !name.is_empty() {
            words.push_str(if words.is_empty() { "" } else { BARRIER });
            words.push_str(&name);
        }
    }
    words
}

/// Returns the words of a text with one space between them; empty when it has none.
///
/// Each word is of letters, digits, emoji and combining marks only: no character of ASCII but
/// `a-z 0-9`.
pub fn normal(text: &str) -> String {
    let mut words = Words { text: String::with_capacity(text.len()), ends: true, drops_marks: true };
    if text.is_ascii() {
        for byte in text.bytes() {
            words.take_ascii(byte);
        }
    } else {
        for letter in text.nfkc() {
            words.take(letter);
        }
    }
    words.text
}

/// Returns whether a character is a word by itself.
pub(super) fn stands_alone(letter: char) -> bool {
    is_unspaced(letter) || is_emoji(letter)
}

fn is_unspaced(letter: char) -> bool {
    letter.is_alphanumeric()
        && matches!(letter,
            '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_emoji(letter: char) -> bool {
    matches!(letter, '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Returns whether the marks after a letter are dropped: those of Latin, Greek and Cyrillic letters that
/// are not part of a composed one, and the vowel points of Hebrew and Arabic.
const fn drops_marks(letter: char) -> bool {
    matches!(letter, '\0'..='\u{52f}' | '\u{590}'..='\u{6ff}' | '\u{1e00}'..='\u{1fff}')
}

/// Returns whether a composed letter is taken for its base: every Latin and Greek one, and of the
/// Cyrillic ones ё and those with a stress.
const fn is_taken_apart(letter: char) -> bool {
    let is_cyrillic = matches!(letter, '\u{400}'..='\u{52f}');
    drops_marks(letter)
        && (!is_cyrillic || matches!(letter, 'ё' | 'Ё' | '\u{450}' | '\u{400}' | '\u{45d}' | '\u{40d}'))
}

struct Words {
    text: String,
    /// The next letter begins a word.
    ends: bool,
    /// The marks that follow are not part of the word.
    drops_marks: bool,
}

impl Words {
    fn take_ascii(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() {
            self.begin();
            self.text.push(char::from(byte.to_ascii_lowercase()));
        } else {
            self.ends = true;
        }
    }

    fn take(&mut self, letter: char) {
        match letter {
            // The soft hyphen, joiners and variation selectors say how a word looks, not which it is.
            '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => {}
            _ if stands_alone(letter) => {
                self.ends = true;
                self.begin();
                self.text.push(letter);
                (self.ends, self.drops_marks) = (true, false);
            }
            _ if is_taken_apart(letter) => decompose_canonical(letter, |part| self.take_part(part)),
            _ => self.take_part(letter),
        }
    }

    fn take_part(&mut self, part: char) {
        if canonical_combining_class(part) != 0 {
            if !self.drops_marks {
                self.text.push(part);
            }
        } else if part.is_alphanumeric() {
            self.begin();
            self.drops_marks = drops_marks(part);
            match part {
                'ς' => self.text.push('σ'),
                'ß' | 'ẞ' => self.text.push_str("ss"),
                // A capital may become a letter and a mark.
                _ => self
                    .text
                    .extend(part.to_lowercase().filter(|small| canonical_combining_class(*small) == 0)),
            }
        } else {
            (self.ends, self.drops_marks) = (true, true);
        }
    }

    fn begin(&mut self) {
        if self.ends && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.ends = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_people_take_for_the_same() {
        for (text, words) in [
            ("The kettle, the KETTLE!", "the kettle the kettle"),
            ("don't e-mail a_b 3.14", "don t e mail a b 3 14"),
            ("Café  CAFE\u{301} naïve Straße İstanbul Ǆ", "cafe cafe naive strasse istanbul dz"),
            ("Ёлка ёлка елка мо\u{301}й мои\u{306} МОИ Їжак", "елка елка елка мой мой мои їжак"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("東京タワー が", "東 京 タ ワ ー が"),
            ("고등학교에서", "고 등 학 교 에 서"),
            ("ok👍🏽fine ❤\u{fe0f}", "ok 👍 🏽 fine ❤"),
            ("ﬁne ２０２６ x² soft\u{ad}hyphen", "fine 2026 x2 softhyphen"),
            ("שָׁלוֹם", "שלום"),
            ("a\0b\u{200b}c\u{a0}d", "a b c d"),
            ("", ""),
            ("... \"* \0 ^", ""),
            ("\u{301}", ""),
        ] {
            assert_eq!(normal(text), words, "{text:?}");
        }
    }

    #[test]
    fn a_normal_text_is_its_own() {
        for text in ["Ёй café 東京 ok👍🏽", "हिन्दी ภาษาไทย Tiếng Việt", "ÅÆØ ĳ ŉ"]
        {
            assert_eq!(normal(&normal(text)), normal(text));
        }
    }
}
