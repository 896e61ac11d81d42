//! A key that signs access tokens, and how it is written down.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rookery_engine::Random;
use rookery_protocol::Timestamp;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Bytes of an Ed25519 private key (RFC 8032, section 5.1.5).
const SEED_BYTES: usize = 32;

/// An Ed25519 private key, and from when on it signs.
#[derive(Clone, Debug)]
pub struct SigningKey {
    seed: Arc<SecretBox<[u8; SEED_BYTES]>>,
    signs_from: Timestamp,
}

impl SigningKey {
    /// Makes a new key that signs from the whole second at or before `signs_from` on.
    pub fn generate(random: &dyn Random, signs_from: Timestamp) -> Self {
        let mut seed = [0; SEED_BYTES];
        random.fill(&mut seed);
        Self::new(seed, Timestamp(signs_from.0.max(0) / 1000 * 1000))
    }

    /// Reads a key from a line: 32 bytes in base64, either alphabet, padded or not; then, where it does not
    /// sign from the beginning, from when on (RFC 3339, UTC).
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let seed = parse_seed(words.next()?)?;
        let signs_from = words.next().map_or(Some(Timestamp(0)), parse_time)?;
        words.next().is_none().then(|| Self::new(seed, signs_from))
    }

    /// Writes the line that [`SigningKey::parse`] reads. It is a secret.
    pub(super) fn line(&self) -> String {
        let key = STANDARD.encode(self.seed());
        if self.signs_from == Timestamp(0) { key } else { format!("{key} {}", time(self.signs_from)) }
    }

    /// Returns from when on it signs, until a later key does.
    pub const fn signs_from(&self) -> Timestamp {
        self.signs_from
    }

    /// Returns the token by which operators are known on their listener: whoever holds the key can make it.
    pub fn operator_token(&self) -> SecretString {
        let context = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            &[b"rookery operator token 1 ".as_slice(), self.seed()].concat(),
        );
        let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(context.as_ref());
        SecretString::from(format!("operator_{token}"))
    }

    pub(super) fn seed(&self) -> &[u8; SEED_BYTES] {
        self.seed.expose_secret()
    }

    fn new(seed: [u8; SEED_BYTES], signs_from: Timestamp) -> Self {
        Self { seed: Arc::new(SecretBox::new(Box::new(seed))), signs_from }
    }
}

/// Returns how a moment is written beside a key, to the second.
pub(super) fn time(at: Timestamp) -> impl fmt::Display {
    let since = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since)
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp)
}

/// Reads 32 bytes in base64, either alphabet, padded or not.
fn parse_seed(text: &str) -> Option<[u8; SEED_BYTES]> {
    let either = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = text.replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&alphabet::STANDARD, either).decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_either_alphabet() {
        let standard = STANDARD.encode([0xfb; 32]);
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([0xfb; 32]);
        for line in [&standard, &format!("{url}\n"), &format!("  {url}  ")] {
            assert_eq!(SigningKey::parse(line).unwrap().seed(), &[0xfb; 32]);
        }
        assert!(SigningKey::parse("c2hvcnQ=").is_none());
        assert!(SigningKey::parse("not base64 at all").is_none());
    }

    #[test]
    fn a_line_says_from_when_on_its_key_signs() {
        let key = STANDARD.encode([1; 32]);
        let line = format!("{key} 2026-11-21T22:50:07Z");
        let read = SigningKey::parse(&line).unwrap();
        assert_eq!((read.signs_from(), read.line()), (Timestamp(1_795_301_407_000), line));
        let first = SigningKey::parse(&key).unwrap();
        assert_eq!((first.signs_from(), first.line()), (Timestamp(0), key.clone()));
        for wrong in ["soon", "1795301407", "2026-11-21T22:50:07Z and more", "1960-01-01T00:00:00Z"] {
            assert!(SigningKey::parse(&format!("{key} {wrong}")).is_none(), "{wrong}");
        }
    }
}
