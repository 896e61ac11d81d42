//! The system: descriptors and ports.

use super::Finding;
use super::data_dir::State;
use crate::descriptors;
use rookery_api::Config;
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Looks at what the operating system gives.
pub(super) fn look(config: &Config, state: State, findings: &mut Vec<Finding>) {
    const NAME: &str = "file descriptors";
    findings.push(match descriptors::attainable() {
        Some(limit) if limit < descriptors::FEW => {
            Finding::warn(NAME, format!("at most {limit}: each connection takes one (ulimit -n)"))
        }
        Some(limit) => Finding::ok(NAME, format!("up to {limit}")),
        None => Finding::ok(NAME, "without limit"),
    });
    findings.push(port("public port", config.server.listen, state));
    findings.push(port("admin port", config.server.admin_listen, state));
}

/// A port that is taken is right while our own server runs, and wrong otherwise.
fn port(name: &'static str, address: SocketAddr, state: State) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(name, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && state == State::InUse => {
            Finding::ok(name, format!("{address} is in use, and a server is running here"))
        }
        Err(error) => Finding::fail(name, format!("{address}: {error}")),
    }
}
