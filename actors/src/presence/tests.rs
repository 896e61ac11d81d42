//! Presence without sessions: who is told what, what it costs, and a reader that is slow.

use super::{Attendance, Known, Presence, Swept};
use bytes::Bytes;
use rookery_engine::bus::{self, Bus, MemoryBus, MemoryBuses, NodeId};
use rookery_engine::limits::{
    CLUSTER_BEAT, OUTBOX_SOFT_BYTES, PRESENCE_GRACE_SWEEPS, PRESENCE_WORK_PER_SWEEP,
};
use rookery_engine::{Connection, ConnectionId, ManualClock, Metrics};
use rookery_protocol::{
    CloseCode, Codec, Presence as Entry, PresenceState, Seen, ServerEvent, SessionId, Timestamp, UserId,
};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use uuid::Uuid;

pub(super) const NOW: Timestamp = Timestamp(1_790_000_000_000);

pub(super) const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128((0xb << 64) | number))
}

/// A connection with a client behind it, which keeps what it is told.
pub(super) struct Peer {
    pub(super) user: UserId,
    pub(super) attendance: Attendance,
    /// Whom it watches.
    pub(super) list: BTreeSet<UserId>,
    connection: Arc<Connection>,
    known: HashMap<UserId, Entry>,
}

impl Peer {
    pub(super) fn attend(presence: &Arc<Presence>, id: u64, user: UserId, session: u128) -> Self {
        let connection = Connection::new(ConnectionId(id), Codec::Json, Duration::ZERO);
        let session = SessionId(Uuid::from_u128(session));
        let attendance = presence.attend(&connection, user, session);
        Self { user, attendance, list: BTreeSet::new(), connection, known: HashMap::new() }
    }

    pub(super) fn id(&self) -> u64 {
        self.connection.id().0
    }

    pub(super) fn hang_up(self, code: CloseCode) {
        self.connection.close(code, None, Duration::ZERO);
    }

    /// Watches `users`, of whom the store knows nothing.
    fn watch(&mut self, users: impl IntoIterator<Item = UserId>) {
        self.list = users.into_iter().collect();
        let asked = self.attendance.watch(self.list.iter().copied().collect());
        let mut told = Vec::new();
        asked.answer(&Known::default(), |presences| told = presences.users);
        self.reply(told);
    }

    /// Takes an answer to a list; it comes behind what waits in the outbox.
    pub(super) fn reply(&mut self, users: Vec<Entry>) {
        let event = ServerEvent::Presence { users };
        let payload = Codec::Json.encode(&event).expect("it encodes");
        self.connection.push_encoded(rookery_protocol::websocket_frame(Codec::Json, &payload));
    }

    /// Reads all that waits. Returns the events about presence, each as its entries.
    fn take(&mut self) -> Vec<Vec<Entry>> {
        let mut frames = VecDeque::new();
        let outbox = self.connection.outbox();
        outbox.poll_take(&Context::from_waker(Waker::noop()), &mut frames, Duration::ZERO);
        outbox.wrote(frames.len(), frames.iter().map(Bytes::len).sum(), Duration::ZERO);
        let mut told = Vec::new();
        for frame in frames {
            let Some(start) = frame.iter().position(|byte| *byte == b'{') else { continue };
            let event = Codec::Json.decode(&frame[start..]).expect("an event");
            let ServerEvent::Presence { users } = event else { panic!("{event:?}") };
            self.known.extend(users.iter().map(|entry| (entry.user, entry.clone())));
            told.push(users);
        }
        told
    }

    pub(super) fn read(&mut self) {
        drop(self.take());
    }

    /// Has more wait for it than a signal may.
    pub(super) fn clog(&self) {
        self.connection.outbox().push_event(Bytes::from(vec![0; OUTBOX_SOFT_BYTES + 1]));
    }

    pub(super) fn knows(&self, user: UserId) -> (Seen, Option<Timestamp>, Option<String>) {
        let entry = self.known.get(&user).expect("it was told");
        (entry.state, entry.last_seen, entry.status.clone())
    }
}

/// Lets node `number` join.
pub(super) fn join(buses: &MemoryBuses, number: u8) -> Arc<MemoryBus> {
    let (id, text) = (NodeId(Uuid::from_u128(u128::from(number))), String::new);
    buses.join(bus::Peer { id, name: text(), url: text(), connections: 0, capacity: 0, is_draining: false })
}

/// Returns the presence of a node.
pub(super) fn presence_on(bus: &dyn Bus, clock: Arc<ManualClock>) -> Arc<Presence> {
    Presence::new(clock, Arc::new(Metrics::none()), bus, CLUSTER_BEAT)
}

fn presence() -> Arc<Presence> {
    presence_on(&*join(&MemoryBuses::new(), 1), Arc::new(ManualClock::at(NOW)))
}

