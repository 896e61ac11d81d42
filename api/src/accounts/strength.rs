//! Which passwords are refused however long they are: those that are tried first.

use super::names::{BadField, PASSWORD_BYTES};
use secrecy::{ExposeSecret, SecretString};

/// The most common passwords of at least 8 bytes, in lower case and in order: 8359 of the 20,000 that Django 6
/// has (`django/contrib/auth/common-passwords.txt.gz`, from a list by Royce Williams). ASVS 6.2.4 asks for 3000.
const COMMON: &str = include_str!("common-passwords.txt");

/// The shortest name that counts as part of a password.
const NAME_CHARS: usize = 3;

/// Refuses new passwords.
#[derive(Debug)]
pub(super) struct Strength {
    common: Vec<&'static str>,
}

impl Strength {
    pub(super) fn new() -> Self {
        Self { common: COMMON.lines().collect() }
    }

    /// Checks a new password of somebody with these names and addresses.
    pub(super) fn check(&self, password: &SecretString, names: &[&str]) -> Result<(), BadField> {
        let bad = |rule| Err(BadField { field: "password", rule });
        let text = password.expose_secret();
        if !PASSWORD_BYTES.contains(&text.len()) {
            return bad("8 to 1024 bytes");
        }
        let text = text.to_lowercase();
        if self.common.binary_search(&text.as_str()).is_ok() || is_one_character(&text) {
            return bad("one that is not among the most common");
        }
        let letters = letters(&text);
        let parts =
            names.iter().flat_map(|name| name.split(['@', '.', ' ']).chain(name.split('@')).chain([*name]));
        for part in parts.chain(["rookery"]).map(|part| self::letters(&part.to_lowercase())) {
            if part.chars().count() >= NAME_CHARS && part == letters {
                return bad("more than a name or an address with digits");
            }
        }
        Ok(())
    }
}

/// Returns what is left of a text without digits and signs around and between its letters.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

fn is_one_character(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    chars.all(|c| Some(c) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        let strength = Strength::new();
        let check = |text: &str| {
            strength.check(&SecretString::from(text), &["alice.smith@example.org", "alice", "Al"])
        };
        for bad in [
            "password",
            "PASSWORD1",
            "12345678",
            "qwertyuiop",
            "zzzzzzzzz",
            "alice123",
            "Alice!2026",
            "smith1999",
            "rookery1",
            "example.org1",
            "short",
            "ЖЖЖЖЖЖЖЖЖЖЖ",
            "alicesmithexampleorg",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in ["correct horse", "alice likes tea", "al-2026-xyzzy", "пароль для чата"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_list_is_in_the_order_in_which_it_is_searched() {
        let common = Strength::new().common;
        assert!(common.len() > 3000 && common.is_sorted());
        assert!(common.iter().all(|password| **password == password.to_lowercase()));
    }
}
