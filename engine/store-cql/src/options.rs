//! What can be set of the cluster's store, and why it does not open.

use crate::migrate::MigrateError;
use rookery_engine::metrics::StoreMetrics;
use rookery_engine::store::StoreError;
use scylla::errors::{NewSessionError, PrepareError};
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// Where the cluster is and how it is used.
#[derive(Clone, Debug)]
pub struct CqlOptions {
    /// `host:port` of some of its nodes; the others are found through them.
    pub nodes: Vec<String>,
    /// The keyspace: letters, digits and `_`, beginning with a letter; made when it is absent.
    pub keyspace: String,
    /// How a keyspace is replicated that is made.
    pub replication: Replication,
    /// The datacenter whose nodes are asked; without it all are near.
    pub datacenter: Option<String>,
    /// The user and the password, where the cluster asks for them.
    pub login: Option<(String, SecretString)>,
    /// A file of certificates in PEM: nodes are reached over TLS then, and each has to have a certificate for its
    /// IP address that one of these has signed. Without it nothing is encrypted.
    pub ca: Option<PathBuf>,
    /// Positions of a room's log in one partition; at least 1. It is kept in the keyspace when that is made,
    /// and another value is refused from then on.
    pub bucket_size: u64,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// Requests under way at once; further ones wait.
    pub requests: usize,
    /// How long opening waits for a cluster that does not answer yet.
    pub wait: Duration,
    /// What requests are counted with.
    pub metrics: StoreMetrics,
}

impl CqlOptions {
    /// Returns the defaults for the cluster of these nodes.
    ///
    /// - 10,000 positions are 5 MB at 500 bytes a message, far below the 100 MB that a partition should have.
    /// - 3 s are two round trips to a node that is being collected; a client waits no longer.
    /// - 512 requests are what one connection takes at the 2 ms of a local write at 250,000 a second.
    /// - 60 s are the start of a cluster of three beside its clients.
    pub fn at(nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            nodes: nodes.into_iter().map(Into::into).collect(),
            keyspace: "rookery".to_owned(),
            replication: Replication::Simple(3),
            datacenter: None,
            login: None,
            ca: None,
            bucket_size: 10_000,
            request_timeout: Duration::from_secs(3),
            requests: 512,
            wait: Duration::from_secs(60),
            metrics: StoreMetrics::none(),
        }
    }
}

/// How many copies of each row there are, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// So many, anywhere: for one datacenter, and for tests.
    Simple(u8),
    /// So many in each of these datacenters.
    ByDatacenter(Vec<(String, u8)>),
}

/// Why the cluster's store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An option is none that can be used.
    #[error("use the option {option}: {reason}")]
    Option {
        /// Which.
        option: &'static str,
        /// Why.
        reason: String,
    },
    /// Certificates that cannot be used.
    #[error("use the certificates in {file}: {reason}")]
    Ca {
        /// Where they are.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No node answered in time.
    #[error("reach the cluster at {nodes}: {source}")]
    Connect {
        /// Which nodes were asked.
        nodes: String,
        /// What the last try ended with.
        source: Box<NewSessionError>,
    },
    /// The schema is not one that this version knows how to use, or could not be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The keyspace was made by an older version, and was not to be changed.
    #[error("use the schema: migration {number} ({name}) is not applied; the start of a server does that")]
    Outdated {
        /// Which.
        number: u32,
        /// Its name.
        name: String,
    },
    /// The cluster was reached and does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A statement does not fit the schema.
    #[error("prepare the statements: {0}")]
    Prepare(#[from] PrepareError),
}
