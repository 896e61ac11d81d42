//! Commands that are not answered for good, in the order in which they were submitted.

use rookery_protocol::{CommandId, Op, RoomId, Seq, WireError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Commands that wait at most: what one writes while a server is down for a while.
const COMMANDS: usize = 1_024;

/// Commands under way at a time, below what a connection may have (`limits.in_flight` is 32).
const IN_FLIGHT: usize = 16;

/// The wait before a retry for which the server named none.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Names a submitted command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u64);

/// Too many commands wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("submit a command: {COMMANDS} wait already")]
pub struct Full;

/// What a command id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A command of the outbox.
    Submitted(Handle),
    /// `room.open` of a followed room.
    Open { room: RoomId, after: Option<Seq> },
    /// A page of a followed room.
    Page { room: RoomId },
    /// A fresh token.
    Auth,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) handle: Handle,
    pub(super) op: Arc<Op>,
    pub(super) attempt: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unsent,
    UnderWay(CommandId),
    NotBefore(Instant),
}

/// Them all.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
    last: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, op: Op) -> Result<Handle, Full> {
        if self.waiting.len() >= COMMANDS {
            return Err(Full);
        }
        self.last += 1;
        let handle = Handle(self.last);
        self.waiting.push_back(Waiting { handle, op: Arc::new(op), attempt: 0, state: State::Unsent });
        Ok(handle)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the command whose turn it is: the oldest that is not under way, unless an older one
    /// on the same room waits for its time.
    pub(super) fn due(&mut self, now: Instant) -> Option<&mut Waiting> {
        let mut under_way = 0;
        let mut held: Vec<RoomId> = Vec::new();
        for index in 0..self.waiting.len() {
            let Waiting { op, state, .. } = &self.waiting[index];
            let room = room_of(op);
            let is_held = room.is_some_and(|room| held.contains(&room));
            match state {
                State::UnderWay(_) => under_way += 1,
                State::NotBefore(time) if *time > now => held.extend(room),
                State::NotBefore(_) | State::Unsent if is_held => {}
                State::NotBefore(_) | State::Unsent => return self.waiting.get_mut(index),
            }
            if under_way >= IN_FLIGHT {
                return None;
            }
        }
        None
    }

    /// Returns when the next command that waits for its time is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let times = self.waiting.iter().filter_map(|waiting| match waiting.state {
            State::NotBefore(time) => Some(time),
            _ => None,
        });
        times.min()
    }

    /// Takes out what is answered for good; what is to be tried again stays, and is returned as `Err`.
    pub(super) fn answered(
        &mut self,
        handle: Handle,
        error: Option<&WireError>,
        now: Instant,
    ) -> Option<Result<Arc<Op>, Arc<Op>>> {
        let index = self.waiting.iter().position(|waiting| waiting.handle == handle)?;
        if let Some(error) = error.filter(|error| error.retryable) {
            let waiting = &mut self.waiting[index];
            let delay =
                error.retry_after_ms.map_or(RETRY_AFTER, |millis| Duration::from_millis(millis.into()));
            waiting.state = State::NotBefore(now + delay);
            return Some(Err(Arc::clone(&waiting.op)));
        }
        self.waiting.remove(index).map(|waiting| Ok(waiting.op))
    }

    /// The connection ended: everything that was under way is sent again.
    pub(super) fn disconnected(&mut self) {
        for waiting in &mut self.waiting {
            if let State::UnderWay(_) = waiting.state {
                waiting.state = State::Unsent;
            }
        }
    }
}

impl Waiting {
    /// Counts the attempt that is about to be made, in the command too where it says so.
    pub(super) fn begin_attempt(&mut self) -> Arc<Op> {
        self.attempt += 1;
        if self.attempt > 1
            && let Op::MessageSend(send) = Arc::make_mut(&mut self.op)
        {
            send.attempt = Some(self.attempt);
        }
        Arc::clone(&self.op)
    }

    pub(super) fn is_under_way(&mut self, id: CommandId) {
        self.state = State::UnderWay(id);
    }
}

/// Returns the room whose order a command belongs to.
fn room_of(op: &Op) -> Option<RoomId> {
    match op {
        Op::MessageSend(send) => Some(send.room),
        Op::MessageEdit(edit) => Some(edit.room),
        Op::MessageDelete(delete) => Some(delete.room),
        Op::ReactionSet(set) => Some(set.room),
        Op::PinSet(set) => Some(set.room),
        Op::MemberAdd(add) => Some(add.room),
        Op::MemberRemove(remove) => Some(remove.room),
        Op::MemberRole(role) => Some(role.room),
        Op::RoomUpdate(update) => Some(update.room),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::{ClientId, ErrorCode, MessageBody, MessageSend};
    use uuid::Uuid;

    fn message(room: u128, name: u128) -> Op {
        Op::MessageSend(Box::new(MessageSend {
            room: RoomId(Uuid::from_u128(room)),
            client_id: ClientId(Uuid::from_u128(name)),
            attempt: None,
            body: MessageBody::text("hello"),
            reply_to: None,
        }))
    }

    /// Sends all that is due, and returns name and attempt of each.
    fn send_due(outbox: &mut Outbox, now: Instant) -> Vec<(u128, Option<u32>)> {
        let mut sent = Vec::new();
        while let Some(waiting) = outbox.due(now) {
            let op = waiting.begin_attempt();
            waiting.is_under_way(1);
            let Op::MessageSend(message) = op.as_ref() else { panic!("only messages are submitted") };
            sent.push((message.client_id.0.as_u128(), message.attempt));
        }
        sent
    }

    #[test]
    fn a_message_that_is_put_off_holds_back_its_room_and_no_other() {
        let now = Instant::now();
        let mut outbox = Outbox::default();
        let first = outbox.push(message(1, 1)).unwrap();
        assert_eq!(send_due(&mut outbox, now), [(1, None)]);
        let busy = WireError::new(ErrorCode::Busy, "full").retry_after(50);
        assert!(outbox.answered(first, Some(&busy), now).unwrap().is_err());
        outbox.push(message(1, 2)).unwrap();
        outbox.push(message(2, 3)).unwrap();
        assert_eq!(send_due(&mut outbox, now), [(3, None)]);
        assert_eq!(outbox.next_due(), Some(now + Duration::from_millis(50)));
        assert_eq!(send_due(&mut outbox, now + Duration::from_millis(50)), [(1, Some(2)), (2, None)]);
    }

    #[test]
    fn after_a_break_everything_unanswered_goes_out_again_in_its_order() {
        let now = Instant::now();
        let mut outbox = Outbox::default();
        let handles: Vec<Handle> = (1..=3).map(|name| outbox.push(message(1, name)).unwrap()).collect();
        assert_eq!(send_due(&mut outbox, now), [(1, None), (2, None), (3, None)]);
        assert!(outbox.answered(handles[1], None, now).unwrap().is_ok());
        outbox.disconnected();
        assert_eq!(send_due(&mut outbox, now), [(1, Some(2)), (3, Some(2))]);
        let forbidden = WireError::new(ErrorCode::Forbidden, "no");
        assert!(
            outbox.answered(handles[0], Some(&forbidden), now).unwrap().is_ok(),
            "a refusal for good ends it"
        );
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn no_more_than_a_window_is_under_way_and_no_more_than_a_bound_waits() {
        let now = Instant::now();
        let mut outbox = Outbox::default();
        for name in 0..COMMANDS {
            outbox.push(message(1, name as u128)).unwrap();
        }
        assert_eq!(outbox.push(message(1, 0)), Err(Full));
        assert_eq!(send_due(&mut outbox, now).len(), IN_FLIGHT);
    }
}
