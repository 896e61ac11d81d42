//! A room: the one place where its events get their order.
//!
//! Hears from sessions and requests (submit, open, signal, join, glance, recall), its own store tasks (loaded, known,
//! appended, located, marked, counted), the sweeper (tick), other nodes (foreign, told, echo, forwarded) and relays that
//! die. Tells the store (append), its audience (fan out, or relays), whoever waits for an answer, and other nodes.
//! Owns the head, the members and the batch being built. Lives while it is used; a panic loses nothing that was acked.

mod appended;
mod batch;
mod compose;
mod draft;
mod foreign;
mod forward;
mod glance;
mod heads;
mod live;
mod look;
mod marks;
mod message;
mod open;
mod pace;
mod policy;
mod recall;
mod relay;
mod remembered;
mod ring;
mod signal;
mod submit;
mod tell;
mod typing;

pub(crate) use compose::{SERVER, no_such_room};
pub(crate) use draft::{Action, Creation, Draft, Moderation};
pub(crate) use forward::Forwarded;
pub(crate) use glance::Glance;
pub(crate) use message::RoomMessage;
pub(crate) use open::{Open, Opening};
pub(crate) use policy::may_invite;
pub(crate) use recall::{Recall, Recalled};
pub(crate) use signal::{Said, Signal};

