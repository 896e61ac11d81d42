//! `[server]`: where the server listens and what it lets a connection cost.

use super::error::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A certificate, and the key to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates in PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

/// Where and how the server listens.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The node's name, as clients and metrics see it.
    pub node: String,
    /// The public listener.
    pub listen: SocketAddr,
    /// The listener for probes and metrics.
    pub admin_listen: SocketAddr,
    /// Where people reach the server, for links; without it the address of the public listener.
    pub public_url: Option<String>,
    /// Where clients reach this very node, past whatever shares them out.
    pub node_url: Option<String>,
    /// Origins that browsers may come from; empty means the same host only.
    pub allowed_origins: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whom to tell of a weakness, as the page for that says it; none: there is no such page.
    pub security_contact: Option<String>,
    /// What the public listener speaks TLS with, if it does.
    pub tls: Option<TlsFiles>,
    /// Whether it may listen without TLS and without a named proxy on an address that others reach.
    pub is_without_tls: bool,
    /// HTTP connections of one listener at a time; the next ones wait in the system's queue.
    pub max_connections: usize,
    /// Bytes of one request's line and headers.
    pub header_bytes: usize,
    /// Headers of one request.
    pub max_headers: usize,
    /// From the first byte of silence until the headers must be there; also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// From the headers until the whole body must be there.
    pub body_timeout: Duration,
    /// From the headers until the answer is given up.
    pub request_timeout: Duration,
    /// How long an answer may wait for its reader to take the next byte.
    pub write_timeout: Duration,
    /// From the signal until connections are refused, while `/readyz` already says no.
    pub drain_delay: Duration,
    /// From then until what still runs is given up.
    pub drain_grace: Duration,
    /// Whether newcomers and costly reads are refused while the process has too little memory or is too slow.
    pub sheds_load: bool,
    /// MiB of memory that the process may have of its own; `None` is what the system says.
    pub max_memory_mib: Option<u64>,
}

