//! Gaps, late comers and restarts, as a receiver sees them.

use super::*;
use crate::envelope::counts;
use rookery_engine::bus;
use uuid::Uuid;

const ME: NodeId = NodeId(Uuid::from_u128(1));
const SENDER: NodeId = NodeId(Uuid::from_u128(2));

fn said(kind: Kind, session: u32, broadcasts: u64, directs: u64) -> Bytes {
    let frame = match kind {
        Kind::One | Kind::All => Bytes::from(format!("{broadcasts}/{directs}")),
        Kind::Beacon | Kind::Look => counts([(&ME, &directs)].into_iter()),
    };
    Bytes::from(Envelope { kind, session, from: SENDER, broadcasts, directs, frame }.encode())
}

/// Returns what a node hears of all this, a loss as an empty text.
async fn heard(all: &[Bytes]) -> Vec<String> {
    let hearing = Hearing::new(ME);
    for bytes in all {
        hearing.take(bytes.clone());
    }
    hearing.inbox.frame(ME, Bytes::from_static(b"end"));
    let mut texts = Vec::new();
    loop {
        match hearing.inbox.hear().await {
            bus::Heard::Frame { from: ME, .. } => return texts,
            bus::Heard::Frame { frame, .. } => texts.push(String::from_utf8_lossy(&frame).into_owned()),
            bus::Heard::Lost => texts.push(String::new()),
        }
    }
}

use Kind::{All, Beacon, Look, One};

#[tokio::test]
async fn frames_in_order_are_heard_without_a_loss() {
    let all = [said(All, 1, 1, 0), said(One, 1, 1, 1), said(Beacon, 1, 1, 1), said(One, 1, 1, 2)];
    assert_eq!(heard(&all).await, ["1/0", "1/1", "1/2"]);
}

#[tokio::test]
async fn whoever_comes_later_misses_no_broadcast_of_before() {
    assert_eq!(heard(&[said(All, 1, 57, 0), said(All, 1, 58, 0)]).await, ["57/0", "58/0"]);
    assert_eq!(heard(&[said(Beacon, 1, 57, 0), said(One, 1, 57, 1)]).await, ["57/1"]);
}

#[tokio::test]
async fn a_gap_is_heard_with_whatever_comes_next() {
    assert_eq!(heard(&[said(One, 1, 0, 2)]).await, ["", "0/2"], "the first one");
    assert_eq!(heard(&[said(One, 1, 0, 1), said(One, 1, 0, 3)]).await, ["0/1", "", "0/3"]);
    assert_eq!(heard(&[said(All, 1, 1, 0), said(One, 1, 2, 1)]).await, ["1/0", "", "2/1"], "a broadcast");
    for kind in [Beacon, Look] {
        assert_eq!(heard(&[said(One, 1, 0, 1), said(kind, 1, 0, 2)]).await, ["0/1", ""], "the last one");
        assert_eq!(heard(&[said(All, 1, 1, 0), said(kind, 1, 2, 0)]).await, ["1/0", ""], "the last of all");
    }
}

#[tokio::test]
async fn a_new_session_is_no_loss_by_itself_and_an_old_one_is_not_heard() {
    let all = [said(One, 1, 0, 1), said(One, 3, 0, 2), said(One, 1, 0, 2), said(One, 3, 0, 3)];
    assert_eq!(heard(&all).await, ["0/1", "0/2", "0/3"]);
    assert_eq!(heard(&[said(All, 2, 9, 0)]).await, ["", "9/0"], "of a sender that had broken off before");
}

#[tokio::test]
async fn own_words_and_strange_bytes_are_not_heard() {
    let own = Envelope { kind: All, session: 1, from: ME, broadcasts: 9, directs: 0, frame: Bytes::new() };
    assert_eq!(heard(&[Bytes::from(own.encode()), Bytes::from_static(b"?")]).await, [""; 0]);
}

#[test]
fn only_a_look_asks_to_look() {
    let hearing = Hearing::new(ME);
    let asks = [All, One, Beacon, Look].map(|kind| hearing.take(said(kind, 1, 1, 1)));
    assert_eq!(asks, [false, false, false, true]);
}
