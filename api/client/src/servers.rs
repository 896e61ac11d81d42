//! Which of a cluster's servers the next connection goes to.

use crate::server_url::ServerUrl;

/// The servers of a cluster that a client knows, at least one, and the one that it is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    known: Vec<ServerUrl>,
    at: usize,
    /// Another one, to which it was sent.
    sent_to: Option<ServerUrl>,
}

impl Servers {
    /// Returns the servers `known`, of which it begins with the one at `first`, counted round; `None` where
    /// there are none.
    pub fn new(known: Vec<ServerUrl>, first: usize) -> Option<Self> {
        let at = first.checked_rem(known.len())?;
        Some(Self { known, at, sent_to: None })
    }

    /// Returns where the next connection goes.
    pub fn current(&self) -> &ServerUrl {
        self.sent_to.as_ref().unwrap_or(&self.known[self.at])
    }

    /// The server has gone, or does not answer: the next one, unless it was sent to one a moment ago.
    pub(crate) fn gone(&mut self) {
        self.sent_to = None;
        self.at = (self.at + 1) % self.known.len();
    }

    /// The server has said where to go.
    pub(crate) fn go_to(&mut self, url: ServerUrl) {
        match self.known.iter().position(|known| *known == url) {
            Some(at) => (self.at, self.sent_to) = (at, None),
            None => self.sent_to = Some(url),
        }
    }
}

impl From<ServerUrl> for Servers {
    fn from(only: ServerUrl) -> Self {
        Self { known: vec![only], at: 0, sent_to: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(port: u16) -> ServerUrl {
        format!("http://127.0.0.1:{port}").parse().unwrap()
    }

    #[test]
    fn one_after_another_is_tried() {
        let mut servers = Servers::new((1..=3).map(url).collect(), 5).unwrap();
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(servers.current().clone());
            servers.gone();
        }
        assert_eq!(seen, [url(3), url(1), url(2), url(3)]);
        assert_eq!(Servers::new(Vec::new(), 0), None);
    }

    #[test]
    fn where_it_was_sent_is_tried_once_where_it_was_not_known() {
        let mut servers = Servers::new(vec![url(1), url(2)], 0).unwrap();
        servers.go_to(url(9));
        assert_eq!(*servers.current(), url(9));
        servers.gone();
        assert_eq!(*servers.current(), url(2));
        servers.go_to(url(1));
        assert_eq!(*servers.current(), url(1));
    }
}
