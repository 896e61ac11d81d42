//! Looking at a cluster without using it: what `rookery doctor` asks.

use crate::connect;
use crate::migrate::{self, MigrateError, MigrationStatus};
use crate::options::{CqlOptions, OpenError, Replication};
use rookery_engine::Clock;
use rookery_protocol::Timestamp;
use scylla::client::session::Session;
use scylla::cluster::Node;
use scylla::deserialize::row::DeserializeRow;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy};
use scylla::statement::{Consistency, Statement};
use std::collections::HashMap;
use std::sync::Arc;

/// What a cluster says of itself.
#[derive(Clone, Debug)]
pub struct ClusterStatus {
    /// Every node that it knows, whether it answers or not.
    pub nodes: Vec<NodeStatus>,
    /// How the keyspace keeps its copies; `None` where there is no keyspace yet.
    pub replication: Option<Replication>,
    /// How each migration stands, by number.
    pub migrations: Vec<MigrationStatus>,
}

/// One node of a cluster.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// Where it is, as the others tell clients.
    pub address: String,
    /// Its datacenter.
    pub datacenter: String,
    /// What it says, or why it says nothing.
    pub said: Result<NodeSaid, String>,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSaid {
    /// What it is, such as `Cassandra 5.0.9`.
    pub server: String,
    /// When it writes to its disk.
    pub sync: CommitlogSync,
    /// Milliseconds by which its clock is ahead of ours; negative where it is behind.
    pub ahead_ms: i64,
    /// Milliseconds by which that may be wrong: half of the time that the answer took.
    pub ahead_within_ms: i64,
}

/// When a node's commit log is on its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitlogSync {
    /// Before a write is answered: `batch` or `group`.
    BeforeAnswer(String),
    /// Only now and then: an answered write may be lost with the power.
    Periodic {
        /// How often, as the server writes it.
        every: String,
        /// Whether conditional writes are synced all the same, as ScyllaDB does.
        but_conditional: bool,
    },
    /// It does not say.
    Unknown,
}

/// Asks a cluster and each of its nodes what they are. Nothing is made and nothing is changed.
///
/// # Errors
/// [`OpenError`]: when no node answers within `options.wait`, or the answer about the keyspace is none.
pub async fn inspect(options: &CqlOptions, clock: &dyn Clock) -> Result<ClusterStatus, OpenError> {
    let session = connect::for_inspection(options).await?;
    let mut nodes = Vec::new();
    for node in session.get_cluster_state().get_nodes_info() {
        nodes.push(NodeStatus {
            address: node.address.to_string(),
            datacenter: node.datacenter.clone().unwrap_or_default(),
            said: ask(&session, node, clock).await.map_err(|error| error.to_string()),
        });
    }
    Ok(ClusterStatus {
        nodes,
        replication: replication(&session, options).await?,
        migrations: migrate::look(&session, options).await?,
    })
}

async fn ask(session: &Session, node: &Arc<Node>, clock: &dyn Clock) -> Result<NodeSaid, MigrateError> {
    let version = "SELECT release_version FROM system.local";
    let version = one::<(String,)>(session, node, version).await?.map_or_else(String::new, |(text,)| text);
    // The first answer has paid for the connection.
    let asked = clock.now();
    let time = one::<(i64,)>(session, node, "SELECT toUnixTimestamp(now()) FROM system.local").await?;
    let answered = clock.now();
    let (time,) = time.ok_or_else(|| MigrateError::Answer("no time".to_owned()))?;
    let (ahead_ms, ahead_within_ms) = ahead(asked, time, answered);
    let (server, sync) =
        match settings(session, node, "system_views.settings", "commitlog_sync_period").await? {
            Some((mode, every)) => (format!("Cassandra {version}"), sync(mode, every, false)),
            None => match settings(session, node, "system.config", "commitlog_sync_period_in_ms").await? {
                Some((mode, every)) => ("ScyllaDB".to_owned(), sync(mode, format!("{every} ms"), true)),
                None => (format!("version {version}"), CommitlogSync::Unknown),
            },
        };
    Ok(NodeSaid { server, sync, ahead_ms, ahead_within_ms })
}

/// Returns by how much the time that was told is ahead of the middle of asking and hearing, and by how much
/// that may be wrong.
fn ahead(asked: Timestamp, told: i64, answered: Timestamp) -> (i64, i64) {
    let took = answered.0 - asked.0;
    (told - asked.0 - took / 2, took / 2 + 1)
}

