//! Where a session is reached, whether its actor runs or not.
//!
//! An actor costs some seven kilobytes, and most connections say nothing most of the time. So a session
//! that has nothing to do for a while lies down: its actor stops, what it knew stays in its seat, and the
//! next message has it get up. Every message goes through the seat and is counted there, so an actor lies
//! down only when it has handled all that it was ever sent.

use super::rested::Rested;
use super::{Session, SessionActor, SessionMessage};
use crate::node::Node;
use ractor::ActorRuntime;
use rookery_engine::limits::SESSION_REST_SWEEPS;
use rookery_engine::{Connection, Depth, Mailbox};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a session is reached.
#[derive(Clone, Debug)]
pub struct SessionRef(Arc<Seat>);

#[derive(Debug)]
struct Seat(Mutex<Sitting>);

#[derive(Debug)]
enum Sitting {
    /// Nobody runs; this is what is known.
    Rests(Box<Rested>),
    Runs(Running),
    Ended,
}

#[derive(Debug)]
struct Running {
    actor: Mailbox<SessionMessage>,
    /// Messages sent to this actor.
    sent: u64,
    /// How many that were at the sweeper's last look.
    seen: u64,
    /// Looks since something was sent.
    quiet: u32,
}

/// The sessions of a node whose actors run, for the sweeper to look at.
#[derive(Debug, Default)]
pub(crate) struct Awake(Mutex<Vec<SessionRef>>);

impl SessionRef {
    /// Returns the session of a connection that has said nothing yet.
    pub(crate) fn new(node: Arc<Node>, connection: Arc<Connection>) -> Self {
        Self(Arc::new(Seat(Mutex::new(Sitting::Rests(Box::new(Rested::new(node, connection)))))))
    }

    /// Tells the session something, starting its actor where that rests. One that has ended hears nothing: its
    /// connection is closed, or closing.
    pub fn tell(&self, message: SessionMessage) {
        let mut sitting = self.lock();
        let is_last = matches!(message, SessionMessage::Closed);
        match std::mem::replace(&mut *sitting, Sitting::Ended) {
            Sitting::Rests(rested) if is_last => {
                drop(sitting);
                return rested.end();
            }
            Sitting::Rests(rested) => *sitting = self.get_up(*rested),
            as_it_is => *sitting = as_it_is,
        }
        if let Sitting::Runs(running) = &mut *sitting {
            running.sent += 1;
            // One that has failed has closed its connection.
            drop(running.actor.send_message(message));
        }
        if is_last {
            *sitting = Sitting::Ended;
        }
    }

    fn get_up(&self, rested: Rested) -> Sitting {
        let node = Arc::clone(rested.node());
        let supervisor = node.supervisor_of(rested.connection());
        let depth = Depth::default();
        let session = rested.get_up(self.clone(), depth.clone());
        match ActorRuntime::spawn_linked_instant(None, SessionActor, session, supervisor) {
            Ok((actor, _)) => {
                node.awake().add(self.clone());
                let actor = Mailbox::new(actor, depth);
                Sitting::Runs(Running { actor, sent: 0, seen: 0, quiet: 0 })
            }
            // The runtime is going down, and the session has closed its connection when it was dropped.
            Err(_) => Sitting::Ended,
        }
    }

    /// Has `session` rest if it has handled all that it was sent, `handled` messages; if so its actor has
    /// to do nothing more.
    pub(super) fn lie_down(&self, session: &mut Session, handled: u64) {
        let mut sitting = self.lock();
        if let Sitting::Runs(running) = &*sitting
            && running.sent == handled
        {
            running.actor.stop(None);
            *sitting = Sitting::Rests(Box::new(session.rest()));
        }
    }

    /// Has a session that nothing was sent for some looks lie down. Returns whether its actor runs; what
    /// waits for it `see` is told.
    fn look(&self, see: &mut impl FnMut(usize)) -> bool {
        let mut sitting = self.lock();
        let Sitting::Runs(running) = &mut *sitting else { return false };
        see(running.actor.waiting());
        running.quiet = if running.sent == running.seen { running.quiet + 1 } else { 0 };
        if running.quiet >= SESSION_REST_SWEEPS {
            running.sent += 1;
            // One that has failed is found out by whoever sends next.
            if running.actor.send_message(SessionMessage::Rest).is_err() {
                return false;
            }
            running.quiet = 0;
        }
        running.seen = running.sent;
        true
    }

    fn lock(&self) -> MutexGuard<'_, Sitting> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awake {
    fn add(&self, session: SessionRef) {
        self.lock().push(session);
    }

    /// Returns how many run, with those that have ended since the last look.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Looks at each of them once, and tells `see` how many messages wait for it.
    pub(crate) fn look(&self, mut see: impl FnMut(usize)) {
        // On what there is now: whoever gets up meanwhile is looked at the next time.
        let mut awake = std::mem::take(&mut *self.lock());
        awake.retain(|session| session.look(&mut see));
        let mut all = self.lock();
        awake.append(&mut all);
        // A list that was long once keeps no heap.
        awake.shrink_to(2 * awake.len());
        *all = awake;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SessionRef>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
