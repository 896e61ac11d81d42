//! The ids of a trace, and how one process tells them to another: `traceparent` of W3C Trace Context, level 1.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

/// Characters of a `traceparent` of version 00.
const CHARS: usize = 55;

/// Names a trace: 16 bytes, written as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub(super) NonZeroU128);

/// Names a span within its trace: 8 bytes, written as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub(super) NonZeroU64);

/// A span as others refer to it. Written, it is the `traceparent` of whatever the span has caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// Which trace.
    pub trace: TraceId,
    /// Which of its spans.
    pub span: SpanId,
}

/// What somebody else says of its own trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What has caused the message.
    pub context: TraceContext,
    /// Whether it is traced there.
    pub is_sampled: bool,
}

impl TraceId {
    /// Returns its bytes, the most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }
}

impl SpanId {
    /// Returns its bytes, the most significant first.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.span)
    }
}

impl Incoming {
    /// Reads a `traceparent` (W3C Trace Context, section 3.2); `None` for whatever is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_in_place = |(at, byte)| if matches!(at, 2 | 35 | 52) { byte == b'-' } else { is_digit(byte) };
        let known = text.get(..CHARS).filter(|known| known.bytes().enumerate().all(is_in_place))?;
        let is_of_now = match (&known[..2], text.as_bytes().get(CHARS)) {
            ("ff", _) => false,
            (_, None) => true,
            // A later version may say more behind it.
            (version, Some(next)) => version != "00" && *next == b'-',
        };
        let trace = u128::from_str_radix(&known[3..35], 16).ok().and_then(NonZeroU128::new)?;
        let span = u64::from_str_radix(&known[36..52], 16).ok().and_then(NonZeroU64::new)?;
        let flags = u8::from_str_radix(&known[53..], 16).ok().filter(|_| is_of_now)?;
        let context = TraceContext { trace: TraceId(trace), span: SpanId(span) };
        Some(Self { context, is_sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_written_is_read_again() {
        let read = Incoming::parse(TEXT).unwrap();
        assert!(read.is_sampled);
        assert_eq!(read.context.to_string(), TEXT);
        assert!(!Incoming::parse(&TEXT.replace("-01", "-00")).unwrap().is_sampled);
    }

    #[test]
    fn a_later_version_may_say_more_and_this_one_may_not() {
        assert!(Incoming::parse(&format!("{}-more", TEXT.replacen("00", "01", 1))).is_some());
        assert_eq!(Incoming::parse(&format!("{TEXT}-more")), None);
        assert_eq!(Incoming::parse(&format!("{}more", TEXT.replacen("00", "01", 1))), None);
    }

    #[test]
    fn what_is_no_traceparent_is_nothing() {
        let zero = |id: &str| TEXT.replace(id, &"0".repeat(id.len()));
        for text in [
            "",
            "00",
            &TEXT.to_uppercase(),
            &TEXT.replacen("00", "ff", 1),
            &TEXT.replace('-', "_"),
            &zero("0af7651916cd43dd8448eb211c80319c"),
            &zero("b7ad6b7169203331"),
            &TEXT[..54],
            &format!("{}é", &TEXT[..54]),
        ] {
            assert_eq!(Incoming::parse(text), None, "{text}");
        }
    }
}
