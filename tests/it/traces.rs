//! Traces: a message is eight spans, and whoever receives them has them.

mod export;
mod log;

use crate::chat::{draft, name, say, text};
use crate::http::call;
use crate::rooms::group;
use crate::servers::{Otlp, Received, STEPS};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

/// The `traceparent` of somebody's trace.
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn traced(otlp: &Otlp, ratio: f64, settings: &[(&'static str, &'static str)]) -> TestNode {
    let (tracer, settings) = (otlp.tracer("n1", ratio), settings.to_vec());
    TestNode::with(TestNodeOptions { tracer, settings, ..TestNodeOptions::default() }).await
}

/// Starts a node that traces everything, with Alice and a room of hers.
async fn tea() -> (Otlp, TestNode, TestUser, Wire, Value) {
    let otlp = Otlp::start();
    let node = traced(&otlp, 1.0, &[]).await;
    let alice = node.user("alice").await;
    let mut wire = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut wire, "Tea", &[]).await;
    (otlp, node, alice, wire, room)
}

fn names(trace: &[Received]) -> Vec<&str> {
    trace.iter().map(|span| span.name.as_str()).collect()
}

/// Each span is the child of the one before, and does not begin before it has.
#[track_caller]
fn expect_nested(trace: &[Received]) {
    for two in trace.windows(2) {
        assert_eq!(two[1].parent, two[0].span, "{} within {}", two[1].name, two[0].name);
        assert!(two[0].start <= two[1].start, "{} begins before {}", two[1].name, two[0].name);
        assert!(two[1].start <= two[1].end);
    }
}

#[tokio::test]
async fn a_message_is_its_eight_steps() {
    let (otlp, _node, _alice, mut wire, room) = tea().await;
    wire.ok("room.open", json!({ "room": room })).await;
    let seq = say(&mut wire, &room, "hello").await;
    wire.room_event().await;

    let trace = otlp.trace_of("message.send", 8).await;
    assert_eq!(names(&trace), STEPS);
    assert_eq!(trace[0].parent, "");
    expect_nested(&trace);
    for span in &trace {
        assert_eq!(span.resource["service.name"], "rookery");
        assert_eq!(span.resource["service.instance.id"], "n1");
        assert_eq!(span.resource["service.version"], "0.0.0");
        assert_eq!((span.status, &span.attributes["rookery.op"]), (0, &json!("message.send")));
        assert!(span.attributes.contains_key("rookery.connection"), "{span:?}");
    }
    for span in &trace[3..] {
        assert_eq!(span.attributes["rookery.room"], room, "{}", span.name);
    }
    for span in &trace[4..] {
        assert_eq!(span.attributes["rookery.seq"], seq, "{}", span.name);
    }
    assert_eq!(trace[4].attributes["rookery.batch_events"], 1);
    assert_eq!(trace[6].attributes["rookery.queued"], 1);
}

#[tokio::test]
async fn a_message_by_http_is_the_same_steps_within_the_trace_that_it_says() {
    let (otlp, node, alice, mut wire, room) = tea().await;
    wire.ok("room.open", json!({ "room": room })).await;
    let (bearer, key) = (format!("Bearer {}", alice.token()), name().as_str().unwrap().to_owned());
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("traceparent", PARENT)];
    let path = format!("/v1/rooms/{}/messages", room.as_str().unwrap());
    let sent = call(node.http(), "POST", &path, &headers, &json!({ "body": text("by post") })).await;
    assert_eq!(sent.status, 201);
    wire.room_event().await;

    let all = otlp.until(|all| all.iter().filter(|span| PARENT.contains(&span.trace)).count() >= 8).await;
    let trace: Vec<_> = all.into_iter().filter(|span| PARENT.contains(&span.trace)).collect();
    assert_eq!(names(&trace), STEPS);
    assert!(PARENT.contains(&trace[0].parent) && !trace[0].parent.is_empty());
    expect_nested(&trace);
}

