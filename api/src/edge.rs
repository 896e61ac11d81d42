//! What every request and every socket of one server shares.

use crate::accounts::Accounts;
use crate::config::Config;
use crate::files::Files;
use crate::observe::Exporter;
use crate::origin;
use crate::problem::Problem;
use http::HeaderMap;
use rookery_actors::Node;
use rookery_engine::blobs::Blobs;
use rookery_protocol::ErrorCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What an edge is made of.
#[derive(Debug)]
pub struct EdgeParts {
    /// The node.
    pub node: Arc<Node>,
    /// Its accounts; they must be the node's authenticator.
    pub accounts: Arc<Accounts>,
    /// Where the bytes of files are.
    pub blobs: Arc<dyn Blobs>,
    /// What is set.
    pub config: Arc<Config>,
    /// What shows the node's metrics.
    pub exporter: Exporter,
}

/// A node with its accounts, its files, its configuration and its metrics.
#[derive(Debug)]
pub struct Edge {
    pub(crate) node: Arc<Node>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) files: Arc<Files>,
    pub(crate) config: Arc<Config>,
    pub(crate) exporter: Exporter,
    draining: AtomicBool,
    /// An operator has asked for a drain.
    is_asked_to_drain: Notify,
}

impl Edge {
    /// Joins the parts.
    pub fn new(parts: EdgeParts) -> Arc<Self> {
        let EdgeParts { node, accounts, blobs, config, exporter } = parts;
        let files = Files::new(&node, blobs, &config);
        Arc::new(Self {
            node,
            accounts,
            files,
            config,
            exporter,
            draining: AtomicBool::new(false),
            is_asked_to_drain: Notify::new(),
        })
    }

    /// Returns the node.
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Returns the accounts.
    pub const fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Returns the files.
    pub const fn files(&self) -> &Arc<Files> {
        &self.files
    }

    /// Returns whether the browser's `Origin` may talk to this server; no origin is no browser.
    pub(crate) fn origin_allowed(&self, headers: &HeaderMap) -> bool {
        origin::is_allowed(headers, &self.config.server.allowed_origins)
    }

    /// Refuses a connection that stays, a socket or an event stream, where no more are taken.
    pub(crate) fn admit(&self) -> Result<(), Problem> {
        if self.is_draining() || self.node.connections().len() >= self.config.server.max_connections {
            self.node.metrics().commands.limits.of("connections").increment(1);
            return Err(Problem::new(ErrorCode::Busy, "no more connections are taken at the moment"));
        }
        Ok(())
    }

    /// Has the server drain, as a signal would. Asked again it changes nothing.
    pub(crate) fn ask_to_drain(&self) {
        self.is_asked_to_drain.notify_one();
    }

    /// Waits until somebody has asked for a drain.
    pub(crate) async fn asked_to_drain(&self) {
        self.is_asked_to_drain.notified().await;
    }

    /// Says from now on that the server is going away, while it still serves.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Returns whether the server is going away.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire) || self.node.is_draining()
    }
}
