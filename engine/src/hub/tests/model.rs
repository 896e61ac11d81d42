//! An audience, however it is divided and whoever tells it when, against one that tells everybody at once.

use super::*;
use crate::limits::OUTBOX_SOFT_BYTES;
use crate::outbox::EphemeralKey;
use proptest::collection::vec;
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

const CONNECTIONS: usize = 10;

#[derive(Clone, Debug)]
enum Op {
    Attach(usize),
    Detach(usize),
    Hears(usize),
    Close(usize),
    Take(usize),
    /// The next one who tells this connection panics.
    Break(usize),
    /// A text of so many bytes.
    Publish(usize),
    Signal(u64, usize),
    Remove(usize),
    Mark,
    Dismiss,
    Fit(usize),
    Relay(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let one = || 0..CONNECTIONS;
    prop_oneof![
        6 => one().prop_map(Op::Attach),
        2 => one().prop_map(Op::Detach),
        1 => one().prop_map(Op::Hears),
        1 => one().prop_map(Op::Close),
        2 => one().prop_map(Op::Take),
        1 => one().prop_map(Op::Break),
        6 => prop_oneof![6 => Just(5), 1 => Just(20_000), 1 => Just(300_000)].prop_map(Op::Publish),
        3 => (1..3_u64, one()).prop_map(|(key, besides)| Op::Signal(key, besides)),
        1 => one().prop_map(Op::Remove),
        1 => Just(Op::Mark),
        1 => prop_oneof![9 => Just(Op::Mark), 1 => Just(Op::Dismiss)],
        2 => (1..6_usize).prop_map(Op::Fit),
        4 => (0..16_usize).prop_map(Op::Relay),
    ]
}

/// What a connection should have been queued.
#[derive(Default)]
struct Modelled {
    listens: bool,
    is_closing: bool,
    queued: Vec<(Bytes, Option<EphemeralKey>)>,
}

impl Modelled {
    fn bytes(&self) -> usize {
        self.queued.iter().map(|(frame, _)| frame.len()).sum()
    }

    fn push(&mut self, frame: &Frame, key: Option<EphemeralKey>) {
        if !self.is_closing {
            self.queued.push((frame.bytes(Codec::Json), key));
        }
    }

    fn hear(&mut self, event: &Frame, lagged: &Frame, done: &mut FanOut) {
        if self.is_closing {
            self.listens = false;
        } else if self.bytes() + event.bytes(Codec::Json).len() > OUTBOX_HARD_BYTES {
            done.lagged += 1;
            self.listens = false;
            self.push(lagged, None);
        } else {
            done.queued += 1;
            self.push(event, None);
        }
    }

    fn signal(&mut self, key: EphemeralKey, signal: &Frame, done: &mut FanOut) {
        if self.is_closing {
            return;
        }
        let older = self.queued.iter().position(|(_, of)| *of == Some(key));
        if older.is_none() && self.bytes() + signal.bytes(Codec::Json).len() > OUTBOX_SOFT_BYTES {
            done.lagged += 1;
            return;
        }
        older.map(|older| self.queued.remove(older));
        done.queued += 1;
        self.push(signal, Some(key));
    }
}

/// Does something until nothing panics in it.
fn again<T>(mut what: impl FnMut() -> T) -> T {
    loop {
        if let Ok(done) = catch_unwind(AssertUnwindSafe(&mut what)) {
            return done;
        }
    }
}

struct Both {
    audience: Audience,
    listeners: Vec<Listener>,
    model: Vec<Modelled>,
    seq: u64,
    /// What publications did, by their numbers, as it was said and as it should be.
    done: Arc<Mutex<Vec<(u64, FanOut)>>>,
    expected: Vec<(u64, FanOut)>,
}

impl Both {
    fn new() -> Self {
        Self {
            audience: Audience::default(),
            listeners: (0..CONNECTIONS as u64).map(listener).collect(),
            model: std::iter::repeat_with(Modelled::default).take(CONNECTIONS).collect(),
            seq: 0,
            done: Arc::default(),
            expected: Vec::new(),
        }
    }

    fn later(&self) -> Told {
        let (done, seq) = (Arc::clone(&self.done), self.seq);
        Box::new(move |fan_out| done.lock().unwrap().push((seq, fan_out)))
    }

    fn published(&mut self, published: Published, expected: FanOut) {
        if let Published::Told(done) = published {
            self.done.lock().unwrap().push((self.seq, done));
        }
        self.expected.push((self.seq, expected));
    }

    /// Has nobody panic.
    fn mend(&self) {
        for listener in &self.listeners {
            listener.connection.outbox().wake_with(&Context::from_waker(Waker::noop()));
        }
    }

