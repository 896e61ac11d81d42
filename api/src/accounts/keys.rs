//! The keys of a server: given, or made once and kept in the data dir, and changed while tokens live.

use super::key::{SigningKey, time};
use super::ring::{RETIRES_AFTER, key_id_of};
use rookery_engine::Random;
use rookery_protocol::Timestamp;
use secrecy::SecretString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Keys of one server: the one that signs, the next one, and those whose tokens may still live; far more
/// than a rotation a day needs, and few enough to be published.
const KEYS: usize = 16;

/// Mode bits that let others than the owner near the file.
const OTHERS: u32 = 0o077;

/// The keys of a server, by the moment from which they sign: at least one.
#[derive(Clone, Debug)]
pub struct SigningKeys(Vec<SigningKey>);

/// Why there are no signing keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system says no.
    #[error("read or write the signing keys in {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    /// A line is not a key.
    #[error(
        "use line {1} of the signing keys {0}: it is not 32 bytes in base64, and then perhaps a time such as 2026-11-21T22:50:07Z"
    )]
    NotAKey(String, usize),
    /// There are none, or too many.
    #[error("use the signing keys {0}: there are {1}, and 1 to {KEYS} may be")]
    Count(String, usize),
    /// The file may be read by others than its owner.
    #[error(
        "trust the signing keys in {0}: its mode is {1:o}; `chmod 600` it, or replace them if others may have read it"
    )]
    Exposed(PathBuf, u32),
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStanding {
    /// Its name in tokens and among the published keys.
    pub id: String,
    /// From when on it signs, in words.
    pub signs_from: String,
    /// What it does at the moment that was asked about.
    pub phase: KeyPhase,
}

/// What a key does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPhase {
    /// It is published and signs later.
    Next,
    /// It signs.
    Signs,
    /// It signs no more; tokens that it signed may still live.
    Verifies,
    /// No token that it signed lives, where all servers have had its successor in time.
    Retired,
}

/// Returns where the keys of a data dir stand.
pub fn signing_key_path(data_dir: &Path) -> PathBuf {
    data_dir.join("signing.key")
}

impl SigningKeys {
    /// Returns one key as all there are.
    pub fn one(key: SigningKey) -> Self {
        Self(vec![key])
    }

