//! What a handle and a display name may look like, wherever they come in.

use crate::limits::{HANDLE_CHARS, HANDLE_CHARS_MIN, NAME_CHARS};

/// Returns whether `text` may be a handle: 3 to 32 of `a-z 0-9 _ .`.
pub fn is_handle(text: &str) -> bool {
    (HANDLE_CHARS_MIN..=HANDLE_CHARS).contains(&text.len()) && text.chars().all(is_of_handles)
}

/// Returns whether a handle may have `sign` in it.
pub const fn is_of_handles(sign: char) -> bool {
    sign.is_ascii_lowercase() || sign.is_ascii_digit() || matches!(sign, '_' | '.')
}

/// Returns `text` without the blanks around it if that may be a display name: 1 to 64 characters, no
/// control characters among them.
pub fn display_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = (1..=NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_names_have_their_bounds() {
        assert!(is_handle("a_1") && is_handle(&"z".repeat(32)));
        for text in ["ab", "Alice", "al ice", "alíce", "a-b", &"z".repeat(33)] {
            assert!(!is_handle(text), "{text:?}");
        }
        assert_eq!(display_name("  Alice "), Some("Alice"));
        assert!(display_name(&"é".repeat(64)).is_some());
        for text in ["", "   ", "a\u{7}b", &"é".repeat(65)] {
            assert_eq!(display_name(text), None, "{text:?}");
        }
    }
}
