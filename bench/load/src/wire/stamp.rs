//! What the text of a message carries: who sent it, which of theirs it is, when it was **due**, and a hash of all
//! of it, so that every copy can be checked by itself and timed by nobody's clock but its sender's.
//!
//! Shape, ASCII: sender 8 hex digits, number 8, due 16 (nanoseconds of the monotonic clock), hash 16, then letters
//! up to the length of the text.

/// Bytes before the letters: the least text.
pub(crate) const STAMP_BYTES: usize = 48;

/// Where the hash is.
const HASH: std::ops::Range<usize> = 32..48;

/// Said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Who sent it.
    pub(crate) sender: u32,
    /// Which of its messages.
    pub(crate) number: u32,
    /// The intended moment of sending, in nanoseconds of the monotonic clock.
    pub(crate) due: u64,
}

/// A stamp that was read, with the hash of its whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    pub(crate) stamp: Stamp,
    pub(crate) hash: u64,
}

impl Stamp {
    /// Returns the text of `bytes` bytes, at least [`STAMP_BYTES`], and its hash.
    pub(crate) fn text(self, bytes: usize) -> (String, u64) {
        let Self { sender, number, due } = self;
        let mut text = format!("{sender:08x}{number:08x}{due:016x}{:016x}", 0);
        let letters = (u64::from(number)..).map(|at| char::from(b'a' + (at % 26) as u8));
        text.extend(letters.take(bytes.saturating_sub(STAMP_BYTES)));
        let hash = hash(text.as_bytes());
        text.replace_range(HASH, &format!("{hash:016x}"));
        (text, hash)
    }

    /// Reads the stamp of a text; `None` where the text is not what was sent.
    pub(crate) fn read(text: &[u8]) -> Option<Stamped> {
        let number = |range: std::ops::Range<usize>| hex(text.get(range)?);
        let told = number(HASH)?;
        let stamp = Self {
            sender: u32::try_from(number(0..8)?).ok()?,
            number: u32::try_from(number(8..16)?).ok()?,
            due: number(16..32)?,
        };
        (hash(text) == told).then_some(Stamped { stamp, hash: told })
    }
}

fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number: u64, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

/// Hashes a text without its hash, never to zero: eight bytes at a time, multiplied and folded.
fn hash(text: &[u8]) -> u64 {
    /// An odd number without pattern: 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(SPREAD);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
        let folded = product as u64 ^ (product >> 64) as u64;
        folded.wrapping_add(SPREAD)
    };
    let eat = |state: u64, bytes: &[u8]| {
        let (words, rest) = bytes.as_chunks::<8>();
        let state = words.iter().fold(state, |state, word| mix(state, u64::from_le_bytes(*word)));
        rest.iter().fold(state, |state, &byte| mix(state, byte.into()))
    };
    let before = text.get(..HASH.start).unwrap_or(text);
    let after = text.get(HASH.end..).unwrap_or_default();
    eat(eat(text.len() as u64, before), after).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { sender: 7, number: 0xffff_fffe, due: 1_234_567_890_123 };

    #[test]
    fn a_stamp_is_read_from_a_text_of_any_length() {
        for bytes in [0, STAMP_BYTES, 49, 128, 16_384] {
            let (text, hash) = STAMP.text(bytes);
            assert_eq!(text.len(), bytes.max(STAMP_BYTES));
            assert_eq!(Stamp::read(text.as_bytes()), Some(Stamped { stamp: STAMP, hash }));
        }
    }

    #[test]
    fn any_changed_byte_is_seen() {
        let (text, _) = STAMP.text(130);
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1;
            assert_eq!(Stamp::read(&damaged), None, "byte {at}");
        }
        assert_eq!(Stamp::read(&text.as_bytes()[..129]), None, "one byte less");
        assert_eq!(Stamp::read(b"hello"), None);
    }
}
