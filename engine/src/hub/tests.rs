//! What a listener hears is the same whoever tells it, and whoever comes in between.

mod model;

use super::*;
use crate::connection::Connection;
use crate::limits::{OUTBOX_HARD_BYTES, RELAY_WAITING};
use bytes::Bytes;
use rookery_protocol::{Codec, Event, EventBody, Frame, Head, MessageBody, ServerEvent, Timestamp, UserId};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use uuid::Uuid;

const ROOM: RoomId = RoomId(Uuid::nil());

fn listener(number: u64) -> Listener {
    let connection = Connection::new(ConnectionId(number), Codec::Json, Duration::ZERO);
    Listener { user: UserId(Uuid::from_u128(u128::from(number % 4))), connection }
}

fn event(seq: u64, text: &str) -> Frame {
    Frame::event(Event {
        room: ROOM,
        seq: Seq(seq),
        ord: seq,
        at: Timestamp(1),
        by: UserId(Uuid::nil()),
        client_id: None,
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text(text)),
    })
}

fn lagged(seq: u64) -> Frame {
    Frame::server(ServerEvent::RoomLagged { room: ROOM, head: Head { seq: Seq(seq), ..Head::default() } })
}

fn removed(seq: u64) -> Frame {
    Frame::server(ServerEvent::RoomRemoved { room: ROOM, seq: Seq(seq) })
}

/// Takes all that waits for a listener, as its socket would.
fn take(listener: &Listener) -> Vec<Bytes> {
    let mut frames = VecDeque::new();
    let outbox = listener.connection.outbox();
    outbox.poll_take(&Context::from_waker(Waker::noop()), &mut frames, Duration::ZERO);
    outbox.wrote(frames.len(), frames.iter().map(Bytes::len).sum(), Duration::ZERO);
    frames.into()
}

fn said(frames: &[Frame]) -> Vec<Bytes> {
    frames.iter().map(|frame| frame.bytes(Codec::Json)).collect()
}

/// An audience in slices, of these listeners.
fn divided(listeners: &[Listener]) -> Audience {
    let audience = Audience::default();
    for listener in listeners {
        audience.attach(listener.clone());
    }
    assert!(audience.fit(2), "it is too large for one slice");
    audience
}

fn publish(audience: &Audience, seq: u64) -> Published {
    audience.publish(&event(seq, "hi"), || lagged(seq), || Box::new(|_| {}))
}

/// Panics once, where it is woken.
struct Breaks(AtomicBool);

impl Wake for Breaks {
    fn wake(self: Arc<Self>) {
        if !self.0.swap(true, Ordering::SeqCst) {
            // As a panic, but without a word of it.
            std::panic::resume_unwind(Box::new("the test broke the socket's task"));
        }
    }
}

/// Has whoever tells `listener` next panic, once it has been told.
fn break_next(listener: &Listener) {
    let waker = Waker::from(Arc::new(Breaks(AtomicBool::new(false))));
    listener.connection.outbox().wake_with(&Context::from_waker(&waker));
}

#[test]
fn a_small_audience_is_told_at_once_and_a_large_one_by_its_relays() {
    let listeners: Vec<_> = (1..=3).map(listener).collect();
    let audience = Audience::default();
    audience.attach(listeners[0].clone());
    assert!(!audience.fit(1));
    assert_eq!(publish(&audience, 1), Published::Told(FanOut { queued: 1, lagged: 0 }));
    for listener in &listeners {
        audience.attach(listener.clone());
    }
    assert!(audience.fit(1));
    assert_eq!(publish(&audience, 2), Published::Waits { full: 0 });
    assert!(audience.is_being_told());
    assert_eq!(take(&listeners[2]), said(&[]));
    let slices = audience.slices().expect("there are slices");
    assert_eq!(slices.len(), 4);
    for slice in slices.iter() {
        assert!(slice.calls());
        assert!(!slice.calls(), "it is on its way");
        slice.relay();
        assert!(slice.calls());
    }
    assert_eq!(take(&listeners[0]), said(&[event(1, "hi"), event(2, "hi")]));
    assert_eq!(take(&listeners[2]), said(&[event(2, "hi")]));
}

