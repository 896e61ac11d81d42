//! Where Redis is, and the names under which it is used.

use redis::io::tcp::TcpSettings;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, TlsCertificates};
use rookery_engine::bus::NodeId;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Letters that a prefix has at most.
const PREFIX_LENGTH: usize = 64;

/// Where the bus is. It needs Redis 6 or later, one primary, and no setting of it.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, or with `rediss` for TLS. Not logged.
    pub url: SecretString,
    /// With TLS, a file of certificates in PEM: Redis has to have one that one of these has signed. Without it,
    /// one that the system trusts. Either way it has to name the HOST.
    pub ca: Option<PathBuf>,
    /// What all keys and channels begin with: clusters with different ones do not hear each other. 1 to 64
    /// ASCII letters, digits, `-`, `_` and `.`.
    pub prefix: String,
}

/// Why a bus cannot be opened. Whether Redis is there is not among it: that may change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not an address of Redis, or one that asks for TLS without looking at the certificate.
    #[error("read the address of Redis, which has to be redis://HOST:PORT or rediss://HOST:PORT")]
    Url,
    /// Not certificates, or none are needed.
    #[error("use the certificates in {file}: {reason}")]
    Ca {
        /// Where they are.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Not a prefix.
    #[error("take the prefix: 1 to {PREFIX_LENGTH} letters, digits, `-`, `_` and `.`")]
    Prefix,
}

impl RedisOptions {
    /// Returns what connects.
    pub(crate) fn client(&self) -> Result<Client, OpenError> {
        // The cause may quote the address, and with it the password.
        let info: ConnectionInfo =
            self.url.expose_secret().into_connection_info().map_err(|_| OpenError::Url)?;
        // The third protocol tells of a broken connection without being asked.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        // Batches are made here; holding small ones back in the kernel only costs time.
        let tcp = TcpSettings::default().set_nodelay(true);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        let (is_tls, is_blind) = match info.addr() {
            ConnectionAddr::TcpTls { insecure, .. } => (true, *insecure),
            _ => (false, false),
        };
        let client = match &self.ca {
            _ if is_blind => return Err(OpenError::Url),
            None => Client::open(info),
            Some(file) if is_tls => {
                let root_cert = Some(certificates(file)?);
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })
            }
            Some(file) => {
                let reason = "the address of Redis does not begin with rediss://".to_owned();
                return Err(OpenError::Ca { file: file.clone(), reason });
            }
        };
        client.map_err(|_| OpenError::Url)
    }

    /// Returns the names.
    pub(crate) fn names(&self) -> Result<Names, OpenError> {
        let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
        let is_good = (1..=PREFIX_LENGTH).contains(&self.prefix.len()) && self.prefix.bytes().all(is_allowed);
        // The number is that of all formats here together: nodes that speak another one are not heard.
        is_good.then(|| Names(format!("{}:bus1", self.prefix))).ok_or(OpenError::Prefix)
    }
}

/// Reads certificates in PEM, of which there has to be one.
fn certificates(file: &Path) -> Result<Vec<u8>, OpenError> {
    let unusable = |reason: String| OpenError::Ca { file: file.to_owned(), reason };
    let text = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    match CertificateDer::from_pem_slice(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(unusable(format!("no certificate in PEM: {error}"))),
    }
}

/// The names of keys and channels.
#[derive(Clone, Debug)]
pub(crate) struct Names(String);

impl Names {
    /// The hash of the leases: by node, when it ends and what the node says of itself.
    pub(crate) fn leases(&self) -> String {
        format!("{}:nodes", self.0)
    }

    /// What the names of all hashes of values begin with; the id of the node follows.
    pub(crate) fn all_values(&self) -> String {
        format!("{}:values:", self.0)
    }

    /// The hash of the values that a node keeps.
    pub(crate) fn values(&self, of: NodeId) -> String {
        self.all_values() + &id_text(of)
    }

    /// When the bucket of `who` is full again.
    pub(crate) fn bucket(&self, rule: &str, who: &str) -> String {
        format!("{}:rate:{rule}:{who}", self.0)
    }

    /// The channel that one node hears.
    pub(crate) fn to_one(&self, node: NodeId) -> String {
        format!("{}:to:{}", self.0, id_text(node))
    }

    /// The channel that every node hears.
    pub(crate) fn to_all(&self) -> String {
        format!("{}:all", self.0)
    }
}

/// Returns a node's id as it is in names and hashes.
pub(crate) fn id_text(node: NodeId) -> String {
    node.0.simple().to_string()
}

/// Reads what [`id_text`] has written.
pub(crate) fn read_id(text: &str) -> Option<NodeId> {
    Uuid::try_parse(text).ok().map(NodeId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str, prefix: &str) -> RedisOptions {
        RedisOptions { url: SecretString::from(url), ca: None, prefix: prefix.to_owned() }
    }

    #[test]
    fn only_an_address_of_redis_is_taken_and_none_is_told() {
        let refused = |url| options(url, "a").client().map(drop);
        assert_eq!(refused("redis://user:secret@127.0.0.1:6379/3"), Ok(()));
        assert_eq!(refused("rediss://user:secret@127.0.0.1"), Ok(()));
        for url in ["", "127.0.0.1:6379", "http://127.0.0.1", "rediss://a#insecure", "redis://:secret@:x"] {
            assert_eq!(refused(url), Err(OpenError::Url), "{url}");
        }
        assert!(!format!("{:?}", options("redis://:secret@host", "a")).contains("secret"));
        let debug = format!("{:?}", options("redis://:secret@host", "a").client());
        assert!(!debug.contains("secret"), "{debug}");
    }

    #[test]
    fn certificates_that_cannot_be_used_are_told_with_their_file() {
        let refused = |url: &str, file: &str| {
            let options = RedisOptions { ca: Some(PathBuf::from(file)), ..options(url, "a") };
            options.client().map(drop).map_err(|error| error.to_string())
        };
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let said = refused("rediss://host", manifest).expect_err("it is another file");
        assert!(said.contains(manifest) && said.contains("no certificate"), "{said}");
        let said = refused("rediss://host", "/no/such/file").expect_err("there is none");
        assert!(said.contains("/no/such/file"), "{said}");
        let said = refused("redis://host", manifest).expect_err("there is no TLS");
        assert!(said.contains("rediss://"), "{said}");
    }

    #[test]
    fn a_prefix_cannot_reach_into_another() {
        for bad in ["", "a:b", "a b", "ä", &"a".repeat(PREFIX_LENGTH + 1)] {
            assert_eq!(options("redis://host", bad).names().map(drop), Err(OpenError::Prefix), "{bad}");
        }
        let names = options("redis://host", "eu-1").names().expect("it is a prefix");
        assert_eq!(names.values(NodeId(Uuid::nil())), format!("eu-1:bus1:values:{}", "0".repeat(32)));
    }
}
