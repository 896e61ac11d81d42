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
    let (limit, wanted) = (descriptors::attainable(), config.server.max_connections);
    let up_to = limit.map_or_else(|| "without limit".to_owned(), |limit| format!("up to {limit}"));
    findings.push(match descriptors::fitting(limit, wanted) {
        Err(error) => Finding::fail(NAME, error),
        Ok(fits) if fits < wanted => Finding::warn(
            NAME,
            format!("{up_to}: {fits} of the {wanted} connections of server.max_connections fit (ulimit -n, LimitNOFILE=)"),
        ),
        Ok(_) => Finding::ok(NAME, format!("{up_to}: all {wanted} connections of server.max_connections fit")),
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
