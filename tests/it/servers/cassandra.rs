//! A real Cassandra: the one that `ROOKERY_TEST_CASSANDRA` names, or one that `tests/servers/cassandra` starts.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The script that starts and stops one.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/cassandra");

/// A Cassandra that ends with the test, unless others use it too.
#[derive(Debug)]
pub(crate) struct Cassandra {
    pub(crate) address: SocketAddr,
    own: Option<(u16, PathBuf)>,
}

impl Cassandra {
    /// Finds one, or starts one.
    pub(crate) fn find() -> Self {
        if let Some(address) = std::env::var_os("ROOKERY_TEST_CASSANDRA") {
            let address = address.to_str().and_then(|address| address.parse().ok());
            return Self { address: address.expect("ROOKERY_TEST_CASSANDRA is ADDRESS:PORT"), own: None };
        }
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("rookery-cassandra-{port}"));
        let found = Self { address: ([127, 0, 0, 1], port).into(), own: Some((port, folder)) };
        assert!(found.ask("start"), "tests/servers/cassandra has said why there is no Cassandra");
        found
    }

    fn ask(&self, what: &str) -> bool {
        let Some((port, folder)) = &self.own else { return true };
        let mut script = Command::new(SCRIPT);
        script.arg(what).env("CASSANDRA_PORT", port.to_string()).env("CASSANDRA_DIR", folder);
        script.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Cassandra {
    fn drop(&mut self) {
        self.ask("clean");
    }
}

/// Returns a port that nobody listens on, nor on the next one, where its nodes speak with each other.
fn free_port() -> u16 {
    loop {
        let first = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        if port.checked_add(1).is_some_and(|next| TcpListener::bind(("127.0.0.1", next)).is_ok()) {
            return port;
        }
    }
}
