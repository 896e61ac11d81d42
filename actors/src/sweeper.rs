//! The sweeper: the one timer. It pings, enforces deadlines, tells who came and went, lets idle rooms
//! go and looks whether a store that refused writes takes them again.

mod gauges;

use crate::node::Node;
use crate::room::RoomMessage;
use bytes::Bytes;
use gauges::{Depths, Gauges};
use rookery_engine::limits::{ROOM_SWEEP_ROUNDS, SWEEP_EVERY};
use rookery_engine::metrics::ActorKind;
use rookery_engine::store::{Answer, Health};
use rookery_engine::{Mailbox, Verdict};
use std::future::pending;
use std::sync::Arc;
use tokio::time::{MissedTickBehavior, interval};

/// A WebSocket ping without payload (RFC 6455, section 5.5.2): FIN and opcode 9, length 0.
const PING: Bytes = Bytes::from_static(&[0x89, 0x00]);

/// Sweeps until the node's tasks are stopped.
pub(crate) async fn run(node: Arc<Node>) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut round, mut gauges) = (0_u64, Gauges::default());
    // At most one, beside the sweeping: a stuck store must not stop the deadlines.
    let mut probe: Option<Answer<'_, ()>> = None;
    loop {
        tokio::select! {
            () = node.tasks().stopped() => return,
            // Its outcome shows in the store's health.
            () = finished(&mut probe) => {
                probe = None;
                continue;
            }
            due = ticks.tick() => {
                node.metrics().process.late_seconds.record(due.elapsed().as_secs_f64());
            }
        }
        round += 1;
        gauges.look(&node);
        sweep(&node, round.is_multiple_of(ROOM_SWEEP_ROUNDS));
        if probe.is_none() && matches!(node.store().health(), Health::Refusing(_)) {
            probe = Some(node.store().probe());
        }
    }
}

/// Completes when the probe does; never where there is none.
async fn finished(probe: &mut Option<Answer<'_, ()>>) {
    match probe {
        Some(probe) => drop(probe.await),
        None => pending().await,
    }
}

/// Looks once at every connection, and at every room where `rooms`, and tells who came and went.
pub(crate) fn sweep(node: &Arc<Node>, rooms: bool) {
    let (now, wall) = (node.clock().elapsed(), node.clock().now());
    let mut slow = 0_u32;
    node.connections().each(|connection| {
        slow +=
            u32::from(connection.outbox().stalled_since().is_some_and(|since| since + SWEEP_EVERY <= now));
        match connection.sweep(now, wall) {
            Verdict::Leave => {}
            Verdict::Ping => drop(connection.push_encoded(PING)),
            Verdict::Close(code) => node.close(connection, code),
            Verdict::Abort => connection.abort(),
        }
    });
    node.metrics().edge.slow_readers.set(f64::from(slow));
    let mut sessions = Depths::of(node, ActorKind::Session);
    node.awake().look(|waiting| sessions.see(waiting));
    sessions.tell();
    node.tell_unheard();
    let tick = |room: &Mailbox<RoomMessage>| drop(room.send_message(RoomMessage::Tick(now)));
    node.presence().sweep();
    node.say_presence();
    if node.presence().take_doubt_of_blocks() {
        let looking = Arc::clone(node);
        node.tasks().spawn(async move { looking.look_at_blocks().await });
    }
    if node.presence().has_unsaved(&**node.store()) {
        let (presence, store) = (Arc::clone(node.presence()), Arc::clone(node.store()));
        node.tasks().spawn(presence.save(store));
    }
    node.cluster().gauge();
    let search = node.search().progress();
    node.metrics().search.indexed.absolute(search.indexed);
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and 2^52 events are never behind")]
    node.metrics().search.behind.set(search.behind as f64);
    if rooms {
        let mut depths = Depths::of(node, ActorKind::Room);
        node.each_room(|room| {
            depths.see(room.waiting());
            tick(room);
        });
        depths.tell();
        gauges::of_rooms(node, now);
    } else {
        node.each_restless_room(tick);
    }
}
