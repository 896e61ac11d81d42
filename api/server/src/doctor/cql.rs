//! ScyllaDB or Cassandra: whether it answers, keeps enough copies, on its disks, with the right time.

use super::Finding;
use super::migrations::{self, Standing};
use crate::wiring;
use rookery_api::config::CqlConfig;
use rookery_engine::SystemClock;
use rookery_store_cql::{
    ClusterStatus, CommitlogSync, CqlOptions, MigrationState, NodeSaid, Replication, inspect,
};
use std::time::Duration;

/// How long a cluster that does not answer is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// Milliseconds of a clock's difference that are told: what expires and what was said when is seen to be
/// wrong by about then. Nothing is ordered by a clock.
const SKEW_MS: i64 = 1000;

/// Asks the cluster, and judges what it says.
pub(super) async fn look(config: &CqlConfig, findings: &mut Vec<Finding>) {
    let options = CqlOptions { wait: WAIT, ..wiring::cql_options(config) };
    match inspect(&options, &SystemClock::new()).await {
        Ok(status) => judge(&status, &options, findings),
        Err(error) => findings.push(Finding::fail("database", format!("{error:#}"))),
    }
}

fn judge(status: &ClusterStatus, options: &CqlOptions, findings: &mut Vec<Finding>) {
    let said: Vec<(&str, &NodeSaid)> = status
        .nodes
        .iter()
        .filter_map(|node| Some((node.address.as_str(), node.said.as_ref().ok()?)))
        .collect();
    findings.push(nodes(status, &said));
    findings.push(copies(status, options));
    let standing = |state: MigrationState| match state {
        MigrationState::Applied => Standing::Applied,
        MigrationState::Pending => Standing::Pending,
        MigrationState::Changed => Standing::Changed,
        MigrationState::Unknown => Standing::Unknown,
    };
    let all = status.migrations.iter().map(|one| (standing(one.state), one.number, one.name.as_str()));
    findings.push(migrations::judge(&all.collect::<Vec<_>>()));
    findings.push(commit_log(&said));
    findings.push(clocks(&said));
}

fn nodes(status: &ClusterStatus, said: &[(&str, &NodeSaid)]) -> Finding {
    const NAME: &str = "database";
    let silent: Vec<String> = status
        .nodes
        .iter()
        .filter_map(|node| Some(format!("{} ({})", node.address, node.said.as_ref().err()?)))
        .collect();
    let (all, server) = (status.nodes.len(), said.first().map_or("nobody", |(_, node)| node.server.as_str()));
    match silent.as_slice() {
        [] => Finding::ok(NAME, format!("{server} answers, {all} of {all} nodes")),
        _ if said.is_empty() => Finding::fail(NAME, format!("no node answers: {}", silent.join("; "))),
        _ => Finding::warn(NAME, format!("{server} answers, but not {}", silent.join("; "))),
    }
}

/// Every request asks a quorum, so what counts is how many copies there are, and whether so many nodes are.
fn copies(status: &ClusterStatus, options: &CqlOptions) -> Finding {
    const NAME: &str = "replication";
    let (replication, when) = match &status.replication {
        Some(kept) => (kept, format!("the keyspace {}", options.keyspace)),
        None => {
            (&options.replication, format!("the keyspace {}, made at the first start,", options.keyspace))
        }
    };
    // Where the copies are counted, and how many nodes answer there.
    let answering = |datacenter: Option<&str>| {
        let here = status.nodes.iter().filter(|node| node.said.is_ok());
        here.filter(|node| datacenter.is_none_or(|name| name == node.datacenter)).count()
    };
    let places: Vec<(String, u8, usize)> = match replication {
        Replication::Simple(copies) => vec![(String::new(), *copies, answering(None))],
        Replication::ByDatacenter(all) => {
            let place =
                |(name, copies): &(String, u8)| (format!(" in {name}"), *copies, answering(Some(name)));
            all.iter().map(place).collect()
        }
    };
    if let Some((place, copies, nodes)) =
        places.iter().find(|(_, copies, nodes)| usize::from(copies / 2) >= *nodes)
    {
        let quorum = copies / 2 + 1;
        let detail = format!(
            "{when} has {}{place}, and a request needs {quorum} nodes; those that answer: {nodes}",
            counted(*copies)
        );
        return Finding::fail(NAME, detail);
    }
    let kept: Vec<_> = places.iter().map(|(place, copies, _)| counted(*copies) + place).collect();
    let detail = format!("{when} has {}", kept.join(", "));
    match places.iter().map(|(_, copies, _)| *copies).min() {
        Some(0 | 1) => Finding::warn(NAME, format!("{detail}: what is on a node is lost with its disk")),
        Some(2) => Finding::warn(NAME, format!("{detail}: without either, nothing can be read or written")),
        _ => Finding::ok(NAME, detail),
    }
}

fn counted(copies: u8) -> String {
    if copies == 1 { "1 copy".to_owned() } else { format!("{copies} copies") }
}

