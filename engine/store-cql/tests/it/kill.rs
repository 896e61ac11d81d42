//! A cluster that is not there yet, and one that dies under load. It has a server of its own.

use crate::events::{Sent, head, name, send, user, whole_log};
use rookery_engine::store::{Health, Store};
use rookery_protocol::Seq;
use rookery_store_cql::{CqlOptions, CqlStore, Replication};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::process::Command;

const KILLS: u64 = 3;

/// A Cassandra that `tests/servers/cassandra` starts, ends and kills.
struct Server {
    port: u16,
    dir: PathBuf,
}

impl Server {
    fn new() -> Self {
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        let port =
            (21_000 + std::process::id() % 9_000 * 2..).map(|port| u16::try_from(port).expect("a port"));
        let port = port.filter(|port| is_free(*port) && is_free(port + 1)).find(|port| port % 2 == 0);
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-{}", std::process::id()));
        Self { port: port.expect("a free port"), dir }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/cassandra");
        let mut command = std::process::Command::new(script);
        command.args(arguments).env("CASSANDRA_PORT", self.port.to_string()).env("CASSANDRA_DIR", &self.dir);
        command.env_remove("CASSANDRA_NODES");
        command
    }

    async fn control(&self, arguments: &[&str]) {
        let status =
            Command::from(self.command(arguments)).status().await.expect("run tests/servers/cassandra");
        assert!(status.success(), "tests/servers/cassandra {arguments:?}: {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.command(&["clean"]).status());
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_waited_for_and_its_death_loses_nothing_that_was_acked() {
    let server = Server::new();
    let options = CqlOptions {
        keyspace: "kill".to_owned(),
        replication: Replication::Simple(1),
        bucket_size: 100,
        wait: Duration::from_secs(180),
        request_timeout: Duration::from_secs(2),
        ..CqlOptions::at([format!("127.0.0.1:{}", server.port)])
    };
    // Opened before there is anything to open.
    let (store, ()) = tokio::join!(CqlStore::open(&options), server.control(&["start"]));
    let store = store.expect("it has waited");
    assert_eq!(store.health(), Health::Ready);

    let (acked, is_over, was_refusing) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
    let write = async {
        let mut number = 0;
        while !is_over.load(Ordering::Relaxed) {
            let names: Vec<_> = (0..3).map(|place| name(number * 3 + place)).collect();
            assert_eq!(send(&store, user(1), &names).await, Sent::Applied);
            acked.fetch_add(1, Ordering::Relaxed);
            number += 1;
        }
    };
    let watch = async {
        while !is_over.load(Ordering::Relaxed) {
            let is_refusing = matches!(store.health(), Health::Refusing(_));
            was_refusing.fetch_or(is_refusing, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let kill = async {
        for _ in 0..KILLS {
            let before = acked.load(Ordering::Relaxed);
            while acked.load(Ordering::Relaxed) < before + 30 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            server.control(&["kill", "1"]).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            server.control(&["start"]).await;
        }
        let before = acked.load(Ordering::Relaxed);
        while acked.load(Ordering::Relaxed) < before + 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(write, watch, kill);

    let log = whole_log(&store).await;
    assert_eq!(log.len() as u64, acked.load(Ordering::Relaxed) * 3, "what was acked, once, and nothing else");
    assert_eq!(head(&store).await, Seq(log.len() as u64));
    assert!(log.is_sorted_by_key(|event| event.client_id), "in the order in which it was sent");
    assert!(was_refusing.load(Ordering::Relaxed), "the health told of it");
    store.probe().await.expect("it takes writes again");
    assert_eq!(store.health(), Health::Ready);
    store.close().await.expect("close");
}