    /// Reads keys from text: a line each, empty ones and those that begin with `#` aside.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`], [`KeyError::Count`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::parse_from(text, "given")
    }

    /// Reads the keys of a data dir, or makes the first one: a new file of mode 0600, written whole or not
    /// at all.
    ///
    /// # Errors
    /// The situations of [`KeyError`].
    pub fn open_or_create(data_dir: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        let path = signing_key_path(data_dir);
        match Self::open(&path) {
            Err(KeyError::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                let keys = Self::one(SigningKey::generate(random, Timestamp(0)));
                keys.save(&path)?;
                Ok(keys)
            }
            answer => answer,
        }
    }

    /// Reads the keys in the file `path`.
    ///
    /// # Errors
    /// The situations of [`KeyError`].
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::Io(path.to_owned(), error);
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(KeyError::Exposed(path.to_owned(), mode));
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::parse_from(&text, &path.display().to_string())
    }

    /// Writes the keys into `path`, beside the place first, so that a crash leaves no half a file.
    ///
    /// # Errors
    /// [`KeyError::Io`]; the file is as it was.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        self.write(path).map_err(|error| KeyError::Io(path.to_owned(), error))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("key.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        for key in &self.0 {
            writeln!(file, "{}", key.line())?;
        }
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`KeyError::Count`] where there are as many as may be.
    pub fn add(&mut self, key: SigningKey) -> Result<(), KeyError> {
        if self.0.len() == KEYS {
            return Err(KeyError::Count("with one more".to_owned(), KEYS + 1));
        }
        self.0.push(key);
        self.0.sort_by_key(SigningKey::signs_from);
        Ok(())
    }

    /// Drops the keys that are retired at `now`. Returns how many.
    pub fn prune(&mut self, now: Timestamp) -> usize {
        let retired = self.standings(now).iter().filter(|key| key.phase == KeyPhase::Retired).count();
        // They are the first ones, since a key retires after those before it.
        self.0.drain(..retired);
        retired
    }

    /// Says what each key does at `now`, in the order in which they sign.
    pub fn standings(&self, now: Timestamp) -> Vec<KeyStanding> {
        let signs = self.0.iter().rposition(|key| key.signs_from() <= now).unwrap_or(0);
        let phase = |at: usize| match at.cmp(&signs) {
            std::cmp::Ordering::Greater => KeyPhase::Next,
            std::cmp::Ordering::Equal => KeyPhase::Signs,
            std::cmp::Ordering::Less if now < self.0[at + 1].signs_from().plus_millis(RETIRES_AFTER) => {
                KeyPhase::Verifies
            }
            std::cmp::Ordering::Less => KeyPhase::Retired,
        };
        let standing = |(at, key): (usize, &SigningKey)| KeyStanding {
            id: key_id_of(key),
            signs_from: time(key.signs_from()).to_string(),
            phase: phase(at),
        };
        self.0.iter().enumerate().map(standing).collect()
    }

    /// Returns the token by which operators who hold these keys are known on their listener.
    pub fn operator_token(&self) -> Option<SecretString> {
        self.iter().next().map(SigningKey::operator_token)
    }

    /// Lists them, by the moment from which they sign.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        self.0.iter()
    }

    fn parse_from(text: &str, place: &str) -> Result<Self, KeyError> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let key = |(at, line)| SigningKey::parse(line).ok_or(KeyError::NotAKey(place.to_owned(), at));
        let mut keys = lines.map(key).collect::<Result<Vec<_>, _>>()?;
        if !(1..=KEYS).contains(&keys.len()) {
            return Err(KeyError::Count(place.to_owned(), keys.len()));
        }
        keys.sort_by_key(SigningKey::signs_from);
        Ok(Self(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_engine::SeededRandom;

    const NOW: Timestamp = Timestamp(1_795_301_400_000);

    fn ids(keys: &SigningKeys) -> Vec<String> {
        keys.iter().map(key_id_of).collect()
    }

    #[test]
    fn keys_are_made_once_and_read_again() {
        let dir = std::env::temp_dir().join(format!("rookery-key-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut made = SigningKeys::open_or_create(&dir, &SeededRandom::new(1)).unwrap();
        let read = SigningKeys::open_or_create(&dir, &SeededRandom::new(2)).unwrap();
        assert_eq!(ids(&made), ids(&read));
        made.add(SigningKey::generate(&SeededRandom::new(3), NOW)).unwrap();
        let path = signing_key_path(&dir);
        made.save(&path).unwrap();
        assert_eq!(ids(&SigningKeys::open(&path).unwrap()), ids(&made));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(SigningKeys::open(&path), Err(KeyError::Exposed(_, 0o644))));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_keys_of_a_text_are_its_lines_in_the_order_in_which_they_sign() {
        let [a, b] = [1, 2].map(|seed| SigningKey::generate(&SeededRandom::new(seed), Timestamp(0)));
        let text = format!("# keys\n\n{} 2026-11-21T22:50:00Z\r\n{}\n", a.line(), b.line());
        let keys = SigningKeys::parse(&text).unwrap();
        assert_eq!(ids(&keys), [key_id_of(&b), key_id_of(&a)]);
        let wrong = SigningKeys::parse(&format!("{}\nsecret words\n", a.line())).unwrap_err();
        let said = wrong.to_string();
        assert!(said.contains("line 2") && !said.contains("words"), "{said}");
        assert!(matches!(SigningKeys::parse("# none\n"), Err(KeyError::Count(_, 0))));
        let many = format!("{}\n", a.line()).repeat(17);
        assert!(matches!(SigningKeys::parse(&many), Err(KeyError::Count(_, 17))));
    }

    #[test]
    fn a_key_is_published_signs_verifies_and_retires() {
        let mut keys = SigningKeys::one(SigningKey::generate(&SeededRandom::new(1), Timestamp(0)));
        keys.add(SigningKey::generate(&SeededRandom::new(2), NOW)).unwrap();
        let phases =
            |keys: &SigningKeys, at| keys.standings(at).into_iter().map(|key| key.phase).collect::<Vec<_>>();
        assert_eq!(phases(&keys, NOW.plus_millis(-1)), [KeyPhase::Signs, KeyPhase::Next]);
        assert_eq!(phases(&keys, NOW), [KeyPhase::Verifies, KeyPhase::Signs]);
        let over = NOW.plus_millis(RETIRES_AFTER);
        assert_eq!(keys.clone().prune(over.plus_millis(-1)), 0);
        assert_eq!(phases(&keys, over), [KeyPhase::Retired, KeyPhase::Signs]);
        assert_eq!((keys.prune(over), phases(&keys, over)), (1, vec![KeyPhase::Signs]));
    }
}