/// Where and how the server listens.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawServer {
    /// The node's name, as clients and metrics see it: 1 to 64 of `a-z A-Z 0-9 . _ -`.
    #[schemars(length(min = 1, max = 64))]
    node: String,
    /// Address and port of the public listener; port 0 picks one.
    listen: String,
    /// Address and port of the listener for probes and metrics; port 0 picks one.
    admin_listen: String,
    /// Where people reach the server, such as `https://chat.example.org`, without a path: links to invites begin with it. When absent, the address of the public listener.
    public_url: Option<String>,
    /// Where clients reach this very node of a cluster, such as `https://a.chat.example.org`, without a path: clients of a node that goes down are told of it. When absent, they are not.
    node_url: Option<String>,
    /// Origins that browsers may come from, each as `https://host` or `https://host:port`; empty means the same host only.
    #[schemars(extend("x-reload" = true))]
    allowed_origins: Vec<String>,
    /// Addresses of the reverse proxies whose `X-Forwarded-For` is believed; without it all that comes through a proxy shares the limits of one address.
    #[schemars(extend("x-reload" = true))]
    trusted_proxies: Vec<String>,
    /// Whom to tell of a weakness: a `mailto:` or `https://` URL, which `/.well-known/security.txt` names. When absent, there is no such page.
    #[schemars(extend("x-reload" = true))]
    security_contact: Option<String>,
    /// A file of certificates in PEM, the server's own first: the public listener speaks TLS. Empty: it does not, and a proxy in front does.
    tls_certificate: String,
    /// The file of that certificate's private key in PEM. Both are read again when they change.
    tls_key: String,
    /// Lets the public listener be on an address that others reach, without TLS and without a proxy in `server.trusted_proxies`: where something else in front ends TLS, such as whatever publishes a container's port.
    without_tls: bool,
    /// HTTP connections of one listener at a time; the next ones wait in the system's queue.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reload" = true))]
    max_connections: u64,
    /// Bytes of one request's line and headers.
    #[schemars(range(min = 8192, max = 65536), extend("x-reload" = true))]
    header_bytes: u64,
    /// Headers of one request.
    #[schemars(range(min = 16, max = 256), extend("x-reload" = true))]
    max_headers: u64,
    /// Seconds until a request's headers must be there; also how long an idle connection is kept.
    #[schemars(range(min = 1, max = 300), extend("x-reload" = true))]
    header_timeout_seconds: u64,
    /// Seconds from the headers until the whole body must be there.
    #[schemars(range(min = 1, max = 300))]
    body_timeout_seconds: u64,
    /// Seconds from the headers until the answer is given up.
    #[schemars(range(min = 1, max = 300), extend("x-reload" = true))]
    request_timeout_seconds: u64,
    /// Seconds that an answer may wait for its reader to take the next byte.
    #[schemars(range(min = 1, max = 300), extend("x-reload" = true))]
    write_timeout_seconds: u64,
    /// Seconds from the signal to stop until connections are refused, while `/readyz` already says no.
    #[schemars(range(min = 0, max = 300), extend("x-reload" = true))]
    drain_delay_seconds: u64,
    /// Seconds from then until what still runs is given up.
    #[schemars(range(min = 1, max = 300), extend("x-reload" = true))]
    drain_grace_seconds: u64,
    /// Refuses newcomers, and then costly reads, while there is too little memory or the process is too slow.
    #[schemars(extend("x-reload" = true))]
    shed_load: bool,
    /// MiB of memory that the process may have of its own, not counting files that are mapped or cached; 0 is the limit of its control group, or the machine's memory.
    #[schemars(range(min = 0, max = 1_048_576), extend("x-reload" = true))]
    max_memory_mib: u64,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            node: "local".to_owned(),
            listen: "127.0.0.1:7080".to_owned(),
            admin_listen: "127.0.0.1:7081".to_owned(),
            public_url: None,
            node_url: None,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            security_contact: None,
            tls_certificate: String::new(),
            tls_key: String::new(),
            without_tls: false,
            max_connections: 16_384,
            header_bytes: 16_384,
            max_headers: 64,
            header_timeout_seconds: 10,
            body_timeout_seconds: 10,
            request_timeout_seconds: 30,
            write_timeout_seconds: 30,
            drain_delay_seconds: 0,
            drain_grace_seconds: 10,
            shed_load: true,
            max_memory_mib: 0,
        }
    }
}

