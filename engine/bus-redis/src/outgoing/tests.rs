//! What is told, in which order, and what is not.

use super::*;

const ME: NodeId = NodeId(Uuid::from_u128(1));
const OTHER: NodeId = NodeId(Uuid::from_u128(2));

fn frame(bytes: usize) -> Bytes {
    Bytes::from(vec![7; bytes])
}

/// Returns the kinds and counts of the frames of a batch.
fn told(batch: &Batch) -> Vec<(Kind, u64, u64)> {
    let envelopes = batch.frames.iter().map(|(_, bytes)| Envelope::decode(Bytes::from(bytes.clone())));
    envelopes.map(|one| one.expect("it is one")).map(|one| (one.kind, one.broadcasts, one.directs)).collect()
}

#[test]
fn what_is_refused_is_counted() {
    let outgoing = Outgoing::new(ME);
    assert!(!outgoing.frame(To::One(OTHER), frame(1)), "no session yet");
    outgoing.open(1);
    assert!(outgoing.frame(To::One(OTHER), frame(1)) && outgoing.frame(To::All, frame(1)));
    assert_eq!(told(&outgoing.take()), [(Kind::One, 0, 2), (Kind::All, 1, 0)]);
    outgoing.interrupt();
    assert!(!outgoing.frame(To::All, frame(1)));
    outgoing.open(2);
    outgoing.beacon(Kind::Beacon);
    assert_eq!(told(&outgoing.take()), [(Kind::Beacon, 2, 0)]);
    assert!(!outgoing.frame(To::All, frame(BUS_FRAME + 1)));
    outgoing.close();
    assert!(!outgoing.frame(To::All, frame(1)));
}

#[test]
fn frames_are_bounded_in_number_and_bytes() {
    for (bytes, most) in [(10, BUS_WAITING_FRAMES), (BUS_FRAME, BUS_WAITING_BYTES / BUS_FRAME)] {
        let outgoing = Outgoing::new(ME);
        outgoing.open(1);
        assert!((0..most).all(|_| outgoing.frame(To::All, frame(bytes))));
        assert!(!outgoing.frame(To::All, frame(bytes)));
        let batch = outgoing.take();
        assert_eq!(batch.frames.len(), if bytes == BUS_FRAME { 1 } else { BATCH_FRAMES });
        assert!(outgoing.frame(To::All, frame(bytes)));
        outgoing.interrupt();
        assert_eq!(outgoing.take(), Batch::default());
        outgoing.open(2);
        assert!((0..most).all(|_| outgoing.frame(To::All, frame(bytes))));
    }
}

#[test]
fn no_frame_overtakes_a_value() {
    let outgoing = Outgoing::new(ME);
    outgoing.open(1);
    for key in 0..=BATCH_VALUES as u128 {
        outgoing.value(Uuid::from_u128(key), Some(frame(1)));
    }
    assert!(outgoing.frame(To::All, frame(1)));
    let (first, second) = (outgoing.take(), outgoing.take());
    assert_eq!((first.values.len(), first.frames.len()), (BATCH_VALUES, 0));
    assert_eq!((second.values.len(), second.frames.len()), (1, 1));
    assert_eq!(outgoing.take(), Batch::default());
}

#[test]
fn values_are_told_again_to_a_new_session_with_those_that_went() {
    let outgoing = Outgoing::new(ME);
    let (kept, gone) = (Uuid::from_u128(1), Uuid::from_u128(2));
    outgoing.value(kept, Some(frame(1)));
    outgoing.value(gone, Some(frame(2)));
    outgoing.open(1);
    assert_eq!(outgoing.take().values.len(), 2);
    outgoing.interrupt();
    outgoing.value(gone, None);
    outgoing.open(2);
    let mut batch = outgoing.take();
    batch.values.sort();
    assert_eq!(batch.values, [(kept, Some(frame(1))), (gone, None)]);
    assert!(!batch.clears);
}

#[test]
fn a_long_absence_ends_with_all_values_anew() {
    let outgoing = Outgoing::new(ME);
    outgoing.value(Uuid::nil(), Some(frame(1)));
    for key in 1..=CHANGED_KEYS as u128 {
        outgoing.value(Uuid::from_u128(key), None);
    }
    outgoing.open(1);
    let batch = outgoing.take();
    assert_eq!((batch.clears, batch.values), (true, vec![(Uuid::nil(), Some(frame(1)))]));
}