fn states(told: &[Vec<Entry>]) -> Vec<Vec<Seen>> {
    told.iter().map(|users| users.iter().map(|entry| entry.state).collect()).collect()
}

#[test]
fn cost_grows_with_watchers_and_not_with_members() {
    let presence = presence();
    let members: Vec<_> =
        (0..10_000).map(|id| Peer::attend(&presence, id, user(u128::from(id)), 0)).collect();
    let mut watchers: Vec<_> =
        (0..10).map(|id| Peer::attend(&presence, 20_000 + id, user(50_000 + u128::from(id)), 0)).collect();
    assert_eq!(presence.sweep(), Swept::default(), "everybody came, and nobody watched");
    for watcher in &mut watchers {
        watcher.watch((0..5).map(user));
        watcher.read();
    }
    for member in &members {
        member.attendance.set(PresenceState::Away, None);
    }
    // Of 10,000 that changed, five are watched, by ten connections each; each of those is told once.
    assert_eq!(presence.sweep(), Swept { changed: 5, marked: 50, events: 10, entries: 50, gone: 0, held: 0 });
    for watcher in &mut watchers {
        assert_eq!(states(&watcher.take()), [[Seen::Away; 5]]);
    }
    assert_eq!(presence.sweep(), Swept::default());
    drop(members);
    for _ in 1..PRESENCE_GRACE_SWEEPS {
        assert_eq!(presence.sweep(), Swept::default(), "they may come back");
    }
    assert_eq!(
        presence.sweep(),
        Swept { gone: 10_000, changed: 5, marked: 50, events: 10, entries: 50, held: 0 }
    );
    let known: usize = presence.people.iter().map(|shard| super::lock(shard).len()).sum();
    assert_eq!(known, 10 + 5, "the watchers, and those whom they watch");
}

#[test]
fn a_sweep_does_no_more_than_its_budget_and_the_next_one_goes_on() {
    let presence = presence();
    let stars: Vec<_> = (0..4).map(|id| Peer::attend(&presence, id, user(u128::from(id)), 0)).collect();
    let mut fans: Vec<_> = (0..10_000).map(|id| Peer::attend(&presence, 10 + id, user(99), 0)).collect();
    for fan in &mut fans {
        fan.watch((0..4).map(user));
        fan.read();
    }
    for star in &stars {
        star.attendance.set(PresenceState::Away, None);
    }
    let first = presence.sweep();
    assert_eq!((first.changed, first.marked), (2, PRESENCE_WORK_PER_SWEEP));
    let mut swept = first;
    while swept != Swept::default() {
        assert!(swept.marked <= PRESENCE_WORK_PER_SWEEP, "{swept:?}");
        assert!((1..PRESENCE_WORK_PER_SWEEP + 4).contains(&swept.entries), "{swept:?}");
        fans.iter_mut().for_each(Peer::read);
        swept = presence.sweep();
    }
    for fan in &fans {
        assert!((0..4).all(|star| fan.knows(user(star)).0 == Seen::Away));
    }
}

#[test]
fn a_slow_watcher_is_told_nothing_for_a_while_and_ends_right() {
    let presence = presence();
    let bob = Peer::attend(&presence, 1, user(1), 0);
    let mut alice = Peer::attend(&presence, 2, user(2), 0);
    alice.watch([user(1)]);
    alice.clog();
    for state in [PresenceState::Away, PresenceState::Online, PresenceState::Away] {
        bob.attendance.set(state, None);
        let swept = presence.sweep();
        assert_eq!((swept.events, swept.held), (0, 1));
    }
    alice.read();
    assert_eq!(presence.sweep().events, 1);
    assert_eq!(states(&alice.take()), [[Seen::Away]], "the state there is now, once");
    assert_eq!(presence.sweep(), Swept::default());
}

#[test]
fn an_event_that_was_not_taken_is_replaced_by_one_that_says_it_too() {
    let presence = presence();
    let (bob, carol) = (Peer::attend(&presence, 1, user(1), 0), Peer::attend(&presence, 2, user(2), 0));
    let mut alice = Peer::attend(&presence, 3, user(3), 0);
    alice.watch([user(1), user(2)]);
    alice.read();
    bob.attendance.set(PresenceState::Away, None);
    assert_eq!(presence.sweep().events, 1);
    carol.attendance.set(PresenceState::Invisible, None);
    assert_eq!(presence.sweep().events, 1);
    let mut told = alice.take();
    told[0].sort_by_key(|entry| entry.user);
    assert_eq!(states(&told), [[Seen::Away, Seen::Offline]], "one event waits, not two");
}