#[test]
fn slices_are_even_and_change_with_their_listeners_but_not_with_each() {
    let audience = Audience::default();
    // As they come where every user has two connections and one of them opens the room.
    for number in 0..10_000 {
        audience.attach(listener(2 * number));
        audience.fit(1024);
    }
    let slices = audience.slices().expect("there are slices");
    assert_eq!((slices.len(), audience.len()), (16, 10_000));
    let largest = slices.iter().map(|slice| slice.len()).max();
    assert!(largest <= Some(1024), "{largest:?}");
    for number in 4096..10_000 {
        assert!(audience.detach(ConnectionId(2 * number)));
    }
    assert!(!audience.fit(1024), "a quarter full");
    assert!(audience.detach(ConnectionId(0)));
    assert!(audience.fit(1024));
    assert_eq!(audience.slices().map(|slices| slices.len()), Some(8));
    assert_eq!((audience.len(), audience.connections().len()), (4095, 4095));
    audience.dismiss(&lagged(1));
    assert!(audience.is_empty() && audience.slices().is_none());
}

#[test]
fn for_one_publication_too_many_the_slice_is_told_at_once_and_nothing_is_lost() {
    let listeners: Vec<_> = (1..=4).map(listener).collect();
    let audience = divided(&listeners);
    let waiting = RELAY_WAITING as u64;
    for seq in 1..=waiting {
        assert_eq!(publish(&audience, seq), Published::Waits { full: 0 });
    }
    assert_eq!(take(&listeners[0]), said(&[]));
    assert_eq!(publish(&audience, waiting + 1), Published::Waits { full: 2 });
    let all: Vec<_> = (1..=waiting + 1).map(|seq| event(seq, "hi")).collect();
    assert_eq!(take(&listeners[0]), said(&all[..RELAY_WAITING]));
    audience.catch_up();
    assert_eq!(take(&listeners[0]), said(&all[RELAY_WAITING..]));
}

#[test]
fn what_was_published_before_comes_before_whatever_is_done_to_a_listener() {
    let listeners: Vec<_> = (1..=8).map(listener).collect();
    let audience = divided(&listeners[..7]);
    publish(&audience, 1);
    audience.attach(listeners[7].clone());
    assert!(audience.detach(listeners[0].connection.id()));
    audience.remove(listeners[2].user, &removed(1));
    publish(&audience, 2);
    assert!(!audience.hears(listeners[2].connection.id()));
    let heard: Vec<_> = listeners.iter().inspect(|_| audience.catch_up()).map(take).collect();
    assert_eq!(heard[7], said(&[event(2, "hi")]), "it came after the first");
    assert_eq!(heard[0], said(&[event(1, "hi")]), "it went after the first");
    assert_eq!(heard[2], said(&[event(1, "hi"), removed(1)]), "it was removed after the first");
    assert_eq!(heard[6], heard[2], "of the same user");
    assert_eq!(heard[1], said(&[event(1, "hi"), event(2, "hi")]));
}

#[test]
fn whoever_tells_the_last_one_says_what_came_of_it() {
    let listeners: Vec<_> = (1..=4).map(listener).collect();
    let audience = divided(&listeners);
    listeners[1].connection.outbox().push_event(Bytes::from(vec![0; OUTBOX_HARD_BYTES]));
    let done = Arc::new(Mutex::new(Vec::new()));
    let later = |what| {
        let done = Arc::clone(&done);
        Box::new(move |fan_out| done.lock().unwrap().push((what, fan_out))) as Told
    };
    audience.publish(&event(1, "hi"), || lagged(1), || later("event"));
    audience.mark(|| later("mark"));
    let slices = audience.slices().expect("there are slices");
    slices[0].relay();
    assert_eq!(*done.lock().unwrap(), []);
    slices[1].relay();
    let event = FanOut { queued: 3, lagged: 1 };
    assert_eq!(*done.lock().unwrap(), [("event", event), ("mark", FanOut::default())]);
    assert_eq!(audience.len(), 3);
}

#[test]
fn a_relay_that_fails_in_the_middle_leaves_the_rest_to_the_next_one() {
    let listeners: Vec<_> = (1..=6).map(listener).collect();
    let audience = divided(&listeners);
    publish(&audience, 1);
    audience.remove(listeners[0].user, &removed(1));
    publish(&audience, 2);
    let expected: Vec<_> = [true, false, false, false, true, false]
        .map(|is_removed| {
            if is_removed {
                said(&[event(1, "hi"), removed(1)])
            } else {
                said(&[event(1, "hi"), event(2, "hi")])
            }
        })
        .into();
    let mut failed = 0;
    listeners.iter().for_each(break_next);
    for slice in audience.slices().expect("there are slices").iter() {
        while std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slice.relay())).is_err() {
            failed += 1;
        }
    }
    assert_eq!(failed, 6, "each of them broke once");
    assert_eq!(listeners.iter().map(take).collect::<Vec<_>>(), expected);
    assert_eq!(audience.len(), 4);
}
