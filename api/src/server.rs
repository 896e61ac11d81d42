//! The server: two listeners, their connections, and the end of both.
//!
//! It takes bound listeners and a future that says when to stop, so that tests bind port 0.

use crate::dispatch;
use crate::edge::Edge;
use crate::files;
use crate::route::Reach;
use crate::router::Router;
use crate::routes::ROUTES;
use crate::stream::Stream;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, interval};

/// The first pause after the system had no descriptor for a connection; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often histograms are moved into their buckets: the least that the exporter asks for.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// How often what has expired is taken out of the store.
///
/// 1000 tokens each time keep up with 200 refreshes a second, which is what 100,000 clients make of
/// access tokens that last ten minutes.
const PURGE_EVERY: Duration = Duration::from_secs(5);

/// The two bound listeners.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub public: TcpListener,
    /// For operators: probes and metrics.
    pub admin: TcpListener,
}

/// Serves until `shutdown`, or until an operator asks for it on the admin listener, then drains: `/readyz` says no, connections are refused, sockets and event
/// streams are told to come back, requests in flight are answered, rooms and store finish.
///
/// Returns once that is done, or its time is over.
///
/// # Errors
/// When a listener has no address, before anything is served.
pub async fn serve(
    listeners: Listeners,
    edge: Arc<Edge>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (http, admin) = (listeners.public.local_addr()?, listeners.admin.local_addr()?);
    let (close_public, public) = Door::open(listeners.public, Reach::Public, &edge);
    // Probes are answered until the node's tasks stop.
    let (_keep_open, _) = Door::open(listeners.admin, Reach::Admin, &edge);
    edge.node.tasks().spawn(upkeep(Arc::clone(&edge)));
    edge.node.tasks().spawn(files::run_janitor(Arc::clone(&edge.files)));
    tracing::info!(%http, %admin, "serving");

    tokio::select! {
        () = shutdown => {}
        () = edge.asked_to_drain() => tracing::info!("an operator asks for a drain"),
    }
    let server = &edge.config.server;
    tracing::info!(delay = ?server.drain_delay, grace = ?server.drain_grace, "draining");
    edge.begin_drain();
    tokio::time::sleep(server.drain_delay).await;
    let deadline = Instant::now() + server.drain_grace;
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

/// Where connections of one listener come in.
struct Door {
    edge: Arc<Edge>,
    router: Router,
    http: http1::Builder,
    /// One permit a connection; all of them are back once the door is closed and the house empty.
    slots: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
}

impl Door {
    /// Starts to accept. Sending `true` stops that and ends each connection after its request.
    fn open(listener: TcpListener, reach: Reach, edge: &Arc<Edge>) -> (watch::Sender<bool>, Arc<Self>) {
        let server = &edge.config.server;
        let (close, closing) = watch::channel(false);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(server.header_timeout)
            .max_headers(server.max_headers)
            .max_buf_size(server.header_bytes)
            .half_close(false);
        let door = Arc::new(Self {
            edge: Arc::clone(edge),
            router: Router::new(ROUTES, reach),
            http,
            slots: Arc::new(Semaphore::new(server.max_connections)),
            closing,
        });
        edge.node.tasks().spawn(Arc::clone(&door).accept(listener));
        (close, door)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut pause = FIRST_PAUSE;
        loop {
            let next = async {
                let slot = Arc::clone(&self.slots).acquire_owned().await;
                (slot.expect("the semaphore is never closed"), listener.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                biased;
                () = self.closed() => return,
                next = next => next,
            };
            match accepted {
                Ok((tcp, peer)) => {
                    pause = FIRST_PAUSE;
                    self.edge.node.tasks().spawn(Arc::clone(&self).connection(tcp, peer, slot));
                }
                Err(error) if is_the_peers(&error) => {}
                // Out of descriptors or memory: accepting again at once would only spin.
                Err(error) => {
                    tracing::warn!(%error, ?pause, "a connection was not accepted");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit) {
        // Answers are written whole; waiting for more to send would only delay them.
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, %peer, "the connection is gone already");
            return;
        }
        let stream = TokioIo::new(Stream::new(tcp, self.edge.config.server.write_timeout));
        let door = Arc::clone(&self);
        let service = service_fn(move |request| {
            let door = Arc::clone(&door);
            async move { Ok::<_, Infallible>(dispatch::answer(&door.edge, &door.router, peer, request).await) }
        });
        let mut connection = pin!(self.http.serve_connection(stream, service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.closed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "an HTTP connection broke");
        }
        drop(slot);
    }

    /// Waits until the door is closed, or the node's tasks stop.
    async fn closed(&self) {
        let mut closing = self.closing.clone();
        tokio::select! {
            // A sender that is gone is a server that is gone.
            _ = closing.wait_for(|closing| *closing) => {}
            () = self.edge.node.tasks().stopped() => {}
        }
    }

    /// Waits until no connection is left, at most for `within`.
    async fn empty(&self, within: Duration) {
        let all = u32::try_from(self.edge.config.server.max_connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(within, self.slots.acquire_many(all)).await.is_err() {
            tracing::warn!("requests were still running when their time was over");
        }
    }
}

/// Returns whether an error of `accept` is about one connection, not about this process (accept(2)).
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
            | Kind::PermissionDenied
            | Kind::Interrupted
    )
}

async fn upkeep(edge: Arc<Edge>) {
    let (mut upkeep, mut purge) = (interval(UPKEEP_EVERY), interval(PURGE_EVERY));
    loop {
        tokio::select! {
            () = edge.node.tasks().stopped() => return,
            _ = upkeep.tick() => edge.exporter.upkeep(),
            _ = purge.tick() => edge.accounts.purge().await,
        }
    }
}
