//! The key that signs access tokens: given, or made once and kept in the data dir.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rookery_engine::Random;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of an Ed25519 private key (RFC 8032, section 5.1.5).
const SEED_BYTES: usize = 32;

/// Mode bits that let others than the owner near the file.
const OTHERS: u32 = 0o077;

/// An Ed25519 private key.
#[derive(Clone, Debug)]
pub struct SigningKey(Arc<SecretBox<[u8; SEED_BYTES]>>);

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system says no.
    #[error("read or make the signing key {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    /// The text is not a key.
    #[error("use the signing key {0}: it is not 32 bytes in base64")]
    NotAKey(String),
    /// The file may be read by others than its owner.
    #[error(
        "trust the signing key {0}: its mode is {1:o}; `chmod 600` it, or replace it if others may have read it"
    )]
    Exposed(PathBuf, u32),
}

/// Returns where the key of a data dir stands.
pub fn signing_key_path(data_dir: &Path) -> PathBuf {
    data_dir.join("signing.key")
}

impl SigningKey {
    /// Reads a key from text: 32 bytes in base64, either alphabet, padded or not.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        parse_seed(text).map(Self::from_seed).ok_or_else(|| KeyError::NotAKey("given".to_owned()))
    }

    /// Makes a new key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut seed = [0; SEED_BYTES];
        random.fill(&mut seed);
        Self::from_seed(seed)
    }

    /// Reads the key of a data dir, or makes it: a new file of mode 0600, written whole or not at all.
    ///
    /// # Errors
    /// The three situations of [`KeyError`].
    pub fn open_or_create(data_dir: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        let path = signing_key_path(data_dir);
        match Self::open(&path) {
            Err(KeyError::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate(random);
                key.save(data_dir, &path).map_err(|error| KeyError::Io(path, error))?;
                Ok(key)
            }
            answer => answer,
        }
    }

    /// Reads the key in the file `path`.
    ///
    /// # Errors
    /// The three situations of [`KeyError`].
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::Io(path.to_owned(), error);
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(KeyError::Exposed(path.to_owned(), mode));
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        parse_seed(&text).map(Self::from_seed).ok_or_else(|| KeyError::NotAKey(path.display().to_string()))
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
        self.0.expose_secret()
    }

    fn from_seed(seed: [u8; SEED_BYTES]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(seed))))
    }

    /// Writes beside the place and renames, so that a crash leaves no half a key.
    fn save(&self, data_dir: &Path, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("key.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let text = base64::engine::general_purpose::STANDARD.encode(self.seed());
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        File::open(data_dir)?.sync_all()
    }
}

/// Reads 32 bytes in base64, either alphabet, padded or not.
pub(crate) fn parse_seed(text: &str) -> Option<[u8; SEED_BYTES]> {
    let either = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = text.trim().replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&alphabet::STANDARD, either).decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_engine::SeededRandom;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let dir = std::env::temp_dir().join(format!("rookery-key-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let made = SigningKey::open_or_create(&dir, &SeededRandom::new(1)).unwrap();
        let read = SigningKey::open_or_create(&dir, &SeededRandom::new(2)).unwrap();
        assert_eq!(made.seed(), read.seed());
        let path = signing_key_path(&dir);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(SigningKey::open(&path), Err(KeyError::Exposed(_, 0o644))));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_key_is_32_bytes_in_either_alphabet() {
        let standard = base64::engine::general_purpose::STANDARD.encode([0xfb; 32]);
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([0xfb; 32]);
        assert_eq!(parse_seed(&standard), Some([0xfb; 32]));
        assert_eq!(parse_seed(&format!("{url}\n")), Some([0xfb; 32]));
        assert_eq!(parse_seed("c2hvcnQ="), None);
        assert_eq!(parse_seed("not base64 at all"), None);
    }
}