#[test]
fn long_statuses_are_told_over_several_sweeps() {
    let presence = presence();
    let others: Vec<_> = (0..200).map(|id| Peer::attend(&presence, id, user(u128::from(id)), 0)).collect();
    let mut alice = Peer::attend(&presence, 999, user(999), 0);
    alice.watch((0..200).map(user));
    alice.read();
    for other in &others {
        other.attendance.set(PresenceState::Online, Some("\u{1f43f}".repeat(128)));
    }
    let mut told = 0;
    let mut sweeps = 0;
    while told < 200 {
        assert_eq!(presence.sweep().events, 1);
        let users = alice.take().concat();
        let bytes = Codec::Json.encode(&users).expect("it encodes").len();
        assert!(bytes <= OUTBOX_SOFT_BYTES / 2, "{bytes} bytes");
        told += users.len();
        sweeps += 1;
    }
    assert!(told == 200 && sweeps > 1, "{told} users in {sweeps} events");
}

#[test]
fn two_who_are_hidden_from_each_other_see_nothing_until_they_are_not() {
    let presence = presence();
    let mut bob = Peer::attend(&presence, 1, user(1), 0);
    let mut alice = Peer::attend(&presence, 2, user(2), 0);
    alice.watch([user(1)]);
    bob.watch([user(2)]);
    presence.hide(user(1), user(2));
    assert_eq!(presence.sweep().events, 2);
    for (peer, other) in [(&mut alice, user(1)), (&mut bob, user(2))] {
        peer.read();
        assert_eq!(peer.knows(other), (Seen::Offline, None, None));
    }
    bob.attendance.set(PresenceState::Away, Some("busy".to_owned()));
    assert_eq!(presence.sweep().events, 0);
    presence.unhide(user(2), user(1));
    assert_eq!(presence.sweep().events, 2);
    alice.read();
    assert_eq!(alice.knows(user(1)), (Seen::Away, Some(NOW), Some("busy".to_owned())));
}

#[test]
fn what_is_hidden_while_a_list_waits_for_its_answer_stays_hidden() {
    let presence = presence();
    let _bob = Peer::attend(&presence, 1, user(1), 0);
    let mut alice = Peer::attend(&presence, 2, user(2), 0);
    let asked = alice.attendance.watch(vec![user(1)]);
    presence.hide(user(1), user(2));
    let mut told = Vec::new();
    asked.answer(&Known::default(), |presences| told = presences.users);
    alice.reply(told);
    alice.read();
    assert_eq!(alice.knows(user(1)), (Seen::Offline, None, None));
}

#[test]
fn of_two_lists_the_later_one_counts_whichever_is_answered_first() {
    let presence = presence();
    let (bob, carol) = (Peer::attend(&presence, 1, user(1), 0), Peer::attend(&presence, 2, user(2), 0));
    let mut alice = Peer::attend(&presence, 3, user(3), 0);
    let (first, second) = (alice.attendance.watch(vec![user(1)]), alice.attendance.watch(vec![user(2)]));
    second.answer(&Known::default(), |presences| assert_eq!(presences.users.len(), 1));
    first.answer(&Known::default(), |presences| assert_eq!(presences.users, []));
    bob.attendance.set(PresenceState::Away, None);
    carol.attendance.set(PresenceState::Away, None);
    presence.sweep();
    let told = alice.take().concat();
    assert_eq!(told.iter().map(|entry| entry.user).collect::<Vec<_>>(), [user(2)]);
    // A list that could not be answered leaves nobody watched, unless a later one was asked for.
    let (third, fourth) = (alice.attendance.watch(vec![user(1)]), alice.attendance.watch(vec![user(1)]));
    fourth.answer(&Known::default(), drop);
    third.refuse();
    bob.attendance.set(PresenceState::Online, None);
    assert_eq!(presence.sweep().events, 1);
    alice.attendance.watch(vec![user(1)]).refuse();
    bob.attendance.set(PresenceState::Away, None);
    assert_eq!(presence.sweep().events, 0);
}

#[test]
fn somebody_who_comes_to_be_invisible_leaves_no_trace() {
    let presence = presence();
    let mut alice = Peer::attend(&presence, 1, user(1), 0);
    alice.watch([user(2)]);
    alice.read();
    let bob = Peer::attend(&presence, 2, user(2), 0);
    bob.attendance.set(PresenceState::Invisible, Some("shh".to_owned()));
    assert_eq!(presence.sweep().events, 0);
    drop(bob);
    // It comes back within the grace as it went.
    let bob = Peer::attend(&presence, 3, user(2), 0);
    assert_eq!(presence.sweep().events, 0);
    bob.attendance.set(PresenceState::Online, None);
    assert_eq!(presence.sweep().events, 1);
    bob.attendance.set(PresenceState::Invisible, None);
    presence.sweep();
    alice.read();
    assert_eq!(alice.knows(user(2)), (Seen::Offline, Some(NOW), None), "it was seen to be there");
}
