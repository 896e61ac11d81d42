//! A proxy between a node and a server that it needs, over real TCP, which goes wrong when it is told to.
//!
//! It knows no protocol: what goes wrong are bytes, ways and connections. It stands in for a network
//! that the machine of a test cannot break by itself.

mod way;

use rookery_engine::Tasks;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use way::carry;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From whoever connects to the server.
    Requests,
    /// From the server.
    Replies,
}

/// What happens to bytes on their way, and to the end of their stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They pass.
    Open,
    /// They pass so much later.
    Delayed(Duration),
    /// So many of them pass in a second; at least 1.
    Throttled(u64),
    /// They wait until the way is another one, as in a network that comes back: nothing is missing then.
    Cut,
    /// They are gone. A connection that has lost some is reset when its way is another one, since nothing
    /// that is said on it could be understood any more.
    Lost,
}

/// What has passed so far, and what has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were taken.
    pub connections: u64,
    /// Connections that are there now.
    pub open: u64,
    /// Bytes that have passed to the server.
    pub requests: u64,
    /// Bytes that have passed from the server.
    pub replies: u64,
    /// Bytes that were lost, in both directions.
    pub lost: u64,
}

/// A proxy in front of one server. Ends with all its connections when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    requests: watch::Sender<Way>,
    replies: watch::Sender<Way>,
    /// Counts what connections are told; each looks at what was said after it began.
    said: watch::Sender<Said>,
    /// Whether connections are to be taken, and whether they are.
    is_taking: watch::Sender<bool>,
    is_listening: watch::Sender<bool>,
    counters: Counters,
    tasks: Tasks,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Said {
    closes: u64,
    resets: u64,
}

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    open: AtomicU64,
    requests: AtomicU64,
    replies: AtomicU64,
    lost: AtomicU64,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

impl FaultProxy {
    /// Starts a proxy of `upstream` on a free port; everything passes.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            upstream,
            requests: watch::Sender::new(Way::Open),
            replies: watch::Sender::new(Way::Open),
            said: watch::Sender::default(),
            is_taking: watch::Sender::new(true),
            is_listening: watch::Sender::new(true),
            counters: Counters::default(),
            tasks: Tasks::new(),
        });
        let listening = Arc::clone(&shared);
        shared.tasks.spawn(async move {
            tokio::select! {
                () = listen(&listening, address, listener) => {}
                () = listening.tasks.stopped() => {}
            }
        });
        Self { address, shared }
    }

    /// Returns where to connect instead of to the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says what happens in one direction from now on, to connections that are there and to new ones.
    pub fn set(&self, direction: Direction, way: Way) {
        self.shared.way(direction).send_replace(way);
    }

    /// Says what happens in both directions.
    pub fn set_both(&self, way: Way) {
        self.set(Direction::Requests, way);
        self.set(Direction::Replies, way);
    }

    /// Closes every connection that is there, to both sides, as if both had ended. What waits is gone.
    pub fn close(&self) {
        self.shared.said.send_modify(|said| said.closes += 1);
    }

    /// Resets every connection that is there, to both sides.
    pub fn reset(&self) {
        self.shared.said.send_modify(|said| said.resets += 1);
    }

    /// Has new connections refused from now on, as if no server was there. Those that are there stay.
    pub async fn refuse(&self) {
        self.listen(false).await;
    }

    /// Takes new connections again.
    pub async fn take(&self) {
        self.listen(true).await;
    }

    /// Returns what has passed so far.
    pub fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared.counters;
        Counts {
            connections: of(&counters.connections),
            open: of(&counters.open),
            requests: of(&counters.requests),
            replies: of(&counters.replies),
            lost: of(&counters.lost),
        }
    }

    async fn listen(&self, wanted: bool) {
        self.shared.is_taking.send_replace(wanted);
        let mut is_listening = self.shared.is_listening.subscribe();
        is_listening.wait_for(|is_listening| *is_listening == wanted).await.expect("its sender is here");
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.tasks.stop();
    }
}

impl Shared {
    fn way(&self, direction: Direction) -> &watch::Sender<Way> {
        match direction {
            Direction::Requests => &self.requests,
            Direction::Replies => &self.replies,
        }
    }
}

/// Takes connections, and leaves the port while there are none to be taken.
async fn listen(shared: &Arc<Shared>, address: SocketAddr, mut listener: TcpListener) {
    let mut is_taking = shared.is_taking.subscribe();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                if let Ok((client, _)) = taken {
                    let connection = Arc::clone(shared);
                    shared.tasks.spawn(async move { connect(&connection, client).await });
                }
            }
            () = told_to(&mut is_taking, false) => {
                drop(listener);
                shared.is_listening.send_replace(false);
                told_to(&mut is_taking, true).await;
                listener = TcpListener::bind(address).await.expect("the port is still free");
                shared.is_listening.send_replace(true);
            }
        }
    }
}

/// Waits until connections are to be taken or not.
async fn told_to(is_taking: &mut watch::Receiver<bool>, wanted: bool) {
    drop(is_taking.wait_for(|is_taking| *is_taking == wanted).await);
}

/// Carries one connection in both directions until it ends.
async fn connect(shared: &Shared, mut client: TcpStream) {
    let before = *shared.said.borrow();
    let Ok(mut server) = TcpStream::connect(shared.upstream).await else { return };
    shared.counters.connections.fetch_add(1, Ordering::Relaxed);
    shared.counters.open.fetch_add(1, Ordering::Relaxed);
    drop(client.set_nodelay(true).and_then(|()| server.set_nodelay(true)));
    let end = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let requests = carry(shared, Direction::Requests, &mut from_client, &mut to_server);
        let replies = carry(shared, Direction::Replies, &mut from_server, &mut to_client);
        let both = async { tokio::try_join!(requests, replies).map_or(End::Reset, |_| End::Closed) };
        tokio::select! {
            end = both => end,
            end = told(shared, before) => end,
            () = shared.tasks.stopped() => End::Closed,
        }
    };
    if end == End::Reset {
        // No linger: what is closed now is reset.
        drop(client.set_zero_linger().and_then(|()| server.set_zero_linger()));
    }
    drop((client, server));
    shared.counters.open.fetch_sub(1, Ordering::Relaxed);
}

/// Waits until connections are told to end.
async fn told(shared: &Shared, before: Said) -> End {
    let mut said = shared.said.subscribe();
    let after = said.wait_for(|after| *after != before).await.map(|after| *after);
    match after {
        Ok(after) if after.resets > before.resets => End::Reset,
        _ => End::Closed,
    }
}

#[cfg(test)]
mod tests;
