//! A wall clock that jumps: what was ordered stays ordered, and no connection ends for it.

use super::{log, pipeline, said};
use crate::rooms::group;
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::json;
use std::time::Duration;

/// As far as a clock is set by hand, or by a server of the time that is wrong.
const HOUR: i64 = 60 * 60 * 1000;

#[tokio::test]
async fn a_wall_clock_that_jumps_to_and_fro_reorders_nothing_and_ends_no_connection() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let (clock, mut options) = TestNodeOptions::with_fragile_clock();
    // What a token is good for is told by the wall clock; here it is good for all of it.
    options.settings.push(("ROOKERY_AUTH__ACCESS_TOKEN_MINUTES", "60"));
    let node = TestNode::with(options).await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    let mut acked = Vec::new();
    for round in 0..40 {
        clock.jump_to(chance.i64(-HOUR..HOUR - HOUR / 60));
        let sent = pipeline(&mut a, &room, (0..3).map(|number| format!("{round}.{number}"))).await;
        // Nobody is silent for long by the clock that does not jump.
        node.node().sweep(true);
        for (id, draft) in sent {
            acked.push((a.reply(id).await.unwrap()["seq"].as_u64().unwrap(), said(&draft).to_owned()));
        }
    }
    assert!(acked.iter().map(|(seq, _)| *seq).eq(4..4 + acked.len() as u64), "{acked:?}");
    for (seq, said) in &acked {
        let heard = b.room_event().await;
        assert_eq!((&heard["seq"], &heard["body"]["text"]), (&json!(seq), &json!(said)));
    }
    assert_eq!(log(&mut b, &room).await, acked);
    assert_eq!(node.node().connections().len(), 2);
    // Bob reads no more, and does not answer the ping that is sent by the other clock.
    for seconds in [25, 10] {
        node.advance(Duration::from_secs(seconds));
        a.settle().await;
    }
    while node.node().connections().len() > 1 {
        node.advance(Duration::from_secs(1));
        a.settle().await;
    }
}

#[tokio::test]
async fn a_token_that_a_jump_has_ended_is_good_again_when_the_clock_is_right_again() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    clock.jump_to(HOUR);
    let mut wire = Wire::open(node.http()).await;
    assert_eq!(wire.refused("auth", json!({ "token": alice.token() })).await, "token_expired");
    clock.jump_to(0);
    Wire::log_in(node.http(), alice.token()).await.settle().await;
}
