//! The names of files, as clients give them and as others may see them.

use rookery_protocol::limits::FILE_NAME_BYTES;

/// What a file is called that has no name.
const NAMELESS: &str = "file";

/// Returns a name that is harmless wherever it is shown or saved: without folders, without characters
/// that control or reorder text, at most [`FILE_NAME_BYTES`] long, never empty.
pub(super) fn harmless(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !c.is_control() && !reorders(*c)).collect();
    // Leading dots hide a file and trailing ones vanish on some systems, which changes its kind.
    let trimmed = visible.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let mut end = trimmed.len().min(FILE_NAME_BYTES);
    while !trimmed.is_char_boundary(end) {
        end -= 1;
    }
    match trimmed[..end].trim_end() {
        "" => NAMELESS.to_owned(),
        name => name.to_owned(),
    }
}

/// Whether a character changes the order in which others are shown, or is not seen itself: what makes
/// `exe.png` out of `gnp.exe` (Unicode Standard Annex #9, section 2).
const fn reorders(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_harmless_and_never_empty() {
        for (given, kept) in [
            ("Ferien 2026.jpg", "Ferien 2026.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\eve\\a.txt", "a.txt"),
            ("photo\u{202e}gnp.exe", "photognp.exe"),
            ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
            (" .htaccess. ", "htaccess"),
            ("\0\u{1}", "file"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(harmless(given), kept, "{given:?}");
        }
        let long = harmless(&"é".repeat(200));
        assert_eq!(long, "é".repeat(127));
    }
}
