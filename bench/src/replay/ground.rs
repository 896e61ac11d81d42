//! Where a play happens: one server, or a cluster of them.

use super::cluster::{Cluster, Disturbed};
use super::server::{Server, Usage};
use fastrand::Rng;
use rookery_client::ServerUrl;
use rookery_engine::store::Store;
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is played on.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// One server: this binary.
    Alone(PathBuf),
    /// So many servers, this binary, with Redis and Cassandra.
    Cluster(PathBuf, usize),
}

/// The servers of a play.
#[derive(Debug)]
pub(crate) enum Ground {
    Alone(Server),
    Cluster(Box<Cluster>),
}

impl Ground {
    /// Starts what `place` says, with its data and its logs below `folder`.
    pub(crate) async fn start(place: &Place, folder: &Path) -> anyhow::Result<Self> {
        Ok(match place {
            Place::Alone(binary) => Self::Alone(Server::start(binary, folder)?),
            Place::Cluster(binary, nodes) => {
                Self::Cluster(Box::new(Cluster::start(binary, *nodes, folder).await?))
            }
        })
    }

    /// Returns where the servers are; the same at any time.
    pub(crate) fn servers(&self) -> Vec<ServerUrl> {
        match self {
            Self::Alone(server) => vec![server.address().into()],
            Self::Cluster(cluster) => cluster.servers(),
        }
    }

    /// Has one thing go wrong, and puts it right again: of one server, a kill.
    pub(crate) fn disturb(&mut self, rng: &mut Rng) -> anyhow::Result<Disturbed> {
        match self {
            Self::Alone(server) => {
                server.kill_and_restart()?;
                Ok(Disturbed { what: "Kill".to_owned(), refused_on_waking: None })
            }
            Self::Cluster(cluster) => cluster.disturb(rng),
        }
    }

    /// Returns what the servers used up to now.
    pub(crate) fn usage(&self) -> Usage {
        match self {
            Self::Alone(server) => server.usage(),
            Self::Cluster(cluster) => cluster.usage(),
        }
    }

    /// Kills the servers for good, as a crash would, and returns what they have stored in `folder`.
    pub(crate) async fn stop(&mut self, folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
        Ok(match self {
            Self::Alone(server) => {
                server.stop()?;
                Arc::new(SqliteStore::open(&SqliteOptions::in_dir(folder.join("data")))?)
            }
            Self::Cluster(cluster) => cluster.stop().await?,
        })
    }
}