use crate::node::Node;
use batch::{InFlight, Waiting};
use forward::{Forwards, Lines};
use heads::Heads;
use live::{Live, Loaded, load};
use look::Doubts;
use pace::Pace;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use relay::Relays;
use rookery_engine::limits::INBOX_IDLE;
use rookery_engine::store::StoreError;
use rookery_engine::{Audience, Bucket, Depth, Mailbox};
use rookery_protocol::{ErrorCode, RoomId, RoomKind, Seq, WireError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use typing::Typists;

/// Messages that a room holds back while it is being read from the store.
const HELD_MESSAGES: usize = 4096;

/// The actor; all it has is in [`Room`].
pub(crate) struct RoomActor;

/// A room's state.
pub(crate) struct Room {
    node: Arc<Node>,
    id: RoomId,
    myself: Mailbox<RoomMessage>,
    phase: Phase,
    live: Live,
    audience: Arc<Audience>,
    /// Those who tell the slices of a large audience.
    relays: Relays,
    waiting: VecDeque<Waiting>,
    next_ticket: u64,
    in_flight: Option<InFlight>,
    marks: marks::Marks,
    typists: Typists,
    heads: Heads,
    /// Drafts that the room's home on another node has.
    forwards: Forwards,
    /// How far this node, as their home, has come with the drafts of others.
    lines: Lines,
    doubts: Doubts,
    is_outdated: bool,
    /// How much is written in it.
    sends: Bucket,
    /// What waits is not ordered before the audience has been written what it was told.
    pace: Pace,
    /// Whether its state was read before.
    has_read: bool,
    last_used: Duration,
    is_leaving: bool,
}

#[derive(Debug)]
enum Phase {
    /// The state is being read; what cannot wait in `waiting` is held here.
    Loading(Vec<RoomMessage>),
    /// In order.
    Live,
    /// Out of the directory: what still arrives is sent to the room that has taken over.
    Retired,
}

impl Actor for RoomActor {
    type Msg = RoomMessage;
    type State = Room;
    type Arguments = (Arc<Node>, RoomId, Depth);

    async fn pre_start(
        &self,
        myself: ActorRef<RoomMessage>,
        (node, room, waiting): (Arc<Node>, RoomId, Depth),
    ) -> Result<Room, ActorProcessingErr> {
        let mut state = Room {
            audience: node.hub().audience(room),
            last_used: node.clock().elapsed(),
            phase: Phase::Loading(Vec::new()),
            live: Live::default(),
            relays: Relays::default(),
            waiting: VecDeque::new(),
            next_ticket: 0,
            in_flight: None,
            marks: marks::Marks::default(),
            typists: Typists::default(),
            heads: Heads::default(),
            forwards: Forwards::default(),
            lines: Lines::default(),
            doubts: Doubts::default(),
            is_outdated: false,
            sends: Bucket::default(),
            pace: Pace::default(),
            has_read: false,
            is_leaving: false,
            node,
            id: room,
            myself: Mailbox::new(myself, waiting),
        };
        state.call_in_relays();
        // Its last actor has told them so much.
        state.load((!state.audience.is_empty()).then(|| state.audience.told()));
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<RoomMessage>,
        message: RoomMessage,
        state: &mut Room,
    ) -> Result<(), ActorProcessingErr> {
        state.myself.taken();
        let (turn, begun) = (message.turn(), state.node.clock().elapsed());
        state.hear(message);
        state.node.metrics().actors.turned(turn, state.node.clock().elapsed().saturating_sub(begun));
        Ok(())
    }
}

impl Room {
    fn hear(&mut self, message: RoomMessage) {
        match &mut self.phase {
            Phase::Retired => {
                // The answers to its own questions, and looks at it, are nobody else's.
                if message.comes_from_outside() || (message.is_for_listeners() && !self.audience.is_empty()) {
                    self.node.tell_room(self.id, message);
                }
                return;
            }
            Phase::Loading(held) if message.comes_from_outside() || message.is_for_listeners() => {
                if held.len() < HELD_MESSAGES || message.is_settle() {
                    held.push(message);
                } else if let RoomMessage::Foreign(events) = message {
                    self.doubts.note(events.head().unwrap_or_default());
                } else {
                    message.refuse(&busy(&self.node));
                }
                return;
            }
            // What it would tell is not known to be so.
            Phase::Loading(_) if matches!(message, RoomMessage::Glance(_) | RoomMessage::Recall(_)) => return,
            Phase::Loading(_) | Phase::Live => {}
        }
        match message {
            RoomMessage::Submit(draft) => self.submit(draft),
            RoomMessage::Open(open) => self.open(open),
            RoomMessage::Signal(signal) => self.signal(signal),
            RoomMessage::Join(join) => self.join(join),
            RoomMessage::Glance(glance) => self.glance(glance),
            RoomMessage::Recall(recall) => self.recall(recall),
            RoomMessage::Loaded(loaded) => self.loaded(loaded),
            RoomMessage::Known(ticket, known) => self.known(ticket, known),
            RoomMessage::Appended(outcome) => self.appended(outcome),
            RoomMessage::Marked(written) => self.marked(written),
            RoomMessage::Counted(kind, told) => self.signal_marks(kind, told),
            RoomMessage::HeadsRead(hearing, states) => self.heads_read(&hearing, states),
            RoomMessage::HeadsUnread => self.heads_unread(),
            RoomMessage::HeadsDue => self.head_moved(),
            RoomMessage::HeadsTold => self.heads_told(),
            RoomMessage::Located(by, client_id, receipt) => self.located(by, client_id, receipt),
            RoomMessage::Foreign(events) => self.foreign(*events),
            RoomMessage::Told(head) => self.told(head),
            RoomMessage::Echo(signal) => self.echo(signal),
            RoomMessage::HeadHeard(head) => self.head_heard(head),
            RoomMessage::Forwarded(forwarded) => self.forwarded(*forwarded),
            RoomMessage::Answered(from, asked, outcome) => self.answered(from, asked, outcome),
            RoomMessage::AnswerDue => self.answer_due(),
            RoomMessage::HomesMoved => self.homes_moved(),
            RoomMessage::AudienceTold => self.audience_told(),
            RoomMessage::RelayFailed(slice) => self.relay_failed(&slice),
            RoomMessage::Looked(ticket, waiters, head) => self.looked(ticket, waiters, head),
            RoomMessage::Refresh => self.refresh(),
            RoomMessage::Tick(now) => self.tick(now),
            RoomMessage::Retire => self.leave(),
        }
    }

    /// Starts reading the room's state; `told` as for [`load`].
    fn load(&self, told: Option<Seq>) {
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        let begun = (!self.has_read).then(|| node.clock().elapsed());
        self.node.tasks().spawn(async move {
            let loaded = load(node.store().as_ref(), room, told).await;
            if let Some(begun) = begun {
                live::count_activation(&node, begun, &loaded);
            }
            // A room that has gone meanwhile needs no state.
            drop(myself.send_message(RoomMessage::Loaded(loaded.map(Box::new))));
        });
    }

    /// Reads the room again, since the store holds more than it knows of.
    fn catch_up(&mut self) {
        self.read_again(Vec::new());
    }

    /// Reads the room again while `held` waits for it.
    fn read_again(&mut self, held: Vec<RoomMessage>) {
        self.is_outdated = false;
        self.doubts.read_again();
        self.phase = Phase::Loading(held);
        self.load(Some(self.live.head.seq));
    }

    /// Reads the room again as soon as no batch is under way and no reading, which may have begun
    /// before the change. What is ordered later waits for it, so nothing that was sent after the change
    /// is judged by what was before.
    fn refresh(&mut self) {
        self.is_outdated = true;
        self.order();
    }

    fn loaded(&mut self, loaded: Result<Box<Loaded>, StoreError>) {
        let Phase::Loading(held) = std::mem::replace(&mut self.phase, Phase::Live) else { return };
        self.has_read = true;
        match loaded {
            Ok(loaded) => {
                self.take_over(*loaded);
                if self.is_outdated {
                    return self.read_again(held);
                }
                for message in held {
                    self.hear(message);
                }
                self.order();
                self.hear_postponed();
                self.retire_if_absent();
                self.leave_if_idle(self.node.clock().elapsed());
            }
            Err(error) => {
                tracing::warn!(room = %self.id, %error, "room not activated");
                let asks = |message: &RoomMessage| {
                    matches!(message, RoomMessage::HeadsDue | RoomMessage::HeadHeard(_))
                };
                let is_asked = held.iter().any(asks);
                if is_asked || self.in_flight.is_some() || self.heads.are_open() {
                    self.node.heads_are_due(self.id);
                }
                let refusal = unavailable();
                for message in held {
                    message.refuse(&refusal);
                }
                self.in_flight.take().into_iter().flat_map(|batch| batch.ordered).for_each(|ordered| {
                    // Whether it was applied is not known, and dropping the answer says so.
                    drop(ordered.waiting.draft.answer);
                });
                self.waiting.drain(..).for_each(|waiting| waiting.draft.answer.err(refusal.clone()));
                self.forwards.let_go();
                self.refuse_postponed(&refusal);
                self.dismiss();
                self.retire("failed");
            }
        }
    }

    fn tick(&mut self, now: Duration) {
        self.tell_marks(now);
        self.end_silent_typing(now);
        self.tell_heads(now);
        if !self.relays.is_empty() {
            // It may have become smaller; where it has become larger, a join has seen that.
            self.fit_audience();
        }
        self.leave_if_idle(now);
    }

    fn leave_if_idle(&mut self, now: Duration) {
        let idle = now.saturating_sub(self.last_used);
        let is_inbox = self.live.record.as_ref().is_some_and(|record| record.kind == RoomKind::Inbox);
        let kept = self.node.config().room_idle;
        if idle >= if is_inbox { kept.min(INBOX_IDLE) } else { kept } {
            self.leave();
        } else if is_inbox {
            // Before the next look at all rooms, which is some seconds off.
            self.node.wake_room_next(self.id);
        }
    }

    /// Goes now if nothing is under way, or else as soon as that is so.
    fn leave(&mut self) {
        let has_untold = self.heads.are_open() && !self.node.is_draining();
        if matches!(self.phase, Phase::Live) && !self.is_busy() && !has_untold {
            self.retire(if self.node.is_draining() { "drained" } else { "idle" });
        } else {
            self.is_leaving = self.node.is_draining();
        }
    }

    fn retire_if_absent(&mut self) {
        if matches!(self.phase, Phase::Loading(_)) {
            return;
        }
        let is_absent = self.live.record.is_none();
        if (is_absent || self.is_leaving) && !self.is_busy() {
            self.retire(if is_absent { "absent" } else { "drained" });
        }
    }

    /// Whether somebody waits for an answer.
    fn is_busy(&self) -> bool {
        self.in_flight.is_some()
            || !self.waiting.is_empty()
            || self.marks.is_busy()
            || self.forwards.is_busy()
            || self.doubts.is_busy()
    }

    fn retire(&mut self, why: &'static str) {
        if matches!(self.phase, Phase::Retired) {
            return;
        }
        self.node.metrics().rooms.passivations.of(why).increment(1);
        self.dismiss_relays();
        self.phase = Phase::Retired;
        self.node.forget_room(self.id, self.myself.get_id());
        // What is queued already is forwarded; what comes later gets its message back.
        drop(self.myself.drain());
    }

    /// Tells every listener that it has to open the room again, and listens to nobody.
    fn dismiss(&mut self) {
        self.audience.dismiss(&self.lagged_notice());
        self.dismiss_relays();
    }
}

/// Counts that the bound on what waits for a room is hit, and says so.
fn busy(node: &Node) -> WireError {
    node.metrics().commands.limits.of("room-drafts").increment(1);
    WireError::new(ErrorCode::Busy, "the room has too much waiting").retry_after(200)
}

fn unavailable() -> WireError {
    WireError::new(ErrorCode::StoreUnavailable, "nothing can be written at the moment").retry_after(1000)
}

impl Drop for Room {
    /// Runs after a panic as well, where nobody said goodbye.
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Retired) {
            self.node.room_failed(self.id, self.myself.get_id());
            if self.in_flight.is_some() || self.heads.are_open() {
                self.node.heads_are_due(self.id);
            }
            // What was appended but not told would be missing: they must open it again.
            self.dismiss();
        }
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("room", &self.id).field("phase", &self.phase).finish_non_exhaustive()
    }
}
