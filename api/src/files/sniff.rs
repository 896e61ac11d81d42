//! What a file is, by its content. What a client claims is a hint, heard only where the content leaves it open.

use super::picture::Format;
use infer::MatcherType;

/// Bytes from the beginning of a file that say what it is.
///
/// The furthest mark that is looked for is that of a tar archive at 257; office files name their parts
/// in the first kilobytes.
pub(super) const HEAD_BYTES: usize = 4096;

/// What a file whose kind is not known is given as.
const UNKNOWN: &str = "application/octet-stream";

/// What the beginning of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture of a format that is looked into.
    Picture(Format),
    /// Something else, of this type.
    Known(&'static str),
    /// Text, or nothing that is known.
    Unknown,
}

/// Looks at the beginning of a file.
///
/// Programs and markup are never named as what they are, so that no browser runs them: what of them is
/// text is text, the rest is bytes.
pub(super) fn kind(head: &[u8]) -> Kind {
    if let Some(format) = Format::of(head) {
        return Kind::Picture(format);
    }
    match infer::get(head) {
        Some(found) => match found.matcher_type() {
            MatcherType::App | MatcherType::Text | MatcherType::Custom => Kind::Unknown,
            _ => Kind::Known(found.mime_type()),
        },
        None => Kind::Unknown,
    }
}

/// Returns the type of a file that is no picture.
pub(super) fn mime(kind: Kind, hint: Option<&str>, is_text: bool) -> String {
    let known = match kind {
        Kind::Picture(format) => format.mime(),
        Kind::Known(mime) => mime,
        Kind::Unknown if is_text => "text/plain; charset=utf-8",
        Kind::Unknown => UNKNOWN,
    };
    // The same containers hold films and mere sound.
    match (known.split_once('/'), hint.and_then(|hint| hint.split_once('/'))) {
        (Some(("video" | "audio", container)), Some((medium @ ("video" | "audio"), hinted)))
            if container == hinted && matches!(container, "mp4" | "webm" | "ogg") =>
        {
            format!("{medium}/{container}")
        }
        _ => known.to_owned(),
    }
}

/// Whether bytes, given in pieces, are plain text: UTF-8 without characters that control more than lines.
#[derive(Clone, Debug)]
pub(super) struct TextCheck {
    is_text: bool,
    /// The beginning of a character whose end has not come yet.
    rest: Vec<u8>,
}

impl TextCheck {
    pub(super) const fn new() -> Self {
        Self { is_text: true, rest: Vec::new() }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) {
        if !self.is_text {
            return;
        }
        let joined = [self.rest.as_slice(), piece].concat();
        let text = match std::str::from_utf8(&joined) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                let (whole, rest) = joined.split_at(error.valid_up_to());
                self.rest = rest.to_vec();
                self.is_text = !has_controls(whole);
                return;
            }
            Err(_) => {
                self.is_text = false;
                return;
            }
        };
        self.is_text = !has_controls(text.as_bytes());
        self.rest.clear();
    }

    pub(super) fn is_text(&self) -> bool {
        self.is_text && self.rest.is_empty()
    }
}

fn has_controls(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c | 0x1b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(content: &[u8], hint: Option<&str>) -> String {
        let mut check = TextCheck::new();
        content.chunks(3).for_each(|piece| check.feed(piece));
        mime(kind(content), hint, check.is_text())
    }

    #[test]
    fn what_a_browser_could_run_is_text_or_bytes() {
        let text = "text/plain; charset=utf-8";
        for content in [
            "<!DOCTYPE html><script>alert(1)</script>",
            "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "<?xml version='1.0'?><a/>",
            "#!/bin/sh\nrm -rf /",
            "alert('\u{fc}\u{1f426}')",
            "",
        ] {
            assert_eq!(named(content.as_bytes(), Some("text/html")), text, "{content}");
        }
        for content in
            [&b"MZ\x90\0\x03\0\0\0"[..], b"\x7fELF\x02\x01\x01", b"\0asm\x01\0\0\0", b"a\0b", b"\xff\xfe<"]
        {
            assert_eq!(named(content, Some("text/html")), UNKNOWN, "{content:?}");
        }
    }

    #[test]
    fn the_content_names_the_type_and_the_hint_only_its_medium() {
        assert_eq!(named(b"%PDF-1.7\n", Some("image/png")), "application/pdf");
        let mut webm = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm".to_vec();
        webm.resize(300, 0);
        assert_eq!(named(&webm, None), "video/webm");
        assert_eq!(named(&webm, Some("audio/webm")), "audio/webm");
        assert_eq!(named(&webm, Some("text/webm")), "video/webm");
        assert_eq!(named(&webm, Some("audio/mp4")), "video/webm");
    }

    #[test]
    fn half_a_character_is_no_text() {
        assert_eq!(named("é".as_bytes(), None), "text/plain; charset=utf-8");
        assert_eq!(named(&"é".as_bytes()[..1], None), UNKNOWN);
    }
}
