//! Where a server is: `http://host:port`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// The port of `http` (RFC 9110, section 4.2.1).
const HTTP_PORT: u16 = 80;

/// The address of a server: scheme `http`, a host and a port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    authority: String,
    port: u16,
}

/// Why a text is no [`ServerUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServerUrl {
    /// Another scheme than `http`. There is no TLS here: go through a local proxy.
    #[error("read the server's address: it begins with http://")]
    Scheme,
    /// No host, a bad port, or a path.
    #[error("read the server's address: it is http://host or http://host:port")]
    Authority,
}

impl ServerUrl {
    /// Returns host and port as the `Host` header has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns host and port as a socket is connected to.
    pub(crate) fn host_and_port(&self) -> (&str, u16) {
        let has_port = self.authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        let host = has_port.map_or(self.authority.as_str(), |(host, _)| host);
        (host.trim_matches(['[', ']']), self.port)
    }
}

impl FromStr for ServerUrl {
    type Err = BadServerUrl;

    fn from_str(text: &str) -> Result<Self, BadServerUrl> {
        let rest = text.strip_prefix("http://").ok_or(BadServerUrl::Scheme)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let url: ::http::Uri = format!("http://{authority}").parse().map_err(|_| BadServerUrl::Authority)?;
        let host = url.host().filter(|host| !host.is_empty()).ok_or(BadServerUrl::Authority)?;
        let port = authority.strip_prefix(host).ok_or(BadServerUrl::Authority)?;
        if !port.is_empty() && url.port_u16().is_none_or(|number| port != format!(":{number}")) {
            return Err(BadServerUrl::Authority);
        }
        Ok(Self { authority: authority.to_owned(), port: url.port_u16().unwrap_or(HTTP_PORT) })
    }
}

impl From<SocketAddr> for ServerUrl {
    fn from(address: SocketAddr) -> Self {
        Self { authority: address.to_string(), port: address.port() }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_read_and_nothing_else() {
        let parse = |text: &str| text.parse::<ServerUrl>();
        let local = parse("http://127.0.0.1:7080/").unwrap();
        assert_eq!(
            (local.to_string().as_str(), local.host_and_port()),
            ("http://127.0.0.1:7080", ("127.0.0.1", 7080))
        );
        assert_eq!(parse("http://chat.example").unwrap().host_and_port(), ("chat.example", 80));
        assert_eq!(parse("http://[::1]:7").unwrap().host_and_port(), ("::1", 7));
        assert_eq!(parse("https://chat.example"), Err(BadServerUrl::Scheme));
        for bad in ["http://", "http://a/b", "http://a:99999", "http://u@a", "http://a?b", "http://a b"] {
            assert_eq!(parse(bad), Err(BadServerUrl::Authority), "{bad}");
        }
    }
}
