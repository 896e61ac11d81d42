//! Steps in their order, traces as many as are asked for, writes as far as they are noted.

use super::*;
use crate::clock::ManualClock;
use crate::random::SeededRandom;
use rookery_protocol::Timestamp;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Span>>);

impl Spans for Kept {
    fn finished(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }
}

impl Kept {
    fn take(&self) -> Vec<Span> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn tracer(ratio: f64) -> (Arc<Kept>, Arc<ManualClock>, Tracer) {
    let (kept, clock) = (Arc::new(Kept::default()), Arc::new(ManualClock::at(Timestamp(1_000))));
    let parts = TracerParts {
        spans: Arc::clone(&kept) as Arc<dyn Spans>,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::new(SeededRandom::new(1)),
        ratio,
    };
    (kept, clock, Tracer::new(parts))
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn steps_follow_each_other_without_a_gap_and_each_is_the_parent_of_the_next() {
    let (kept, clock, tracer) = tracer(1.0);
    let mut trace = tracer.begin().unwrap();
    trace.set_op("message.send");
    clock.advance(millis(2));
    trace.next(Step::Decode);
    clock.advance(millis(3));
    trace.pause();
    clock.advance(millis(5));
    trace.next(Step::Authorise);
    trace.fail("forbidden");
    drop(trace);
    let spans = kept.take();
    let told: Vec<_> = spans.iter().map(|span| (span.step, span.start, span.end)).collect();
    assert_eq!(
        told,
        [
            (Step::Receive, millis(1_000), millis(1_002)),
            (Step::Decode, millis(1_002), millis(1_005)),
            (Step::Authorise, millis(1_005), millis(1_010)),
        ]
    );
    assert_eq!(spans[0].parent, None);
    for two in spans.windows(2) {
        assert_eq!(two[1].parent, Some(two[0].context.span));
        assert_eq!(two[1].context.trace, two[0].context.trace);
    }
    let errors: Vec<_> = spans.iter().map(|span| span.error).collect();
    assert_eq!(errors, [None, None, Some("forbidden")]);
    assert!(spans.iter().all(|span| span.about.op == Some("message.send")));
}

#[test]
fn the_commands_of_one_message_have_a_trace_each_and_came_at_once() {
    let (kept, clock, tracer) = tracer(1.0);
    let mut reading = tracer.read().unwrap();
    clock.advance(millis(1));
    reading.decode();
    clock.advance(millis(2));
    for op in ["message.send", "typing.set"] {
        drop(reading.command(op, ConnectionId(3)));
    }
    let told: Vec<_> =
        kept.take().iter().map(|span| (span.about.op.unwrap(), span.step, span.start, span.end)).collect();
    let of = |op| {
        [
            (op, Step::Receive, millis(1_000), millis(1_001)),
            (op, Step::Decode, millis(1_001), millis(1_003)),
            (op, Step::Authorise, millis(1_003), millis(1_003)),
        ]
    };
    assert_eq!(told, [of("message.send"), of("typing.set")].concat());
}

#[test]
fn as_many_are_traced_as_were_asked_for() {
    let begun = |ratio| (0..10_000).filter(|_| tracer(ratio).2.begin().is_some()).count();
    assert_eq!(begun(0.0), 0);
    assert_eq!(begun(1.0), 10_000);
    let (_, _, some) = tracer(0.1);
    let some = (0..10_000).filter(|_| some.begin().is_some()).count();
    assert!((900..1_100).contains(&some), "{some} of 10000 at 0.1");
    assert!(Tracer::off().begin().is_none());
}

#[test]
fn strangers_have_no_more_traced_than_is_asked_for_and_the_trusted_do() {
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let incoming = Incoming::parse(text).unwrap();
    let (_, _, none) = tracer(0.0);
    assert!(none.begin_within(incoming, false).is_none());
    let trusted = none.begin_within(incoming, true).unwrap();
    assert_eq!((trusted.id(), trusted.parent), (incoming.context.trace, Some(incoming.context.span)));
    let (_, _, all) = tracer(1.0);
    assert!(all.begin_within(incoming, false).is_some());
    assert!(all.begin_within(Incoming { is_sampled: false, ..incoming }, true).is_none());
}

#[test]
fn another_node_goes_on_where_this_one_has_stopped() {
    let (kept, _, tracer) = tracer(1.0);
    let mut trace = tracer.begin().unwrap();
    trace.pause();
    let context = trace.context().unwrap();
    let mut there = tracer.go_on(&context.to_string()).unwrap();
    drop(trace);
    there.next(Step::Order);
    drop(there);
    let spans = kept.take();
    assert_eq!(spans.iter().map(|span| span.step).collect::<Vec<_>>(), [Step::Receive, Step::Order]);
    assert_eq!(spans[1].parent, Some(spans[0].context.span));
    assert!(tracer.go_on("what an older node does not say").is_none());
    assert!(Tracer::off().go_on(&context.to_string()).is_none());
}

#[test]
fn the_first_writes_are_noted_and_the_sender_s_own_and_no_others() {
    let (kept, clock, tracer) = tracer(1.0);
    let mut trace = tracer.read().unwrap().command("message.send", ConnectionId(40)).unwrap();
    let frame = Bytes::from(vec![7; 100]);
    assert!(!tracer.awaits_writes());
    trace.fan_out(vec![frame.clone()]);
    trace.fanned_out(41, 0);
    kept.take();
    clock.advance(millis(4));
    tracer.wrote(ConnectionId(0), &Bytes::from(vec![7; 100]));
    assert!(kept.take().is_empty(), "the same bytes of somebody else");
    for connection in 0..=40 {
        // Half of it was written before.
        tracer.wrote(ConnectionId(connection), &frame.slice(50..));
    }
    assert!(!tracer.awaits_writes());
    let spans = kept.take();
    let to: Vec<_> = spans.iter().map(|span| span.about.connection.unwrap().0).collect();
    assert_eq!(to, [0, 1, 2, 3, 4, 5, 6, 7, 40]);
    for span in &spans {
        assert_eq!((span.step, span.parent), (Step::Write, trace.context().map(|context| context.span)));
        assert_eq!(span.end.saturating_sub(span.start), millis(4));
    }
}

#[test]
fn what_nobody_takes_is_let_go_and_so_is_the_oldest_of_many() {
    let (kept, clock, tracer) = tracer(1.0);
    let fan_out = |frame: &Bytes| {
        let mut trace = tracer.begin().unwrap();
        trace.fan_out(vec![frame.clone()]);
        trace
    };
    fan_out(&Bytes::from(vec![1])).fanned_out(0, 0);
    assert!(!tracer.awaits_writes());
    let frames: Vec<_> = (0..65).map(|number| Bytes::from(vec![number])).collect();
    let fanned: Vec<_> = frames.iter().map(fan_out).collect();
    kept.take();
    for frame in &frames {
        tracer.wrote(ConnectionId(1), frame);
    }
    assert_eq!(kept.take().len(), 64);
    assert!(tracer.awaits_writes());
    clock.advance(millis(10_001));
    tracer.wrote(ConnectionId(1), &Bytes::from(vec![1]));
    assert!(!tracer.awaits_writes(), "who has not taken it by now is closed");
    drop(fanned);
}