fn commit_log(said: &[(&str, &NodeSaid)]) -> Finding {
    const NAME: &str = "commit log";
    for (address, node) in said {
        match &node.sync {
            CommitlogSync::BeforeAnswer(_) => {}
            CommitlogSync::Periodic { every, but_conditional: false } => {
                return Finding::warn(
                    NAME,
                    format!(
                        "{address} answers before its disk has a write (periodic, every {every}): what was \
                         acknowledged is lost when all copies lose power within that time; set commitlog_sync: batch"
                    ),
                );
            }
            CommitlogSync::Periodic { every, but_conditional: true } => {
                return Finding::warn(
                    NAME,
                    format!(
                        "{address} syncs messages before it answers, but what follows from them every {every}: \
                         set commitlog_sync: batch"
                    ),
                );
            }
            CommitlogSync::Unknown => {
                return Finding::warn(NAME, format!("{address} does not say when it syncs"));
            }
        }
    }
    Finding::ok(NAME, "on the disk before a write is answered")
}

fn clocks(said: &[(&str, &NodeSaid)]) -> Finding {
    const NAME: &str = "clocks";
    let Some((address, node)) = said.iter().max_by_key(|(_, node)| node.ahead_ms.abs()) else {
        return Finding::warn(NAME, "not known");
    };
    let (off, within) = (node.ahead_ms.abs(), node.ahead_within_ms);
    if off - within <= SKEW_MS {
        return Finding::ok(NAME, format!("within {} ms of this machine's", off + within));
    }
    let side = if node.ahead_ms > 0 { "ahead of" } else { "behind" };
    Finding::warn(NAME, format!("{address} is {off} ms {side} this machine: have both ask a time server"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;
    use rookery_store_cql::NodeStatus;

    fn said(sync: CommitlogSync, ahead_ms: i64) -> NodeSaid {
        NodeSaid { server: "Cassandra 5.0.9".to_owned(), sync, ahead_ms, ahead_within_ms: 10 }
    }

    fn batch() -> CommitlogSync {
        CommitlogSync::BeforeAnswer("batch".to_owned())
    }

    fn cluster(nodes: &[Result<NodeSaid, String>], replication: Option<Replication>) -> ClusterStatus {
        let node = |(number, said): (usize, &Result<NodeSaid, String>)| NodeStatus {
            address: format!("10.0.0.{number}:9042"),
            datacenter: "dc1".to_owned(),
            said: said.clone(),
        };
        ClusterStatus {
            nodes: nodes.iter().enumerate().map(node).collect(),
            replication,
            migrations: Vec::new(),
        }
    }

    /// The finding of this name.
    fn found(status: &ClusterStatus, name: &str) -> (Level, String) {
        let mut findings = Vec::new();
        judge(status, &CqlOptions::at(["10.0.0.0:9042"]), &mut findings);
        let found = findings.into_iter().find(|finding| finding.name == name).expect("it is looked at");
        (found.level, found.detail)
    }

    #[test]
    fn too_few_copies_and_too_few_nodes_are_told() {
        let three = || vec![Ok(said(batch(), 0)); 3];
        let level = |nodes: &[_], replication| found(&cluster(nodes, replication), "replication").0;
        assert_eq!(level(&three(), Some(Replication::Simple(3))), Level::Ok);
        assert_eq!(level(&three(), None), Level::Ok);
        assert_eq!(level(&three()[..2], Some(Replication::Simple(3))), Level::Ok);
        assert_eq!(level(&three()[..1], Some(Replication::Simple(3))), Level::Fail);
        assert_eq!(level(&three()[..1], None), Level::Fail);
        assert_eq!(level(&three(), Some(Replication::Simple(1))), Level::Warn);
        assert_eq!(level(&three(), Some(Replication::Simple(2))), Level::Warn);
        let here = |name: &str| Some(Replication::ByDatacenter(vec![(name.to_owned(), 3)]));
        assert_eq!(level(&three(), here("dc1")), Level::Ok);
        assert_eq!(level(&three(), here("dc2")), Level::Fail);
    }

    #[test]
    fn a_node_that_answers_before_its_disk_has_it_is_told() {
        let periodic = |but_conditional| CommitlogSync::Periodic { every: "10s".to_owned(), but_conditional };
        let tell = |sync| found(&cluster(&[Ok(said(batch(), 0)), Ok(said(sync, 0))], None), "commit log");
        assert_eq!(tell(batch()).0, Level::Ok);
        let (level, detail) = tell(periodic(false));
        assert!(level == Level::Warn && detail.contains("10.0.0.1") && detail.contains("10s"), "{detail}");
        assert_eq!(tell(periodic(true)).0, Level::Warn);
        assert_eq!(tell(CommitlogSync::Unknown).0, Level::Warn);
    }

    #[test]
    fn a_node_that_is_silent_and_a_clock_that_is_wrong_are_told() {
        let away = || Err("no route".to_owned());
        let level = |nodes: &[_], name| found(&cluster(nodes, None), name).0;
        assert_eq!(level(&[Ok(said(batch(), 0))], "database"), Level::Ok);
        assert_eq!(level(&[Ok(said(batch(), 0)), away()], "database"), Level::Warn);
        assert_eq!(level(&[away(), away()], "database"), Level::Fail);
        assert_eq!(level(&[Ok(said(batch(), 900))], "clocks"), Level::Ok);
        assert_eq!(level(&[Ok(said(batch(), -5000)), Ok(said(batch(), 5))], "clocks"), Level::Warn);
        assert_eq!(level(&[away()], "clocks"), Level::Warn);
    }
}
