//! A cluster on this machine, as `tests/cluster` starts it: servers that reach the store and Redis through
//! networks that break.

mod fault;

use super::server::{Usage, usage};
use anyhow::{Context, ensure};
pub(crate) use fault::Disturbed;
use rookery_client::ServerUrl;
use rookery_engine::store::Store;
use rookery_store_cql::{CqlOptions, CqlStore, Replication};
use rookery_tests::proxy::FaultProxy;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A cluster. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Cluster {
    script: PathBuf,
    folder: PathBuf,
    binary: PathBuf,
    parts: BTreeMap<String, Part>,
    /// What lies between a node and what it needs, by the name of the node.
    ways: BTreeMap<String, Ways>,
    /// What processes used that are gone.
    used: Usage,
    /// Faults so far; each kind comes in its turn.
    faults: usize,
}

/// The ways of one node.
#[derive(Debug)]
struct Ways {
    store: FaultProxy,
    redis: FaultProxy,
}

#[derive(Debug)]
struct Part {
    pid: String,
    address: String,
    /// Where a node is looked after.
    admin: Option<String>,
}

impl Cluster {
    pub(crate) async fn start(binary: &Path, nodes: usize, folder: &Path) -> anyhow::Result<Self> {
        let script = Path::new("tests/cluster");
        ensure!(script.exists(), "a cluster is played in the project's folder, by {}", script.display());
        let mut cluster = Self {
            script: script.to_owned(),
            folder: folder.join("cluster"),
            binary: binary.to_owned(),
            parts: BTreeMap::new(),
            ways: BTreeMap::new(),
            used: Usage::default(),
            faults: 0,
        };
        cluster.ask(&["up", "--nodes", "0", "--relaxed"])?;
        for _ in 0..nodes {
            cluster.add().await?;
        }
        Ok(cluster)
    }

    /// Starts one more node, with ways of its own.
    async fn add(&mut self) -> anyhow::Result<()> {
        let (store, redis) = (self.address("c1")?.parse()?, self.address("redis")?.parse()?);
        let ways = Ways { store: FaultProxy::start(store).await, redis: FaultProxy::start(redis).await };
        let (store, redis) = (ways.store.address().to_string(), ways.redis.address().to_string());
        let said = tokio::task::block_in_place(|| self.ask(&["add", "--cql", &store, "--redis", &redis]))?;
        self.ways.insert(said.into_iter().next().context("a node was started")?, ways);
        Ok(())
    }

    pub(crate) fn servers(&self) -> Vec<ServerUrl> {
        self.nodes().filter_map(|(_, part)| format!("http://{}", part.address).parse().ok()).collect()
    }

    pub(crate) fn usage(&self) -> Usage {
        self.nodes().fold(self.used, |sum, (_, part)| sum.with(usage(&part.pid)))
    }

    /// Kills every node, and opens the store.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<Arc<dyn Store>> {
        let nodes: Vec<String> = self.nodes().map(|(name, _)| name.clone()).collect();
        for node in nodes {
            self.note_usage(&node);
            self.ask(&["kill", &node])?;
        }
        self.open_store().await
    }

    /// Opens the store, beside the servers if there are any.
    pub(crate) async fn open_store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let options =
            CqlOptions { replication: Replication::Simple(1), ..CqlOptions::at([self.address("c1")?]) };
        Ok(Arc::new(CqlStore::open(&options).await.context("open the store of the cluster")?))
    }

    /// Returns where a part is reached.
    pub(crate) fn address(&self, part: &str) -> anyhow::Result<&str> {
        Ok(&self.part(part)?.address)
    }

    /// Returns the id of a part's process.
    pub(crate) fn process(&self, part: &str) -> anyhow::Result<&str> {
        Ok(&self.part(part)?.pid)
    }

    fn part(&self, name: &str) -> anyhow::Result<&Part> {
        self.parts.get(name).with_context(|| format!("there is no {name}"))
    }

    fn nodes(&self) -> impl Iterator<Item = (&String, &Part)> {
        self.parts.iter().filter(|(name, _)| name.starts_with('n'))
    }

    fn ways(&self, node: &str) -> anyhow::Result<&Ways> {
        self.ways.get(node).with_context(|| format!("there is no node {node}"))
    }

    fn note_usage(&mut self, node: &str) {
        if let Some(part) = self.parts.get(node) {
            self.used = self.used.with(usage(&part.pid));
        }
    }

    /// Runs the script, takes note of the parts that it tells of, and returns their names.
    fn ask(&mut self, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
        let done = Command::new(&self.script)
            .args(arguments)
            .env("ROOKERY_CLUSTER_DIR", &self.folder)
            .env("ROOKERY_BIN", &self.binary)
            // As with a server that is alone.
            .env("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "64")
            .env("ROOKERY_AUTH__ARGON2_PASSES", "1")
            .stderr(std::process::Stdio::inherit())
            .output()
            .with_context(|| format!("run {}", self.script.display()))?;
        ensure!(done.status.success(), "{} {}: {}", self.script.display(), arguments.join(" "), done.status);
        let mut names = Vec::new();
        for line in String::from_utf8_lossy(&done.stdout).lines() {
            let (name, part) = read(line).with_context(|| format!("a line of a part: {line}"))?;
            self.parts.insert(name.clone(), part);
            names.push(name);
        }
        Ok(names)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.ask(&["down"]);
    }
}

/// Reads a line such as `node n1 pid=7 http=127.0.0.1:80 admin=127.0.0.1:81`.
fn read(line: &str) -> Option<(String, Part)> {
    let field = |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name)).map(str::to_owned);
    let words: Vec<_> = line.split(' ').collect();
    let name = if words[0] == "redis" { words[0] } else { words.get(1)? };
    let address = field("http=").or_else(|| field("addr="))?;
    Some((name.to_owned(), Part { pid: field("pid=")?, address, admin: field("admin=") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_parts_are_read() {
        let lines = [
            ("node n2 pid=7 http=127.0.0.1:80 admin=127.0.0.1:81", "n2", "127.0.0.1:80"),
            ("redis pid=8 addr=127.0.0.1:82", "redis", "127.0.0.1:82"),
            ("cassandra c1 pid=9 addr=127.0.0.1:83", "c1", "127.0.0.1:83"),
        ];
        for (line, name, address) in lines {
            let (read, part) = read(line).unwrap();
            assert_eq!((read.as_str(), part.address.as_str()), (name, address));
        }
        assert!(read("starting").is_none());
    }
}
