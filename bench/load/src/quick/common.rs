//! The flags that all scenarios have.

use crate::worker::order::WireCodec;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::PathBuf;

/// Returns the server's binary that was built with this one.
pub fn server_beside() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("rookery")
}

/// Where and how a scenario is played.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// The server's binary, by default the one beside this; it is started on a folder of its own and stopped
    /// afterwards.
    #[arg(long, global = true, default_value_os_t = server_beside(), conflicts_with = "url")]
    pub server: PathBuf,
    /// A server that runs already: its address and port; it needs `limits.relaxed`.
    #[arg(long, global = true, value_name = "ADDRESS:PORT", value_parser = address)]
    pub url: Option<SocketAddrV4>,
    /// The process of the server that runs already, so that its CPU and memory are looked at.
    #[arg(long, global = true, requires = "url")]
    pub pid: Option<u32>,
    /// Puts the server on core 0 and the client on core 1.
    #[arg(long, global = true)]
    pub pin: bool,
    /// Processes of the client; several get past the limits of one.
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub processes: u32,
    /// Addresses 127.0.0.1, 127.0.0.2 … to connect from: one has some 28,000 ports.
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=250))]
    pub sources: u8,
    /// How the server is spoken to.
    #[arg(long, global = true, value_enum, default_value = "msgpack")]
    pub codec: WireCodec,
    /// What the random choices of the run come from.
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
    /// Where the document of the run is written.
    #[arg(long, global = true, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Leaves the folder of the server where it is.
    #[arg(long, global = true)]
    pub keep: bool,
}

/// Reads `127.0.0.1:7080`, with or without the scheme before it.
fn address(text: &str) -> Result<SocketAddrV4, String> {
    let address = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    address.parse().map_err(|_| "an IPv4 address and a port, as 127.0.0.1:7080".to_owned())
}

impl Common {
    /// Returns those that repetitions have in common.
    pub(super) fn parameters(&self) -> BTreeMap<String, Value> {
        let parameters = [
            ("pin", json!(self.pin)),
            ("processes", json!(self.processes)),
            ("sources", json!(self.sources)),
            ("codec", json!(self.codec)),
            ("seed", json!(self.seed)),
        ];
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
