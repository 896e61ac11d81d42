//! Commands, steps, rooms, actors and the store.

use super::{Counts, grown};
use crate::chat::{passivate, say, say_many};
use crate::folder::Folder;
use crate::rooms::{group, two};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::server::{Server, get, series};
use rookery_tests::wire::Wire;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn three_messages_are_three_of_every_step() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    b.settle().await;
    let before = Counts::of(&node).await;
    for said in ["one", "two", "three"] {
        say(&mut a, &room, said).await;
    }
    let steps = ["receive", "decode", "authorise", "order", "persist", "encode", "fan_out"];
    let steps = steps.map(|step| format!("rookery_step_duration_seconds_count{{step=\"{step}\"}}"));
    let mut wanted: Vec<_> = steps.iter().map(|series| (series.as_str(), 3.0)).collect();
    wanted.extend([
        (r#"rookery_commands_total{op="message.send",outcome="ok"}"#, 3.0),
        (r#"rookery_commands_total{op="message.send",outcome="refused"}"#, 0.0),
        (r#"rookery_command_duration_seconds_count{op="message.send"}"#, 3.0),
        ("rookery_message_duration_seconds_count", 3.0),
        (r#"rookery_appends_total{outcome="applied"}"#, 3.0),
        ("rookery_append_events_count", 3.0),
        ("rookery_append_events_sum", 3.0),
        ("rookery_append_bytes_count", 3.0),
        ("rookery_append_duration_seconds_count", 3.0),
        ("rookery_fan_out_recipients_count", 3.0),
        ("rookery_fan_out_recipients_sum", 6.0),
        ("rookery_deliveries_total", 6.0),
        (r#"rookery_actor_message_duration_seconds_count{kind="session",message="command"}"#, 3.0),
        (r#"rookery_actor_message_duration_seconds_count{kind="room",message="submit"}"#, 3.0),
        (r#"rookery_actor_message_duration_seconds_count{kind="room",message="appended"}"#, 3.0),
        (r#"rookery_store_calls_total{operation="append",outcome="answered"}"#, 3.0),
        (r#"rookery_store_call_duration_seconds_count{operation="append"}"#, 3.0),
    ]);
    grown(&node, &before, &wanted).await;
}

#[tokio::test]
async fn of_seventeen_writes_of_a_connection_two_are_measured() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let before = Counts::of(&node).await;
    // `hello` and the answer to `auth` are the first two.
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    for _ in 0..15 {
        a.ok("ping", json!({})).await;
    }
    let wanted = [
        (r#"rookery_step_duration_seconds_count{step="write"}"#, 2.0),
        ("rookery_outbox_frames_count", 2.0),
        ("rookery_outbox_frames_sum", 2.0),
        ("rookery_outbox_bytes_count", 2.0),
    ];
    grown(&node, &before, &wanted).await;
}

#[tokio::test]
async fn an_error_counts_by_its_code_and_by_whose_fault_it_is() {
    let node = TestNode::start().await;
    let (_, mut a, _, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let before = Counts::of(&node).await;
    let body = json!({ "kind": "text", "text": "let me in" });
    let send = json!({ "room": room, "client_id": crate::chat::name(), "body": body });
    assert_eq!(b.refused("message.send", send.clone()).await, "not_found");
    assert_eq!(b.refused("no.such", json!({})).await, "unknown_op");
    let wanted = [
        (r#"rookery_commands_total{op="message.send",outcome="refused"}"#, 1.0),
        (r#"rookery_commands_total{op="message.send",outcome="failed"}"#, 0.0),
        (r#"rookery_command_errors_total{code="not_found"}"#, 1.0),
        (r#"rookery_command_errors_total{code="unknown_op"}"#, 1.0),
    ];
    grown(&node, &before, &wanted).await;
}

#[tokio::test]
async fn a_resume_counts_how_and_how_much() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    say_many(&mut a, &room, 5).await;
    let before = Counts::of(&node).await;
    let head = a.ok("room.get", json!({ "room": room })).await["head"]["seq"].as_u64().unwrap();
    for after in [json!({ "room": room, "after": head - 4 }), json!({ "room": room, "after": head + 100 })] {
        b.ok("room.open", after).await;
        b.ok("room.close", json!({ "room": room })).await;
    }
    b.ok("room.open", json!({ "room": room })).await;
    let wanted = [
        (r#"rookery_room_opens_total{result="replayed"}"#, 1.0),
        (r#"rookery_room_opens_total{result="reset"}"#, 1.0),
        (r#"rookery_room_opens_total{result="head"}"#, 1.0),
        ("rookery_replayed_events_count", 2.0),
        ("rookery_replayed_events_sum", 4.0),
        (r#"rookery_commands_total{op="room.open",outcome="ok"}"#, 3.0),
    ];
    grown(&node, &before, &wanted).await;
}

#[tokio::test]
async fn a_room_that_comes_and_goes_is_counted_both_ways() {
    let node = TestNode::start().await;
    let (_, mut a, ..) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    passivate(&node).await;
    while Counts::of(&node).await.get(r#"rookery_actors{kind="room"}"#) > 0.0 {
        tokio::task::yield_now().await;
    }
    let before = Counts::of(&node).await;
    a.ok("room.open", json!({ "room": room })).await;
    let there = [
        (r#"rookery_room_activations_total{result="ready"}"#, 1.0),
        ("rookery_room_activation_duration_seconds_count", 1.0),
        (r#"rookery_actor_starts_total{kind="room"}"#, 1.0),
        (r#"rookery_actors{kind="room"}"#, 1.0),
    ];
    grown(&node, &before, &there).await;
    passivate(&node).await;
    let gone = [
        (r#"rookery_room_passivations_total{reason="idle"}"#, 1.0),
        (r#"rookery_actors{kind="room"}"#, 0.0),
        (r#"rookery_actor_failures_total{kind="room",reason="panic"}"#, 0.0),
    ];
    grown(&node, &before, &gone).await;
}

#[tokio::test]
async fn a_look_of_the_sweeper_says_what_waits_and_what_is_heard() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": room })).await;
    }
    let before = Counts::of(&node).await;
    node.advance(Duration::from_secs(1));
    let after = Counts::of(&node).await;
    let looked = |kind: &str| {
        let series = format!("rookery_actor_mailbox_depth_count{{kind=\"{kind}\"}}");
        after.get(&series) - before.get(&series)
    };
    assert!(looked("session") >= 2.0 && looked("room") >= 1.0, "{after:?}");
    // The room, and an inbox of each of the two.
    assert!((after.get("rookery_heard_rooms") - 3.0).abs() < 0.1);
    assert!(after.get(r#"rookery_actor_mailbox_deepest{kind="room"}"#) >= 0.0);
}

#[tokio::test]
async fn a_panic_is_a_failure_with_its_reason() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let before = Counts::of(&node).await;
    clock.break_next();
    a.send("ping", json!({})).await;
    assert_eq!(a.closed().await, 4006);
    let wanted = [
        (r#"rookery_actor_failures_total{kind="session",reason="panic"}"#, 1.0),
        (r#"rookery_closes_total{code="4006"}"#, 1.0),
        (r#"rookery_connections{codec="json"}"#, -1.0),
    ];
    grown(&node, &before, &wanted).await;
}

#[test]
fn the_embedded_store_counts_its_commits() {
    let folder = Folder::new("commits");
    let server = Server::start(&folder.0, &[]);
    let read = |name: &str| {
        let (status, page) = get(server.admin, "/metrics").unwrap();
        assert_eq!(status, 200);
        let found = series(&page).find(|(series, _)| *series == name).map(|(_, value)| value.parse::<f64>());
        found.unwrap_or_else(|| panic!("there is no series {name}")).unwrap()
    };
    let before = read("rookery_store_commit_duration_seconds_count");
    server.user("alice");
    assert!(read("rookery_store_commit_duration_seconds_count") > before);
    assert!(read("rookery_store_commit_writes_sum") >= read("rookery_store_commit_writes_count"));
    assert!(read("rookery_password_duration_seconds_count") >= 2.0, "one to register and one to log in");
    // Its sweeper runs, and so does its runtime.
    while read("rookery_event_loop_lag_seconds_count") < 2.0 {
        std::thread::yield_now();
    }
    assert!(read("rookery_runtime_workers") >= 1.0 && read("rookery_runtime_tasks") >= 1.0);
    assert!((0.0..=1.0).contains(&read("rookery_runtime_busy_ratio")));
}
