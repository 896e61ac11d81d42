//! Walks over MessagePack (its specification, "Formats").

use super::peek::{Id, Key, Walk};

/// Maps within maps that are entered: the frame, its content, a body, and one to spare.
const DEPTH: usize = 4;

/// Where a walk is.
#[derive(Debug)]
pub(super) struct MessagePackWalk<'a> {
    rest: &'a [u8],
    /// Entries left of each map entered.
    left: [u32; DEPTH],
    depth: usize,
}

impl<'a> MessagePackWalk<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, left: [0; DEPTH], depth: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn take(&mut self, bytes: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(bytes).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Takes a number of this many bytes, the greatest first.
    fn wide(&mut self, bytes: u64) -> Option<u64> {
        Some(self.take(bytes)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}

impl<'a> Walk<'a> for MessagePackWalk<'a> {
    fn enter(&mut self) -> Option<()> {
        let entries = match self.byte()? {
            short @ 0x80..=0x8f => u64::from(short & 0x0f),
            0xde => self.wide(2)?,
            0xdf => self.wide(4)?,
            _ => return None,
        };
        *self.left.get_mut(self.depth)? = u32::try_from(entries).ok()?;
        self.depth += 1;
        Some(())
    }

    fn key(&mut self) -> Option<Key<'a>> {
        let left = self.left.get_mut(self.depth.checked_sub(1)?)?;
        match left.checked_sub(1) {
            None => {
                self.depth -= 1;
                Some(Key::End)
            }
            Some(fewer) => {
                *left = fewer;
                self.text().map(Key::Is)
            }
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = match self.byte()? {
            short @ 0xa0..=0xbf => u64::from(short & 0x1f),
            0xd9 => self.wide(1)?,
            0xda => self.wide(2)?,
            0xdb => self.wide(4)?,
            _ => return None,
        };
        self.take(length)
    }

    fn number(&mut self) -> Option<u64> {
        match self.byte()? {
            short @ 0x00..=0x7f => Some(short.into()),
            width @ 0xcc..=0xcf => self.wide(1 << (width - 0xcc)),
            _ => None,
        }
    }

    fn id(&mut self) -> Option<Id> {
        if self.take(2)? != [0xc4, 16] {
            return None;
        }
        self.take(16)?.try_into().ok()
    }

    fn skip(&mut self) -> Option<()> {
        let mut values: u64 = 1;
        while values > 0 {
            values -= 1;
            let bytes = match self.byte()? {
                0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 0,
                map @ 0x80..=0x8f => {
                    values += 2 * u64::from(map & 0x0f);
                    0
                }
                list @ 0x90..=0x9f => {
                    values += u64::from(list & 0x0f);
                    0
                }
                text @ 0xa0..=0xbf => u64::from(text & 0x1f),
                0xc4 | 0xd9 => self.wide(1)?,
                0xc5 | 0xda => self.wide(2)?,
                0xc6 | 0xdb => self.wide(4)?,
                extension @ 0xc7..=0xc9 => self.wide(1 << (extension - 0xc7))? + 1,
                0xca => 4,
                0xcb => 8,
                unsigned @ 0xcc..=0xcf => 1 << (unsigned - 0xcc),
                signed @ 0xd0..=0xd3 => 1 << (signed - 0xd0),
                fixed @ 0xd4..=0xd8 => (1 << (fixed - 0xd4)) + 1,
                list @ (0xdc | 0xdd) => {
                    values += self.wide(if list == 0xdc { 2 } else { 4 })?;
                    0
                }
                map @ (0xde | 0xdf) => {
                    values += 2 * self.wide(if map == 0xde { 2 } else { 4 })?;
                    0
                }
                0xc1 => return None,
            };
            self.take(bytes)?;
        }
        Some(())
    }
}
