//! The sweeper: the one timer. It pings, enforces deadlines, tells who came and went, lets idle rooms
//! go and looks whether a store that refused writes takes them again.

mod gauges;

use crate::node::Node;
use crate::room::RoomMessage;
use bytes::Bytes;
use gauges::{Depths, Gauges};
use rookery_engine::Verdict;
use rookery_engine::limits::{ROOM_SWEEP_ROUNDS, SWEEP_EVERY};
use rookery_engine::metrics::ActorKind;
use rookery_engine::store::{Answer, Health};
use rookery_protocol::RoomId;
use std::future::pending;
use std::sync::Arc;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

/// A WebSocket ping without payload (RFC 6455, section 5.5.2): FIN and opcode 9, length 0.
const PING: Bytes = Bytes::from_static(&[0x89, 0x00]);

/// Rooms that hear in one turn of the runtime what time it is.
const TOLD_A_TURN: usize = 8;

/// Sweeps until the node's tasks are stopped.
pub(crate) async fn run(node: Arc<Node>) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut round, mut gauges) = (0_u64, Gauges::default());
    node.swept();
    // At most one, beside the sweeping: a stuck store must not stop the deadlines.
    let mut probe: Option<Answer<'_, ()>> = None;
    // At most one of these too; what is due meanwhile has its turn at the next look.
    let (mut telling, mut all_are_due) = (None, false);
    loop {
        tokio::select! {
            () = node.tasks().stopped() => return,
            // Its outcome shows in the store's health.
            () = finished(&mut probe) => {
                probe = None;
                continue;
            }
            () = finished(&mut telling) => {
                telling = None;
                continue;
            }
            due = ticks.tick() => {
                node.metrics().process.late_seconds.record(due.elapsed().as_secs_f64());
            }
        }
        round += 1;
        node.swept();
        gauges.look(&node);
        sweep(&node);
        all_are_due |= round.is_multiple_of(ROOM_SWEEP_ROUNDS);
        if telling.is_none() {
            let rooms = rooms_to_tell(&node, std::mem::take(&mut all_are_due));
            telling = Some(Box::pin(tell_in_turns(&node, rooms)));
        }
        if probe.is_none() && matches!(node.store().health(), Health::Refusing(_)) {
            probe = Some(node.store().probe());
        }
    }
}

/// Completes when what is under way does; never where there is nothing.
async fn finished(under_way: &mut Option<impl Future + Unpin>) {
    match under_way {
        Some(under_way) => drop(under_way.await),
        None => pending().await,
    }
}

/// Returns the active rooms that are to hear what time it is: all of them, or those that have asked to be woken.
fn rooms_to_tell(node: &Node, all: bool) -> Vec<RoomId> {
    if !all {
        return node.take_restless_rooms();
    }
    let (mut depths, mut rooms) = (Depths::of(node, ActorKind::Room), Vec::new());
    node.each_room(|room, mailbox| {
        depths.see(mailbox.waiting());
        rooms.push(room);
    });
    depths.tell();
    gauges::of_rooms(node, node.clock().elapsed());
    rooms
}

/// Tells rooms what time it is, a few in each turn of the runtime: a thousand inboxes that go at the same moment
/// would hold up everybody else.
async fn tell_in_turns(node: &Node, rooms: Vec<RoomId>) {
    for few in rooms.chunks(TOLD_A_TURN) {
        for room in few {
            tell_time(node, *room);
        }
        yield_now().await;
    }
}

fn tell_time(node: &Node, room: RoomId) {
    if let Some(room) = node.active_room(room) {
        // One that goes needs to hear nothing.
        drop(room.send_message(RoomMessage::Tick(node.clock().elapsed())));
    }
}

/// Looks around as the sweeper does, and tells the rooms at once what time it is.
pub(crate) fn sweep_at_once(node: &Arc<Node>, all_rooms: bool) {
    sweep(node);
    for room in rooms_to_tell(node, all_rooms) {
        tell_time(node, room);
    }
}

/// Looks once at every connection, and tells who came and went.
fn sweep(node: &Arc<Node>) {
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
    node.look_at_commits();
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
}