    fn take(&mut self, index: usize) {
        again(|| self.audience.hears(self.listeners[index].connection.id()));
        let expected: Vec<_> = self.model[index].queued.drain(..).map(|(frame, _)| frame).collect();
        assert_eq!(take(&self.listeners[index]), expected, "connection {index}");
    }

    fn step(&mut self, op: &Op) {
        self.seq += 1;
        if matches!(op, Op::Dismiss | Op::Close(_)) {
            // Whom it cannot tell hears the notice alone, and closing wakes too.
            self.mend();
        }
        let (seq, audience) = (self.seq, &self.audience);
        let listening = self.model.iter_mut().filter(|model| model.listens);
        let mut done = FanOut::default();
        match *op {
            Op::Attach(index) => {
                again(|| audience.attach(self.listeners[index].clone()));
                self.model[index].listens = !self.model[index].is_closing;
            }
            Op::Detach(index) => {
                let did = again(|| audience.detach(self.listeners[index].connection.id()));
                assert_eq!(std::mem::take(&mut self.model[index].listens), did);
            }
            Op::Hears(index) => {
                let hears = again(|| audience.hears(self.listeners[index].connection.id()));
                assert_eq!(hears, self.model[index].listens);
            }
            Op::Close(index) => {
                // What is on its way is lost for it: whoever closes does not care.
                again(|| audience.catch_up());
                self.listeners[index].connection.outbox().close(rookery_protocol::CloseCode::Normal, None);
                self.model[index].is_closing = true;
            }
            Op::Take(index) => self.take(index),
            Op::Break(index) => {
                if audience.slices().is_some() {
                    break_next(&self.listeners[index]);
                }
            }
            Op::Publish(bytes) => {
                let (event, lagged) = (event(seq, &"x".repeat(bytes)), lagged(seq));
                listening.for_each(|model| model.hear(&event, &lagged, &mut done));
                let published = audience.publish(&event, || lagged.clone(), || self.later());
                self.published(published, done);
            }
            Op::Signal(key, besides) => {
                let (key, signal) = (EphemeralKey::new(key).unwrap(), lagged(seq));
                let besides = self.listeners[besides].user;
                let meant = self.listeners.iter().map(|listener| listener.user != besides);
                let meant: Vec<_> = meant.collect();
                for (model, is_meant) in self.model.iter_mut().zip(meant) {
                    if model.listens && is_meant {
                        model.signal(key, &signal, &mut done);
                    }
                }
                let published = audience.signal(key, &signal, Some(besides), || self.later());
                self.published(published, done);
            }
            Op::Remove(index) => {
                let (user, notice) = (self.listeners[index].user, removed(seq));
                for (model, listener) in self.model.iter_mut().zip(&self.listeners) {
                    if model.listens && listener.user == user {
                        model.listens = false;
                        model.push(&notice, None);
                    }
                }
                audience.remove(user, &notice);
            }
            Op::Mark => {
                let published = audience.mark(|| self.later());
                self.published(published, done);
            }
            Op::Dismiss => {
                for model in listening {
                    model.listens = false;
                    model.push(&lagged(seq), None);
                }
                self.audience.dismiss(&lagged(seq));
            }
            Op::Fit(slice) => {
                again(|| audience.fit(slice));
                // One list is told by the room, whose failure is its listeners' too.
                self.mend();
            }
            Op::Relay(index) => {
                if let Some(slices) = audience.slices() {
                    drop(catch_unwind(AssertUnwindSafe(|| slices[index % slices.len()].relay())));
                }
            }
        }
    }

    fn compare(mut self, counts: bool) {
        again(|| self.audience.catch_up());
        let listen = self.model.iter().filter(|model| model.listens).count();
        assert_eq!((self.audience.len(), self.audience.connections().len()), (listen, listen));
        (0..CONNECTIONS).for_each(|index| self.take(index));
        let mut done = std::mem::take(&mut *self.done.lock().unwrap());
        done.sort_unstable_by_key(|(seq, _)| *seq);
        if counts {
            assert_eq!(done, self.expected);
        } else {
            let numbers = |all: &[(u64, FanOut)]| all.iter().map(|(seq, _)| *seq).collect::<Vec<_>>();
            assert_eq!(numbers(&done), numbers(&self.expected));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_hears_what_they_would_if_everybody_were_told_at_once(ops in vec(op(), 1..80)) {
        let mut both = Both::new();
        for op in ops {
            both.step(&op);
        }
        // Whom a panic hit was told, and is not counted.
        both.compare(false);
    }

    #[test]
    fn what_is_counted_is_what_was_told(ops in vec(op(), 1..80)) {
        let mut both = Both::new();
        for op in ops.iter().filter(|op| !matches!(op, Op::Break(_))) {
            both.step(op);
        }
        both.compare(true);
    }
}
