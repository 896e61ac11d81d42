//! Walks over JSON (RFC 8259) as the server writes it: compact.

use super::peek::{Id, Key, Walk};
use uuid::Uuid;

/// Where a walk is.
#[derive(Debug)]
pub(super) struct JsonWalk<'a> {
    rest: &'a [u8],
}

impl<'a> JsonWalk<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take_if(&mut self, wanted: u8) -> bool {
        let is_there = self.rest.first() == Some(&wanted);
        if is_there {
            self.rest = &self.rest[1..];
        }
        is_there
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.take_if(wanted).then_some(())
    }

    /// Takes what `belongs`, at least one byte; a value that the bytes end with is not whole.
    fn while_(&mut self, belongs: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|&byte| !belongs(byte)).filter(|end| *end > 0)?;
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(taken)
    }
}

impl<'a> Walk<'a> for JsonWalk<'a> {
    fn enter(&mut self) -> Option<()> {
        self.take(b'{')
    }

    fn key(&mut self) -> Option<Key<'a>> {
        if self.take_if(b'}') {
            return Some(Key::End);
        }
        self.take_if(b',');
        let key = self.text()?;
        self.take(b':')?;
        Some(Key::Is(key))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let mut at = 0;
        loop {
            match self.rest.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        let text = &self.rest[..at];
        self.rest = &self.rest[at + 1..];
        Some(text)
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.while_(|byte| byte.is_ascii_digit())?;
        digits
            .iter()
            .try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    }

    fn id(&mut self) -> Option<Id> {
        Uuid::try_parse_ascii(self.text()?).ok().map(Uuid::into_bytes)
    }

    fn skip(&mut self) -> Option<()> {
        let mut depth: u32 = 0;
        loop {
            match self.rest.first()? {
                b'"' => {
                    self.text()?;
                }
                b'{' | b'[' => {
                    self.rest = &self.rest[1..];
                    depth += 1;
                }
                b'}' | b']' => {
                    self.rest = &self.rest[1..];
                    depth = depth.checked_sub(1)?;
                }
                b',' | b':' if depth > 0 => self.rest = &self.rest[1..],
                _ => {
                    self.while_(
                        |byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'a'..=b'z' | b'E'),
                    )?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
