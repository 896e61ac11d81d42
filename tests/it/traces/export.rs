//! The way of spans to their receiver: off by default, bounded, and never in anybody's way.

use super::{STEPS, names};
use crate::chat::{draft, say, text};
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::group;
use crate::servers::{Otlp, Received};
use rookery_engine::Tasks;
use rookery_tests::server::{Server, series};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Returns what a server counts of spans.
fn counted(server: &Server) -> HashMap<String, u64> {
    let (_, text) = server.probe("/metrics");
    let of = |(name, value): (&str, &str)| {
        let result = name.strip_prefix("rookery_trace_spans_total{result=\"")?.strip_suffix("\"}")?;
        Some((result.to_owned(), value.parse().ok()?))
    };
    series(&text).filter_map(of).collect()
}

async fn talk(server: &Server, messages: usize) -> Wire {
    let token = server.user("alice");
    let mut wire = Wire::log_in(server.http, &token).await;
    let room = group(&mut wire, "Tea", &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    for _ in 0..messages {
        say(&mut wire, &room, "hello").await;
        wire.room_event().await;
    }
    wire
}

#[tokio::test]
async fn the_server_has_its_spans_received_also_those_that_wait_when_it_ends() {
    let (otlp, folder) = (Otlp::start(), Folder::new("traces"));
    let env = [
        ("ROOKERY_TRACE__OTLP_ENDPOINT", otlp.url()),
        ("ROOKERY_TRACE__SAMPLE_RATIO", "1".to_owned()),
        ("ROOKERY_TRACE__HEADERS", "x-key=a secret,x-tenant=7".to_owned()),
        ("ROOKERY_SERVER__NODE", "left".to_owned()),
    ];
    let env: Vec<_> = env.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let server = Server::start(&folder.at("data"), &env);
    let wire = talk(&server, 1).await;
    let trace = otlp.trace_of("message.send", 8).await;
    assert_eq!(names(&trace), STEPS);
    super::expect_nested(&trace);
    assert_eq!(trace[0].resource["service.instance.id"], "left");
    assert_eq!(trace[0].resource["service.version"], env!("CARGO_PKG_VERSION"));
    let requests = otlp.requests().await;
    assert!(requests.iter().all(|one| one["x-key"] == "a secret" && one["x-tenant"] == "7"), "{requests:?}");

    // The last message's spans wait for others when the server is told to end.
    let mut wire = wire;
    let before = otlp.spans().await.len();
    wire.ok("ping", json!({})).await;
    assert_eq!(server.terminate(), 0);
    let after = otlp.spans().await;
    assert!(after[before..].iter().any(|span| span.attributes["rookery.op"] == "ping"), "{after:#?}");
}

#[tokio::test]
async fn nothing_is_traced_where_nothing_is_set() {
    let (otlp, folder) = (Otlp::start(), Folder::new("untraced"));
    let url = otlp.url();
    // What other programs read, and the ratio without a receiver.
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.as_str()),
        ("ROOKERY_TRACE__SAMPLE_RATIO", "1"),
    ];
    let server = Server::start(&folder.at("data"), &env);
    drop(talk(&server, 3).await);
    assert!(counted(&server).values().all(|count| *count == 0));
    assert_eq!(server.terminate(), 0);
    assert_eq!(otlp.requests().await.len(), 0);
}

#[tokio::test]
async fn a_server_whose_receiver_is_gone_serves_and_counts_what_it_drops() {
    let folder = Folder::new("receiver-gone");
    let gone = { Otlp::start().url() };
    let env = [("ROOKERY_TRACE__OTLP_ENDPOINT", gone.as_str()), ("ROOKERY_TRACE__SAMPLE_RATIO", "1")];
    let server = Server::start(&folder.at("data"), &env);
    let mut wire = talk(&server, 1).await;
    let room = group(&mut wire, "Coffee", &[]).await;
    // Eight spans a message are more than may wait.
    for _ in 0..50 {
        let mut ids = Vec::new();
        for _ in 0..32 {
            ids.push(wire.send("message.send", draft(&room, &text("hello"))).await);
        }
        for id in ids {
            wire.reply(id).await.unwrap();
        }
    }
    let counts = counted(&server);
    assert!(counts["full"] > 0, "{counts:?}");
    assert_eq!(counts["exported"], 0);
    assert_eq!(server.terminate(), 0);
}

#[tokio::test]
async fn a_batch_is_sent_again_where_the_receiver_asks_for_it_and_let_go_where_it_refuses() {
    let (otlp, tasks) = (Otlp::start(), Tasks::new());
    let tracer = otlp.tracer_on(&tasks, "n1", 1.0);
    otlp.answer("status=503&times=2").await;
    drop(tracer.begin());
    let first = otlp.until(|all| !all.is_empty()).await;
    assert_eq!((first.len(), otlp.requests().await.len()), (1, 3));
    assert!(otlp.requests().await.iter().all(|one| one["x-key"] == "secret"));

    otlp.answer("status=400").await;
    drop(tracer.begin());
    let is_asked = async {
        while otlp.requests().await.len() < 4 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_asked).await.unwrap();
    drop(tracer.begin());
    let all = otlp.until(|all| all.len() > 1).await;
    assert_eq!((all.len(), otlp.requests().await.len()), (2, 5), "the refused one was let go");

    drop(tracer.begin());
    tasks.stop();
    assert!(tasks.finished(Duration::from_secs(60)).await);
    assert_eq!(otlp.spans().await.len(), 3, "what waited was sent at the end");
    let received: Vec<Received> = otlp.spans().await;
    assert!(received.iter().all(|span| span.name == "receive"));
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_what_waited_for_it() {
    let otlp = Otlp::start();
    let (port, tracer) = (otlp.address.port(), otlp.tracer("n1", 1.0));
    drop(tracer.begin());
    otlp.until(|all| all.len() == 1).await;
    drop(otlp);
    drop(tracer.begin());
    let otlp = Otlp::at(port);
    otlp.until(|all| all.len() == 1).await;
    assert_eq!(
        call(otlp.address, "GET", "/spans", &[], &Value::Null).await.json().as_array().unwrap().len(),
        1
    );
}