#[tokio::test]
async fn what_is_refused_and_what_is_only_read_is_its_first_three_steps() {
    let (otlp, node, _alice, mut wire, room) = tea().await;
    let bob = node.user("bob").await;
    wire.ok("room.history", json!({ "room": room })).await;
    let trace = otlp.trace_of("room.history", 3).await;
    assert_eq!(names(&trace), STEPS[..3]);
    expect_nested(&trace);

    let mut other = Wire::log_in(node.http(), bob.token()).await;
    assert_eq!(other.refused("message.send", draft(&room, &text("let me in"))).await, "not_found");
    let trace = otlp.trace_of("message.send", 4).await;
    assert_eq!(names(&trace), STEPS[..4]);
    let told: Vec<_> = trace.iter().map(|span| (span.status, span.attributes.get("error.type"))).collect();
    assert_eq!(told, [(0, None), (0, None), (0, None), (2, Some(&json!("not_found")))]);
}

#[tokio::test]
async fn drafts_that_were_appended_as_one_have_a_trace_each() {
    let (otlp, _node, _alice, mut wire, room) = tea().await;
    let ids: Vec<_> = {
        let mut ids = Vec::new();
        for number in 0..20 {
            ids.push(wire.send("message.send", draft(&room, &text(&number.to_string()))).await);
        }
        ids
    };
    for id in ids {
        wire.reply(id).await.unwrap();
    }
    let of = |all: &[Received], step: &str| {
        let is_it = |span: &&Received| span.name == step && span.attributes["rookery.op"] == "message.send";
        all.iter().filter(is_it).map(|span| span.trace.clone()).collect::<std::collections::HashSet<_>>()
    };
    let all = otlp.until(|all| of(all, "fan_out").len() == 20).await;
    for step in &STEPS[..7] {
        assert_eq!(of(&all, step), of(&all, "fan_out"), "{step}");
    }
}

#[tokio::test]
async fn of_many_who_hear_a_message_some_writes_are_told_and_the_sender_s() {
    let (otlp, node, alice, mut wire, room) = tea().await;
    wire.ok("room.open", json!({ "room": room })).await;
    let mut others = Vec::new();
    for _ in 0..30 {
        let mut other = Wire::log_in(node.http(), alice.token()).await;
        other.ok("room.open", json!({ "room": room })).await;
        others.push(other);
    }
    say(&mut wire, &room, "hello, all").await;
    for other in &mut others {
        other.room_event().await;
    }
    wire.room_event().await;
    let trace = otlp.trace_of("message.send", 7 + 9).await;
    let writes: Vec<_> = trace.iter().filter(|span| span.name == "write").collect();
    assert_eq!(writes.len(), 9);
    let own = &trace[0].attributes["rookery.connection"];
    assert!(writes.iter().any(|span| &span.attributes["rookery.connection"] == own), "{writes:#?}");
    let fan_out = trace.iter().find(|span| span.name == "fan_out").unwrap();
    assert_eq!(fan_out.attributes["rookery.queued"], 31);
    assert!(writes.iter().all(|span| span.parent == fan_out.span));
}

#[tokio::test]
async fn only_a_trusted_proxy_has_more_traced_than_is_set() {
    let otlp = Otlp::start();
    let settings = [("ROOKERY_SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let (open, behind) = (traced(&otlp, 0.0, &[]).await, traced(&otlp, 0.0, &settings).await);
    for (node, handle) in [(&open, "alice"), (&behind, "bob")] {
        let user = node.user(handle).await;
        let bearer = format!("Bearer {}", user.token());
        let headers = [("authorization", bearer.as_str()), ("traceparent", PARENT)];
        for path in ["/v1/rooms", "/v1/rooms?limit=1"] {
            assert_eq!(call(node.http(), "GET", path, &headers, &Value::Null).await.status, 200);
        }
        let mut wire = Wire::log_in(node.http(), user.token()).await;
        group(&mut wire, "Tea", &[]).await;
    }
    // Two requests of the second node, each with a step of its own and what it waits for.
    let all = otlp.until(|all| all.len() >= 4).await;
    assert_eq!(names(&all), ["receive", "authorise", "receive", "authorise"]);
    assert!(all.iter().all(|span| PARENT.contains(&span.trace)));
}
