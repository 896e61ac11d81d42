//! Conditions and ranges of a request for something that never changes (RFC 9110, sections 13 and 14).

use http::{HeaderMap, HeaderValue, header};
use std::ops::Range;

/// Which part is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes of it.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Nothing,
}

/// Returns whether the client has it already, under `tag`. Compares weakly (section 13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes())
}

/// Reads which bytes of `length` are asked for. One range is served; several, another unit or one that is
/// not understood are as none (section 14.2), as is one of another version than `tag`.
pub(crate) fn wanted(headers: &HeaderMap, tag: &HeaderValue, length: u64) -> Wanted {
    if headers.get(header::IF_RANGE).is_some_and(|version| version != tag) {
        return Wanted::Whole;
    }
    let text = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some(bounds) = text.and_then(|text| text.trim().strip_prefix("bytes=")) else { return Wanted::Whole };
    let Some((first, last)) = bounds.split_once('-') else { return Wanted::Whole };
    // Digits only: a number may not have a sign.
    let number = |text: &str| {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(last)) if first.trim().is_empty() => length.saturating_sub(last)..length,
        _ => return Wanted::Whole,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: HeaderValue = HeaderValue::from_static("\"7\"");

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let check = |line: &'static str| is_known(&headers(&[(header::IF_NONE_MATCH, line)]), &TAG);
        assert!(check("\"7\"") && check("W/\"7\"") && check("\"3\", \"7\"") && check("*"));
        assert!(!check("\"8\"") && !check("7") && !check(""));
    }

    #[test]
    fn one_range_is_served_and_what_is_not_understood_is_none() {
        let check = |text: &'static str| wanted(&headers(&[(header::RANGE, text)]), &TAG, 100);
        for (text, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=90-", 90..100),
            ("bytes=-5", 95..100),
            ("bytes=-500", 0..100),
            ("bytes=99-99999999999999999999999", 99..100),
        ] {
            assert_eq!(check(text), Wanted::Part(range), "{text}");
        }
        for text in ["bytes=100-", "bytes=200-300", "bytes=-0"] {
            assert_eq!(check(text), Wanted::Nothing, "{text}");
        }
        for text in
            ["bytes=5-3", "bytes=0-1,3-4", "lines=1-2", "bytes=", "bytes=-", "bytes=+1-2", "bytes=a-b", ""]
        {
            assert_eq!(check(text), Wanted::Whole, "{text}");
        }
        assert_eq!(wanted(&headers(&[(header::RANGE, "bytes=0-")]), &TAG, 0), Wanted::Nothing);
    }

    #[test]
    fn a_range_of_another_version_is_none() {
        let check = |version: &'static str| {
            wanted(&headers(&[(header::RANGE, "bytes=1-2"), (header::IF_RANGE, version)]), &TAG, 100)
        };
        assert_eq!(check("\"7\""), Wanted::Part(1..3));
        assert_eq!(check("W/\"7\""), Wanted::Whole);
        assert_eq!(check("\"8\""), Wanted::Whole);
        assert_eq!(check("Sat, 21 Nov 2026 08:00:00 GMT"), Wanted::Whole);
    }
}