/// Returns how the commit log is synced and how often, from the table where this kind of server has its
/// settings; nothing where it has no such table.
async fn settings(
    session: &Session,
    node: &Arc<Node>,
    table: &str,
    period: &str,
) -> Result<Option<(String, String)>, MigrateError> {
    let value = async |name: &str| {
        one::<(Option<String>,)>(session, node, &format!("SELECT value FROM {table} WHERE name = '{name}'"))
            .await
            .map(|row| row.and_then(|(value,)| value))
    };
    match value("commitlog_sync").await {
        Ok(None) => Ok(None),
        // ScyllaDB shows texts in the quotes of JSON.
        Ok(Some(mode)) => {
            let mode = mode.trim_matches('"').to_owned();
            Ok(Some((mode, value(period).await?.unwrap_or_else(|| "?".to_owned()))))
        }
        Err(MigrateError::Server(error)) if is_invalid(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_invalid(error: &ExecutionError) -> bool {
    matches!(
        error,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(
            DbError::Invalid | DbError::Unauthorized,
            _
        ))
    )
}

fn sync(mode: String, every: String, but_conditional: bool) -> CommitlogSync {
    match mode.as_str() {
        "batch" | "group" => CommitlogSync::BeforeAnswer(mode),
        "periodic" => CommitlogSync::Periodic { every, but_conditional },
        _ => CommitlogSync::Unknown,
    }
}

async fn replication(session: &Session, options: &CqlOptions) -> Result<Option<Replication>, MigrateError> {
    let query = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let rows = migrate::rows::<(HashMap<String, String>,)>(session, query, (&options.keyspace,)).await?;
    rows.into_iter().next().map(|(said,)| read_replication(&said)).transpose()
}

/// Reads a keyspace's replication: its class, and numbers of copies by their names.
fn read_replication(said: &HashMap<String, String>) -> Result<Replication, MigrateError> {
    let unknown = || MigrateError::Answer(format!("a replication that is none: {said:?}"));
    let class = said.get("class").map_or("", String::as_str);
    let copies = |text: &String| text.parse().map_err(|_| unknown());
    if class.ends_with("SimpleStrategy") {
        let copies = said.get("replication_factor").ok_or_else(unknown).and_then(copies)?;
        return Ok(Replication::Simple(copies));
    }
    let datacenters = said.iter().filter(|(name, _)| *name != "class");
    let datacenters = datacenters.map(|(name, text)| Ok((name.clone(), copies(text)?)));
    let mut datacenters = datacenters.collect::<Result<Vec<_>, MigrateError>>()?;
    datacenters.sort_unstable();
    if datacenters.is_empty() { Err(unknown()) } else { Ok(Replication::ByDatacenter(datacenters)) }
}

/// Asks one node, and returns the first row of its answer.
async fn one<R>(session: &Session, node: &Arc<Node>, query: &str) -> Result<Option<R>, MigrateError>
where
    R: for<'frame> DeserializeRow<'frame, 'frame>,
{
    let mut statement = Statement::new(query);
    statement.set_consistency(Consistency::One);
    let only = SingleTargetLoadBalancingPolicy::new(NodeIdentifier::Node(Arc::clone(node)), None);
    statement.set_load_balancing_policy(Some(only));
    Ok(migrate::rows(session, statement, ()).await?.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_compared_with_the_middle_of_asking_and_hearing() {
        assert_eq!(ahead(Timestamp(1000), 1050, Timestamp(1100)), (0, 51));
        assert_eq!(ahead(Timestamp(1000), 6002, Timestamp(1004)), (5000, 3));
        assert_eq!(ahead(Timestamp(1000), 900, Timestamp(1000)), (-100, 1));
    }

    #[test]
    fn both_ways_to_keep_copies_are_read() {
        let read = |pairs: &[(&str, &str)]| {
            let said = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            read_replication(&said.collect())
        };
        let simple = ("class", "org.apache.cassandra.locator.SimpleStrategy");
        assert_eq!(read(&[simple, ("replication_factor", "3")]).ok(), Some(Replication::Simple(3)));
        let network = ("class", "org.apache.cassandra.locator.NetworkTopologyStrategy");
        let both = vec![("dc1".to_owned(), 3), ("dc2".to_owned(), 2)];
        assert_eq!(read(&[network, ("dc2", "2"), ("dc1", "3")]).ok(), Some(Replication::ByDatacenter(both)));
        assert!(
            read(&[simple]).is_err() && read(&[network]).is_err() && read(&[network, ("dc1", "x")]).is_err()
        );
    }
}
