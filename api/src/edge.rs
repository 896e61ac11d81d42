//! What every request and every socket of one server shares.

use crate::accounts::Accounts;
use crate::addresses::Addresses;
use crate::config::Config;
use crate::files::Files;
use crate::log_lines::{ChooseLines, LogLines};
use crate::observe::Exporter;
use crate::office::Office;
use crate::origin;
use crate::problem::Problem;
use http::HeaderMap;
use rookery_actors::Node;
use rookery_engine::admission::Wanted;
use rookery_engine::blobs::Blobs;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, watch};

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
    /// What chooses the lines of the process's log.
    pub log: Arc<dyn ChooseLines>,
}

/// How far a server is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It is not on its way.
    Serving,
    /// It says that it goes, and serves everybody who comes all the same.
    Announced,
    /// It lets nobody in any more.
    Closed,
}

/// A node with its accounts, its files, its configuration and its metrics.
#[derive(Debug)]
pub struct Edge {
    pub(crate) node: Arc<Node>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) files: Arc<Files>,
    pub(crate) office: Arc<Office>,
    pub(crate) addresses: Addresses,
    pub(crate) exporter: Exporter,
    pub(crate) log: Arc<LogLines>,
    /// What is set, as last reloaded; listeners look when it changes.
    config: watch::Sender<Arc<Config>>,
    phase: watch::Sender<Phase>,
    /// An operator has asked for a drain.
    is_asked_to_drain: Notify,
    echo: OnceLock<usize>,
}

impl Edge {
    /// Joins the parts.
    pub fn new(parts: EdgeParts) -> Arc<Self> {
        let EdgeParts { node, accounts, blobs, config, exporter, log } = parts;
        let files = Files::new(&node, Arc::clone(&blobs), &config);
        let office = Office::new(&node, &accounts, (blobs, Arc::clone(&files)), config.retention);
        let addresses = Addresses::new(config.limits, &node.metrics().commands.limits);
        // A server that runs has read its configuration.
        node.metrics().operation.reload_success.set(1.0);
        let log = Arc::new(LogLines::new(log, config.log.filter.clone()));
        Arc::new(Self {
            node,
            accounts,
            files,
            office,
            addresses,
            exporter,
            log,
            config: watch::Sender::new(config),
            phase: watch::Sender::new(Phase::Serving),
            is_asked_to_drain: Notify::new(),
            echo: OnceLock::new(),
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
        origin::is_allowed(headers, &self.config().server.allowed_origins)
    }

    /// Refuses a connection that stays, a socket or an event stream, where no more are taken.
    pub(crate) fn admit(&self, from: IpAddr) -> Result<(), Problem> {
        self.addresses.connect(from, self.node.moment())?;
        if self.is_closed() || self.node.connections().len() >= self.config().server.max_connections {
            self.node.metrics().commands.limits.of("connections").increment(1);
            return Err(self.node.busy("no more connections are taken at the moment").into());
        }
        Ok(self.node.admit(Wanted::Connection)?)
    }

    /// Has sockets give back each message as it came, up to `message_bytes`, and do nothing else: for tests of
    /// the WebSocket itself. No configuration does this.
    #[doc(hidden)]
    pub fn echo(&self, message_bytes: usize) {
        let _ = self.echo.set(message_bytes);
    }

    /// Returns the longest message that sockets give back, where they do that.
    pub(crate) fn echoes(&self) -> Option<usize> {
        self.echo.get().copied()
    }

    /// Returns what is set at the moment.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }

    /// Returns what tells of each reload.
    pub(crate) fn reloads(&self) -> watch::Receiver<Arc<Config>> {
        self.config.subscribe()
    }

    /// Takes over what may change while the server runs; see [`Config::reloaded`].
    ///
    /// # Errors
    /// The log does not take its filter; nothing has changed then.
    pub fn reload(&self, new: &Config) -> Result<(), String> {
        let config = self.config().reloaded(new);
        self.log.as_configured(Some(config.log.filter.clone())).map_err(|error| error.to_string())?;
        self.node.set_capacity(u64::try_from(config.server.max_connections).unwrap_or(u64::MAX));
        self.accounts.use_providers(&config);
        self.config.send_replace(Arc::new(config));
        Ok(())
    }

    /// Forgets what administration has kept long enough, as the server does every hour.
    pub async fn sweep_office(&self) {
        self.office.sweep().await;
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
        self.phase.send_replace(Phase::Announced);
    }

    /// Lets no connection in from now on that stays.
    pub(crate) fn close(&self) {
        self.phase.send_replace(Phase::Closed);
    }

    fn is_closed(&self) -> bool {
        *self.phase.borrow() == Phase::Closed || self.node.is_draining()
    }

    /// Completes once the server is going away.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn draining(&self) {
        // The sender is a field of this edge, so it is there for as long as this waits.
        drop(self.phase.subscribe().wait_for(|phase| *phase > Phase::Serving).await);
    }

    /// Returns whether the server is going away.
    pub(crate) fn is_draining(&self) -> bool {
        *self.phase.borrow() > Phase::Serving || self.node.is_draining()
    }
}