impl RawServer {
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> ServerConfig {
        let mut number = |name: &str, value: u64, least: u64, most: u64| {
            problems.number(&format!("server.{name}"), value, least, most)
        };
        let max_connections = number("max_connections", self.max_connections, 1, 1_000_000);
        let header_bytes = number("header_bytes", self.header_bytes, 8192, 65_536);
        let max_headers = number("max_headers", self.max_headers, 16, 256);
        let max_memory_mib = number("max_memory_mib", self.max_memory_mib, 0, 1_048_576);
        let mut seconds =
            |name: &str, value: u64, least: u64| Duration::from_secs(number(name, value, least, 300));
        let header_timeout = seconds("header_timeout_seconds", self.header_timeout_seconds, 1);
        let body_timeout = seconds("body_timeout_seconds", self.body_timeout_seconds, 1);
        let request_timeout = seconds("request_timeout_seconds", self.request_timeout_seconds, 1);
        let write_timeout = seconds("write_timeout_seconds", self.write_timeout_seconds, 1);
        let drain_delay = seconds("drain_delay_seconds", self.drain_delay_seconds, 0);
        let drain_grace = seconds("drain_grace_seconds", self.drain_grace_seconds, 1);
        if !is_node_name(&self.node) {
            problems.value("server.node", &self.node, "1 to 64 of a-z A-Z 0-9 . _ -");
        }
        for (key, url) in [("server.public_url", &self.public_url), ("server.node_url", &self.node_url)] {
            if let Some(url) = url.as_deref().filter(|url| !is_origin(url)) {
                let allowed =
                    "scheme and host such as https://chat.example.org, in lower case, without a path";
                problems.value(key, url, allowed);
            }
        }
        if let Some(contact) = self.security_contact.as_deref().filter(|contact| !is_contact(contact)) {
            problems.value(
                "server.security_contact",
                contact,
                "a `mailto:` or `https://` URL, without spaces",
            );
        }
        if self.tls_certificate.is_empty() != self.tls_key.is_empty() {
            problems.value("server.tls_key", &self.tls_key, "server.tls_certificate and its key, or neither");
        }
        for origin in self.allowed_origins.iter().filter(|origin| !is_origin(origin)) {
            let allowed = "an origin such as https://chat.example.org, in lower case, without a path";
            problems.value("server.allowed_origins", origin, allowed);
        }
        let proxies = self.trusted_proxies.iter();
        let proxies = proxies.filter_map(|text| {
            let address: Option<IpAddr> =
                problems.parse("server.trusted_proxies", text, "IP addresses, such as 127.0.0.1");
            address.map(|address| address.to_canonical())
        });
        let trusted_proxies = proxies.collect();
        ServerConfig {
            node: self.node.clone(),
            listen: address(problems, "server.listen", &self.listen),
            admin_listen: address(problems, "server.admin_listen", &self.admin_listen),
            public_url: self.public_url.clone(),
            node_url: self.node_url.clone(),
            allowed_origins: self.allowed_origins.clone(),
            trusted_proxies,
            security_contact: self.security_contact.clone(),
            tls: (!self.tls_certificate.is_empty()).then(|| TlsFiles {
                certificate: PathBuf::from(&self.tls_certificate),
                key: PathBuf::from(&self.tls_key),
            }),
            is_without_tls: self.without_tls,
            max_connections: size(max_connections),
            header_bytes: size(header_bytes),
            max_headers: size(max_headers),
            header_timeout,
            body_timeout,
            request_timeout,
            write_timeout,
            drain_delay,
            drain_grace,
            sheds_load: self.shed_load,
            max_memory_mib: (max_memory_mib > 0).then_some(max_memory_mib),
        }
    }
}

impl ServerConfig {
    /// Returns what runs, with what a reload takes over from `new`.
    pub(super) fn reloaded(&self, new: &Self) -> Self {
        Self {
            allowed_origins: new.allowed_origins.clone(),
            trusted_proxies: new.trusted_proxies.clone(),
            security_contact: new.security_contact.clone(),
            max_connections: new.max_connections,
            header_bytes: new.header_bytes,
            max_headers: new.max_headers,
            header_timeout: new.header_timeout,
            request_timeout: new.request_timeout,
            write_timeout: new.write_timeout,
            drain_delay: new.drain_delay,
            drain_grace: new.drain_grace,
            sheds_load: new.sheds_load,
            max_memory_mib: new.max_memory_mib,
            ..self.clone()
        }
    }

    /// Returns whether browsers reach the server by `https:` alone.
    pub fn is_behind_tls(&self) -> bool {
        self.tls.is_some() || self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Returns what links begin with, where the public listener is at `listening`.
    pub fn link_base(&self, listening: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{listening}"))
    }
}

fn address(problems: &mut Problems<'_>, key: &str, text: &str) -> SocketAddr {
    let allowed = "an IP address and a port, such as 127.0.0.1:7080 or [::]:7080";
    problems.parse(key, text, allowed).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}

/// All sizes are checked to be far below 2^32.
fn size(checked: u64) -> usize {
    usize::try_from(checked).unwrap_or(usize::MAX)
}

fn is_node_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&text.len()) && text.chars().all(allowed)
}

/// A contact is a URI in one line (RFC 9116, section 2.5.3).
fn is_contact(text: &str) -> bool {
    let is_uri = text.starts_with("mailto:") || text.starts_with("https://");
    is_uri && text.len() <= 256 && text.chars().all(|c| c.is_ascii_graphic())
}

/// An origin is scheme, host and port, serialised as browsers do (RFC 6454, section 6.2).
fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !host.is_empty() && host.chars().all(plain)
}
