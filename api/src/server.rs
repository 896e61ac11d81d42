//! The server: two listeners, their connections, and the end of both.
//!
//! It takes bound listeners and a future that says when to stop, so that tests bind port 0.

mod door;
mod exhaustion;
mod tls;

use crate::edge::Edge;
use crate::route::Reach;
use crate::{accounts, files, office, pressure};
use door::Door;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tls::Tls;
use tokio::net::TcpListener;
use tokio::time::{Instant, interval};

/// How often histograms are moved into their buckets: the least that the exporter asks for.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// How often what has expired is taken out of the store.
///
/// 1000 tokens each time keep up with 200 refreshes a second, which is what 100,000 clients make of
/// access tokens that last ten minutes.
const PURGE_EVERY: Duration = Duration::from_secs(5);

/// How often what administration keeps is looked through for what was kept long enough, which is days.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// The two bound listeners.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub public: TcpListener,
    /// For operators: probes and metrics.
    pub admin: TcpListener,
}

/// Serves until `shutdown`, or until an operator asks for it on the admin listener, then drains: `/readyz` says
/// no, connections are refused, sockets and event streams are told to come back, requests in flight are
/// answered, rooms and store finish.
///
/// Returns once that is done, or its time is over.
///
/// # Errors
/// When a listener has no address, or there is no certificate to speak TLS with, before anything is served.
pub async fn serve(
    listeners: Listeners,
    edge: Arc<Edge>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (http, admin) = (listeners.public.local_addr()?, listeners.admin.local_addr()?);
    let tls = edge.config().server.tls.as_ref().map(Tls::open).transpose().map_err(io::Error::other)?;
    let tls = tls.map(Arc::new);
    if let Some(tls) = &tls {
        edge.node.tasks().spawn(follow(Arc::clone(&edge), Arc::clone(tls)));
    }
    let (close_public, public) = Door::open(listeners.public, (Reach::Public, tls), &edge);
    // Probes are answered until the node's tasks stop.
    let (_keep_open, _) = Door::open(listeners.admin, (Reach::Admin, None), &edge);
    edge.node.tasks().spawn(upkeep(Arc::clone(&edge)));
    edge.node.tasks().spawn(accounts::run_postman(Arc::clone(&edge)));
    edge.node.tasks().spawn(files::run_janitor(Arc::clone(&edge.files)));
    edge.node.tasks().spawn(office::run(Arc::clone(&edge.office)));
    edge.node.tasks().spawn(office::run_tally(Arc::clone(&edge.office)));
    edge.node.tasks().spawn(pressure::run(Arc::clone(&edge)));
    tracing::info!(%http, %admin, "serving");

    tokio::select! {
        () = shutdown => {}
        () = edge.asked_to_drain() => tracing::info!("an operator asks for a drain"),
    }
    let config = edge.config();
    let server = &config.server;
    tracing::info!(delay = ?server.drain_delay, grace = ?server.drain_grace, "draining");
    edge.begin_drain();
    tokio::time::sleep(server.drain_delay).await;
    let deadline = Instant::now() + server.drain_grace;
    edge.close();
    close_public.send_replace(true);
    // Before requests are waited for, since an event stream is one that does not end by itself.
    edge.node.send_away();
    // Half of the time, so that a stalled request does not take it all from rooms and sockets.
    public.empty(server.drain_grace / 2).await;
    if edge.node.drain(deadline.saturating_duration_since(Instant::now())).await {
        tracing::info!("drained");
    } else {
        tracing::warn!("not everything had ended when its time was over");
    }
    Ok(())
}

/// Shows newcomers another certificate when the configuration is reloaded, and when there is one.
async fn follow(edge: Arc<Edge>, tls: Arc<Tls>) {
    let (mut reloads, mut look) = (edge.reloads(), interval(tls::LOOK_EVERY));
    look.tick().await;
    loop {
        tokio::select! {
            () = edge.node.tasks().stopped() => return,
            changed = reloads.changed() => if changed.is_err() { return },
            _ = look.tick() => {}
        }
        if let Some(files) = &edge.config().server.tls {
            tls.look(files);
        }
    }
}

async fn upkeep(edge: Arc<Edge>) {
    let (mut upkeep, mut purge) = (interval(UPKEEP_EVERY), interval(PURGE_EVERY));
    let mut sweep = interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = edge.node.tasks().stopped() => return,
            _ = upkeep.tick() => edge.exporter.upkeep(),
            _ = purge.tick() => edge.accounts.purge().await,
            _ = sweep.tick() => edge.sweep_office().await,
        }
    }
}
