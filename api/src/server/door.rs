//! A listener and its connections, from the first to the last.

use super::exhaustion::Exhaustion;
use super::tls::Tls;
use crate::config::{Config, ServerConfig};
use crate::dispatch;
use crate::edge::Edge;
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
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

/// Connections accepted and not yet served; more wait in the kernel, which drops what is beyond its own queue and
/// has clients wait a second and more before they try again.
const DOORSTEP: usize = 16_384;

/// Connections accepted in one turn of the runtime: accepting costs a tenth of serving the first request.
const ACCEPTED_A_TURN: usize = 8;

/// Where connections of one listener come in.
pub(super) struct Door {
    edge: Arc<Edge>,
    router: Router,
    /// What is spoken before anything else.
    tls: Option<Arc<Tls>>,
    /// One permit a connection; all of them are back once the door is closed and the house empty.
    slots: Arc<Semaphore>,
    /// How many there are, those to come included that a reload takes away once they are back.
    size: AtomicU32,
    closing: watch::Receiver<bool>,
}

/// A connection that has been accepted.
struct Newcomer {
    tcp: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
}

impl Door {
    /// Starts to accept. Sending `true` stops that and ends each connection after its request.
    pub(super) fn open(
        listener: TcpListener,
        (reach, tls): (Reach, Option<Arc<Tls>>),
        edge: &Arc<Edge>,
    ) -> (watch::Sender<bool>, Arc<Self>) {
        let (close, closing) = watch::channel(false);
        let reloads = edge.reloads();
        let size = size(&edge.config());
        let door = Arc::new(Self {
            edge: Arc::clone(edge),
            router: Router::new(ROUTES, reach),
            tls,
            slots: Arc::new(Semaphore::new(size as usize)),
            size: AtomicU32::new(size),
            closing,
        });
        edge.node.tasks().spawn(Arc::clone(&door).accept(listener));
        edge.node.tasks().spawn(Arc::clone(&door).follow(reloads));
        (close, door)
    }

    /// Takes more connections, or fewer, when the configuration is reloaded: those that are there stay.
    async fn follow(self: Arc<Self>, mut reloads: watch::Receiver<Arc<Config>>) {
        loop {
            tokio::select! {
                biased;
                () = self.closed() => return,
                changed = reloads.changed() => if changed.is_err() { return },
            }
            let new = size(&reloads.borrow_and_update());
            let old = self.size.swap(new, Ordering::AcqRel);
            if let Some(more) = new.checked_sub(old) {
                self.slots.add_permits(more as usize);
            } else {
                let fewer = Arc::clone(&self.slots).acquire_many_owned(old - new);
                self.edge.node.tasks().spawn(async move {
                    fewer.await.expect("the semaphore is never closed").forget();
                });
            }
        }
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut exhaustion = Exhaustion::default();
        let (doorstep, newcomers) = mpsc::channel(DOORSTEP);
        self.edge.node.tasks().spawn(Arc::clone(&self).let_in(newcomers));
        let mut taken = 0_usize;
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
                    exhaustion.ended();
                    let newcomer = Newcomer { tcp, peer, slot };
                    // It is there as long as this end is.
                    drop(doorstep.send(newcomer).await);
                    taken += 1;
                    if taken.is_multiple_of(ACCEPTED_A_TURN) {
                        yield_now().await;
                    }
                }
                Err(error) if is_the_peers(&error) => {}
                // Out of descriptors or memory: accepting again at once would only spin.
                Err(error) => sleep(exhaustion.pause(&error)).await,
            }
        }
    }

    /// Begins to serve newcomers, one a turn of the runtime: when thousands come at once, those who are there are
    /// served in between.
    async fn let_in(self: Arc<Self>, mut newcomers: mpsc::Receiver<Newcomer>) {
        while let Some(newcomer) = newcomers.recv().await {
            self.edge.node.tasks().spawn(Arc::clone(&self).connection(newcomer));
            yield_now().await;
        }
    }

    async fn connection(self: Arc<Self>, Newcomer { tcp, peer, slot }: Newcomer) {
        // Answers are written whole; waiting for more to send would only delay them.
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, %peer, "the connection is gone already");
            return;
        }
        let config = self.edge.config();
        let tcp = match &self.tls {
            None => tcp,
            Some(tls) => match tls.inside(tcp, config.server.header_timeout, self.edge.node.tasks()).await {
                Ok(inside) => inside,
                Err(error) => {
                    tracing::debug!(%error, %peer, "a TLS handshake came to nothing");
                    return;
                }
            },
        };
        let stream = TokioIo::new(Stream::new(tcp, config.server.write_timeout));
        let http = http(&config.server);
        drop(config);
        let door = Arc::clone(&self);
        let service = service_fn(move |request| {
            let door = Arc::clone(&door);
            // Boxed, so that a connection is as large as an answer only while it has one to give.
            Box::pin(async move {
                Ok::<_, Infallible>(dispatch::answer(&door.edge, &door.router, peer, request).await)
            })
        });
        let mut connection = pin!(http.serve_connection(stream, service).with_upgrades());
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
    pub(super) async fn empty(&self, within: Duration) {
        let all = self.slots.acquire_many(self.size.load(Ordering::Acquire));
        if timeout(within, all).await.is_err() {
            tracing::warn!("requests were still running when their time was over");
        }
    }
}

/// Returns how a connection is read that comes now.
fn http(server: &ServerConfig) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(server.header_timeout)
        .max_headers(server.max_headers)
        .max_buf_size(server.header_bytes)
        .half_close(false);
    http
}

fn size(config: &Config) -> u32 {
    u32::try_from(config.server.max_connections).unwrap_or(u32::MAX)
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
