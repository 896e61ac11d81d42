//! `[storage]`: where the server keeps what must not be lost.

use super::error::Problems;
use super::layer::hidden;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the server keeps what must not be lost.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// The folder of the database and the signing key.
    pub data_dir: PathBuf,
    /// Where messages, accounts and all else are.
    pub place: StoragePlace,
}

/// Where messages, accounts and all else are.
#[derive(Clone, Debug)]
pub enum StoragePlace {
    /// In an SQLite database in the data dir.
    Embedded,
    /// In ScyllaDB or Cassandra.
    Cql(Box<CqlConfig>),
}

/// A cluster of ScyllaDB or Cassandra.
#[derive(Clone, Debug)]
pub struct CqlConfig {
    /// Some of its nodes, `host:port`; never empty.
    pub nodes: Vec<String>,
    /// The keyspace; made where it is missing.
    pub keyspace: String,
    /// How a keyspace that is made keeps its copies.
    pub replication: Replication,
    /// The data centre whose nodes are asked; without it all are near.
    pub datacenter: Option<String>,
    /// Who we are there and the proof, where it asks.
    pub login: Option<(String, SecretString)>,
    /// Who has signed its nodes' certificates, as a file; without it nothing is encrypted.
    pub ca: Option<PathBuf>,
}

/// How many copies there are of everything, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// So many, on whichever nodes.
    Simple(u8),
    /// So many in each of these data centres.
    DataCenters(Vec<(String, u8)>),
}

/// Where the server keeps what must not be lost.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStorage {
    /// The folder of the database and the signing key; made when it is missing.
    #[schemars(length(min = 1))]
    data_dir: String,
    /// Some nodes of ScyllaDB or Cassandra, `host:port`, to keep everything there; empty: in an SQLite database in the data dir.
    cql_nodes: Vec<String>,
    /// The keyspace; made where it is missing.
    cql_keyspace: String,
    /// Copies, for a keyspace that is made: a number, or `dc1:3,dc2:3`.
    cql_replication: String,
    /// The data centre whose nodes are asked; empty: all are near.
    cql_datacenter: String,
    /// The user there; empty: none is asked for.
    cql_user: String,
    /// The user's password.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    cql_password: Option<SecretString>,
    /// A file of certificates in PEM: the nodes are reached over TLS, and each has to have a certificate for its IP address that one of these has signed; empty: without TLS.
    cql_ca: String,
}

impl Default for RawStorage {
    fn default() -> Self {
        Self {
            data_dir: "./data".to_owned(),
            cql_nodes: Vec::new(),
            cql_keyspace: "rookery".to_owned(),
            cql_replication: "3".to_owned(),
            cql_datacenter: String::new(),
            cql_user: String::new(),
            cql_password: None,
            cql_ca: String::new(),
        }
    }
}

impl RawStorage {
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> StorageConfig {
        if self.data_dir.is_empty() {
            problems.value("storage.data_dir", &self.data_dir, "the path of a folder");
        }
        StorageConfig { data_dir: PathBuf::from(&self.data_dir), place: self.place(problems) }
    }

    fn place(&self, problems: &mut Problems<'_>) -> StoragePlace {
        for node in self.cql_nodes.iter().filter(|node| !is_host_and_port(node)) {
            problems.value("storage.cql_nodes", node, "host:port");
        }
        if !is_keyspace(&self.cql_keyspace) {
            let allowed = "1 to 48 of a-z 0-9 _, a letter first";
            problems.value("storage.cql_keyspace", &self.cql_keyspace, allowed);
        }
        let replication = Replication::parse(&self.cql_replication).unwrap_or_else(|| {
            let allowed = "copies from 1 to 9, such as 3 or dc1:3,dc2:3";
            problems.value("storage.cql_replication", &self.cql_replication, allowed);
            Replication::Simple(1)
        });
        if self.cql_user.is_empty() != self.cql_password.is_none() {
            problems.value("storage.cql_user", &self.cql_user, "a user and storage.cql_password, or neither");
        }
        if self.cql_nodes.is_empty() {
            return StoragePlace::Embedded;
        }
        StoragePlace::Cql(Box::new(CqlConfig {
            nodes: self.cql_nodes.clone(),
            keyspace: self.cql_keyspace.clone(),
            replication,
            datacenter: Some(self.cql_datacenter.clone()).filter(|name| !name.is_empty()),
            login: self.cql_password.clone().map(|password| (self.cql_user.clone(), password)),
            ca: Some(PathBuf::from(&self.cql_ca)).filter(|file| !file.as_os_str().is_empty()),
        }))
    }
}

impl Replication {
    fn parse(text: &str) -> Option<Self> {
        let copies = |text: &str| text.parse().ok().filter(|copies| (1..=9).contains(copies));
        if let Some(copies) = copies(text) {
            return Some(Self::Simple(copies));
        }
        let centre = |part: &str| {
            let (name, number) = part.trim().split_once(':')?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let is_name = !name.is_empty() && name.chars().all(is_plain);
            is_name.then_some(()).and_then(|()| Some((name.to_owned(), copies(number)?)))
        };
        text.split(',').map(centre).collect::<Option<_>>().map(Self::DataCenters)
    }
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// The names that CQL takes without quotes, in one case only.
fn is_keyspace(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.len() <= 48 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_plain)
}
