//! A story over three nodes: clients say, change, mark, look, come and go at random while the bus loses,
//! cuts and goes away and stores stand still; afterwards the checker judges what everybody saw.
//!
//! A longer run: `ROOKERY_STORY_SEEDS=500 cargo test -p rookery-tests --test it cluster::story`

mod player;
mod scribe;
mod weather;

use super::Cluster;
use player::Player;
use rookery_engine::store::{Log, Range};
use rookery_protocol::{RoomId, Seq};
use rookery_tests::checker::{Checker, Verdict};
use rookery_tests::journal::{Logged, RoomLog};
use scribe::Scribe;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;
use weather::Weather;

/// Stories that the suite plays, in [`PARTS`] tests side by side.
const SEEDS: u64 = 20;

/// Tests that share the stories.
const PARTS: u64 = 4;

/// What each client does in a story.
const STEPS: usize = 60;

#[expect(clippy::disallowed_methods, reason = "how long to run is said by whoever runs it")]
fn seeds() -> u64 {
    std::env::var("ROOKERY_STORY_SEEDS").ok().map_or(SEEDS, |text| text.parse().expect("a number"))
}

/// Plays the story of a seed and judges it.
async fn play(seed: u64) -> Verdict {
    let cluster = Arc::new(Cluster::start(3).await);
    let handles = ["alice", "bob", "carol", "dave", "erin"];
    let (users, wires, room) = cluster.group(&handles).await;
    drop(wires);
    let (room, started) = (super::room_id(&room), Instant::now());
    let mut players = Vec::new();
    for (number, user) in users.iter().enumerate() {
        let scribe = Scribe::new(handles[number], user.id(), room, started);
        let others = users.iter().skip(3).map(rookery_tests::node::TestUser::id).collect();
        let mut player = Player::new(seed, number, user.token().to_owned(), scribe, others);
        player.connect(&cluster).await;
        players.push(player);
    }
    let mut weather = Weather::new(seed);
    let tell = |mut player: Player| {
        let cluster = Arc::clone(&cluster);
        async move {
            for _ in 0..STEPS {
                player.step(&cluster).await;
            }
            player
        }
    };
    let playing = futures_util::future::join_all(players.into_iter().map(tell));
    let mut players = tokio::select! {
        players = playing => players,
        () = weather.rages(&cluster) => unreachable!("the weather has no end"),
    };
    weather.clears(&cluster).await;
    cluster.agree().await;
    futures_util::future::join_all(players.iter_mut().map(|player| player.settle(&cluster))).await;
    let log = log(&cluster, room).await;
    let head = log.events.last().map_or(Seq::ZERO, |last| last.seq);
    futures_util::future::join_all(players.iter_mut().map(|player| player.hear_up_to(&cluster, head))).await;
    let mut checker = Checker::new([log]);
    for player in players {
        let (owner, entries) = player.scribe.end();
        checker.client(&owner, entries.into_iter().map(Ok)).unwrap();
    }
    checker.finish()
}

async fn log(cluster: &Cluster, room: RoomId) -> RoomLog {
    let mut log = RoomLog { room, events: Vec::new() };
    loop {
        let after = log.events.last().map_or(Seq::ZERO, |last| last.seq);
        let events = cluster.store.read(room, Range::After(after), 1000).await.unwrap();
        if events.is_empty() {
            return log;
        }
        log.events.extend(events.iter().map(Logged::from));
    }
}

async fn part(number: u64) {
    let mut total = rookery_tests::checker::Counts::default();
    for seed in (0..seeds()).filter(|seed| seed % PARTS == number) {
        eprintln!("story {seed}");
        let verdict = play(seed).await;
        assert!(verdict.is_clean(), "story {seed}: {verdict}");
        total.acks += verdict.counts.acks;
        total.repeats += verdict.counts.repeats;
        total.deliveries += verdict.counts.deliveries;
    }
    assert!(total.acks > 300 && total.deliveries > 1500, "the stories are too tame: {total:?}");
}

#[tokio::test]
async fn random_stories_keep_every_promise_1() {
    part(0).await;
}

#[tokio::test]
async fn random_stories_keep_every_promise_2() {
    part(1).await;
}

#[tokio::test]
async fn random_stories_keep_every_promise_3() {
    part(2).await;
}

#[tokio::test]
async fn random_stories_keep_every_promise_4() {
    part(3).await;
}

/// What a client may say of the room, as a value of the wire.
fn of(room: RoomId, mut d: Value) -> Value {
    d["room"] = serde_json::json!(room);
    d
}
