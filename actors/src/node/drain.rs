//! Going down in good order: tell every client, finish what is under way, close the store.

use super::Node;
use super::slots::{Slot, Slots};
use crate::room::RoomMessage;
use rookery_protocol::{CloseCode, Frame, ServerEvent};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How often the drain looks whether all are gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long a store may take to finish what it has accepted. Beyond that its disk is stuck, and
/// what was acked is on it already.
const STORE_CLOSES_WITHIN: Duration = Duration::from_secs(5);

/// How long the bus may take to give the node's lease back; the lease ends by itself.
const BUS_CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// How long what the ports run may take to end: a batch of an index, a read of the store.
const PORTS_END_WITHIN: Duration = Duration::from_secs(1);

/// How long a drain may take beyond its grace: giving back the lease, ending what the ports run,
/// saving who was there, closing the store.
pub const CLOSES_WITHIN: Duration =
    BUS_CLOSES_WITHIN.saturating_add(PORTS_END_WITHIN).saturating_add(STORE_CLOSES_WITHIN.saturating_mul(2));

impl Node {
    /// Says that the node is going down: it is not ready any more, activates no room, and no room has its
    /// home here.
    pub fn begin_drain(&self) {
        self.is_draining.store(true, Ordering::Release);
        self.cluster.announce(self);
    }

    /// Asks every connection that is open to come back later, each after a delay of its own, and to the
    /// other nodes by what they still take.
    pub fn send_away(&self) {
        let mut slots = Slots::new(self.connections.len(), &self.cluster.survivors());
        self.connections.each(|connection| {
            let Slot { after_ms, url } = slots.next();
            let bye = Frame::server(ServerEvent::move_to(url, after_ms));
            connection.close(CloseCode::Draining, Some(&bye), self.clock().elapsed());
        });
    }

    /// Sends every connection away, lets rooms finish what is under way, and closes the store; at
    /// most for `grace`, and twice 5 s more for a store that does not answer. Returns whether all of it was
    /// done.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.begin_drain();
        let until = Instant::now() + grace;
        self.send_away();
        let mut all_gone = wait(until, || self.connections.is_empty()).await;
        if !all_gone {
            self.connections.each(|connection| connection.abort());
        }
        all_gone &= wait(until, || {
            // Each time, since one may have been activated just before.
            self.rooms.each(|_, room| drop(room.send_message(RoomMessage::Retire)));
            self.rooms.is_empty()
        })
        .await;
        self.presence.let_all_go();
        self.tasks.stop();
        let left = until.saturating_duration_since(Instant::now()).max(LOOK_EVERY);
        all_gone &= self.tasks.finished(left).await;
        drop(timeout(BUS_CLOSES_WITHIN, self.cluster.close()).await);
        self.parts.ports.stop();
        all_gone &= self.parts.ports.finished(PORTS_END_WITHIN).await;
        // Not acked to anybody: without it the store knows of an earlier moment.
        drop(timeout(STORE_CLOSES_WITHIN, self.presence.save_all(&**self.store())).await);
        match timeout(STORE_CLOSES_WITHIN, self.store().close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "store not closed");
                all_gone = false;
            }
            Err(_) => {
                tracing::error!(within = ?STORE_CLOSES_WITHIN, "store not closed: it does not answer");
                all_gone = false;
            }
        }
        self.session_supervisors.stop();
        self.room_supervisors.stop();
        self.relay_supervisors.stop();
        all_gone
    }
}

async fn wait(until: Instant, is_so: impl Fn() -> bool) -> bool {
    while !is_so() {
        if Instant::now() >= until {
            return false;
        }
        sleep(LOOK_EVERY).await;
    }
    true
}
