//! A relay: tells one slice of a large audience what its room publishes.
//!
//! Hears from the room (catch up). Tells the listeners of its slice, and the room where it dies.
//! Owns nothing: what waits is in the slice, with how far it has come. Lives while the room's actor does and the
//! audience is divided as it is; a panic loses nothing, because the room tells what is left and calls
//! another one in.

use super::{Room, RoomMessage};
use crate::node::Node;
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime};
use rookery_engine::metrics::Turn;
use rookery_engine::{Mailbox, Slice, Slices};
use std::sync::Arc;

/// The actor; all it has is in [`Relay`].
struct RelayActor;

/// A relay's state.
struct Relay {
    node: Arc<Node>,
    room: Mailbox<RoomMessage>,
    slice: Arc<Slice>,
    /// Whether it goes in good order.
    is_done: bool,
}

/// Something waits in the slice. At most one is under way to each relay.
#[derive(Debug)]
struct CatchUp;

/// The relays of a room, one for each slice of its audience.
#[derive(Debug, Default)]
pub(super) struct Relays {
    slices: Option<Slices>,
    /// `None` where none could be started.
    actors: Vec<Option<ActorRef<CatchUp>>>,
}

impl Actor for RelayActor {
    type Msg = CatchUp;
    type State = Relay;
    type Arguments = Relay;

    async fn pre_start(&self, _: ActorRef<CatchUp>, relay: Relay) -> Result<Relay, ActorProcessingErr> {
        Ok(relay)
    }

    async fn handle(
        &self,
        _: ActorRef<CatchUp>,
        CatchUp: CatchUp,
        relay: &mut Relay,
    ) -> Result<(), ActorProcessingErr> {
        let begun = relay.node.clock().elapsed();
        relay.slice.relay();
        let took = relay.node.clock().elapsed().saturating_sub(begun);
        relay.node.metrics().actors.turned(Turn::RelayCatchUp, took);
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<CatchUp>, relay: &mut Relay) -> Result<(), ActorProcessingErr> {
        relay.is_done = true;
        Ok(())
    }
}

impl Drop for Relay {
    /// Runs after a panic as well.
    fn drop(&mut self) {
        if !self.is_done {
            // A room that has gone has told everybody, or dismissed them.
            drop(self.room.send_message(RoomMessage::RelayFailed(Arc::clone(&self.slice))));
        }
    }
}

impl Relays {
    /// Returns whether the room tells its listeners itself.
    pub(super) const fn is_empty(&self) -> bool {
        self.slices.is_none()
    }

    /// Has each relay tell what waits that is not on its way to do so.
    pub(super) fn call(&self) {
        for (slice, relay) in self.slices.iter().flat_map(|slices| slices.iter()).zip(&self.actors) {
            if slice.calls() && !is_sent(relay.as_ref()) {
                // It has died, and the word of that is on its way.
                slice.catch_up();
            }
        }
    }

    fn end(&mut self) {
        self.slices = None;
        for relay in self.actors.drain(..).flatten() {
            drop(relay.drain());
        }
    }
}

impl Drop for Relays {
    fn drop(&mut self) {
        self.end();
    }
}

impl Room {
    /// Divides the audience as its size wants it, where that has changed.
    pub(super) fn fit_audience(&mut self) {
        if self.audience.fit(self.node.config().slice) {
            self.call_in_relays();
        }
    }

    /// Has a relay for each slice that there is, and no other.
    pub(super) fn call_in_relays(&mut self) {
        self.relays.end();
        if let Some(slices) = self.audience.slices() {
            self.relays.actors = slices.iter().map(|slice| self.start_relay(slice)).collect();
            self.relays.slices = Some(slices);
        }
    }

    /// The room tells its listeners nothing more: they hear what waits, and the relays go.
    pub(super) fn dismiss_relays(&mut self) {
        self.relays.end();
        self.audience.catch_up();
    }

    /// A relay has died: the room goes on where it was, and fails itself where that cannot be told at all.
    pub(super) fn relay_failed(&mut self, slice: &Arc<Slice>) {
        let mut slices = self.relays.slices.iter().flat_map(|slices| slices.iter());
        let Some(index) = slices.position(|other| Arc::ptr_eq(other, slice)) else { return };
        slice.catch_up();
        // While the node goes down there may be nobody to start it under.
        self.relays.actors[index] = if self.node.is_draining() { None } else { self.start_relay(slice) };
    }

    /// Starts the relay of a slice, which begins with what waits there.
    fn start_relay(&self, slice: &Arc<Slice>) -> Option<ActorRef<CatchUp>> {
        let (node, room) = (Arc::clone(&self.node), self.myself.clone());
        let relay = Relay { node, room, slice: Arc::clone(slice), is_done: false };
        let supervisor = self.node.relay_supervisor(self.id);
        let relay = match ActorRuntime::spawn_linked_instant(None, RelayActor, relay, supervisor) {
            Ok((relay, _)) => Some(relay),
            Err(error) => {
                tracing::error!(room = %self.id, %error, "relay not started");
                None
            }
        };
        is_sent(relay.as_ref());
        relay
    }
}

fn is_sent(relay: Option<&ActorRef<CatchUp>>) -> bool {
    relay.is_some_and(|relay| relay.send_message(CatchUp).is_ok())
}
