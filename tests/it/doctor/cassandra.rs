//! A Cassandra of the tests' own that `tests/servers/cassandra` starts.

use crate::folder::Folder;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// The script that starts and stops one.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/cassandra");

/// A Cassandra that ends with the test.
pub(super) struct Cassandra {
    port: u16,
    dir: PathBuf,
    extra: PathBuf,
}

impl Cassandra {
    /// Starts one of one node, whose configuration ends with these lines. It takes some seconds.
    pub(super) fn start(folder: &Folder, extra: &str) -> Self {
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        let first = 23_000 + u16::try_from(std::process::id() % 4_000).unwrap() * 2;
        let port = (first..).step_by(2).find(|port| is_free(*port) && is_free(port + 1));
        let lines = folder.at("extra.yaml");
        std::fs::write(&lines, extra).unwrap();
        let server = Self { port: port.expect("a free port"), dir: folder.at("cassandra"), extra: lines };
        if !server.script("start").status().unwrap().success() {
            let log = |name: &str| std::fs::read_to_string(server.dir.join("node1").join(name));
            panic!("Cassandra does not start:\n{:?}\n{:?}", log("out.log"), log("system.log"));
        }
        server
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn script(&self, action: &str) -> Command {
        let mut command = Command::new(SCRIPT);
        command.arg(action).env_remove("CASSANDRA_NODES").env("CASSANDRA_PORT", self.port.to_string());
        command.env("CASSANDRA_DIR", &self.dir).env("CASSANDRA_EXTRA", &self.extra);
        command
    }
}

impl Drop for Cassandra {
    fn drop(&mut self) {
        drop(self.script("clean").status());
    }
}
