//! A server that is short of memory: newcomers are refused first, then what is costly; who is there goes on.

use super::{all_said, metric, say, until};
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::{group, two};
use rookery_engine::admission::Pressure;
use rookery_tests::node::TestNode;
use rookery_tests::server::{SETTINGS, Server};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Returns the status and the code with which somebody new is answered who wants a WebSocket, and after how many
/// milliseconds it should come back.
async fn knock(server: SocketAddr) -> (u16, String, u64) {
    let answer = call(server, "GET", "/v1/ws", &[], &Value::Null).await;
    let after = answer.json()["retry_after_ms"].as_u64();
    let (status, code) = answer.problem();
    let header = answer.header("retry-after").map(|seconds| seconds.parse::<u64>().unwrap());
    assert_eq!(header, after.map(|after| after.div_ceil(1000)), "both say the same");
    (status, code, after.unwrap_or_default())
}

#[tokio::test]
async fn newcomers_are_refused_first_then_what_is_costly_and_never_a_message() {
    let node = TestNode::start().await;
    let (alice, mut a, _, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let auth = format!("Bearer {}", alice.token());
    let ask = async |method: &str, path: &str, body: Value| {
        call(node.http(), method, path, &[("authorization", &auth)], &body).await
    };
    let login = json!({ "email": "alice@example.org", "password": "correct horse battery" });
    let register = json!({ "email": "new@example.org", "password": "correct horse battery", "handle": "new", "name": "N" });
    let upload = json!({ "name": "a.txt", "size": 3 });
    let page = |limit: u32| json!({ "room": room, "limit": limit });
    let press = |memory: f64| {
        for _ in 0..10 {
            node.node().admission().look(Pressure { memory, ..Pressure::default() });
        }
    };

    press(0.91);
    let mut afters = Vec::new();
    for _ in 0..20 {
        let (status, code, after) = knock(node.http()).await;
        assert_eq!((status, code.as_str()), (503, "busy"));
        afters.push(after);
    }
    afters.sort_unstable();
    assert!(afters[0] >= 5000 && *afters.last().unwrap() < 15_000, "{afters:?}");
    afters.dedup();
    assert!(afters.len() > 15, "they come back at moments of their own: {afters:?}");
    assert_eq!(
        call(node.http(), "GET", "/v1/events", &[("authorization", &auth)], &Value::Null).await.problem().0,
        503
    );
    assert_eq!(call(node.http(), "POST", "/v1/auth/login", &[], &login).await.problem().1, "busy");
    assert_eq!(call(node.http(), "POST", "/v1/auth/register", &[], &register).await.problem().1, "busy");
    // All else goes on.
    a.ok("room.history", page(100)).await;
    a.ok("message.search", json!({ "query": "tea" })).await;
    assert_eq!(ask("POST", "/v1/uploads", upload.clone()).await.status, 201);

    press(0.96);
    assert_eq!(a.refused("room.history", page(21)).await, "busy");
    a.ok("room.history", page(20)).await;
    assert_eq!(a.refused("message.search", json!({ "query": "tea" })).await, "busy");
    assert_eq!(ask("GET", "/v1/search?query=tea", Value::Null).await.problem().1, "busy");
    assert_eq!(ask("POST", "/v1/uploads", upload).await.problem().1, "busy");
    a.ok("room.open", json!({ "room": room })).await;
    say(&mut a, &room, "still here").await;
    assert_eq!(a.room_event().await["body"]["text"], "still here");
    b.settle().await;

    press(0.5);
    assert_eq!(knock(node.http()).await.0, 426, "it is asked to shake hands");
    assert_eq!(call(node.http(), "POST", "/v1/auth/login", &[], &login).await.status, 200);
    a.ok("message.search", json!({ "query": "tea" })).await;
    let (_, metrics) = {
        let answer = call(node.admin(), "GET", "/metrics", &[], &Value::Null).await;
        (answer.status, answer.text())
    };
    for (what, times) in
        [("connection", 21), ("login", 1), ("registration", 1), ("search", 2), ("history", 1), ("upload", 1)]
    {
        let line = format!("rookery_admission_refused_total{{what=\"{what}\"}} {times}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_goes_on_while_the_real_server_has_no_memory_for_newcomers() {
    let folder = Folder::new("pressed");
    let write = |mib: u64| {
        std::fs::write(folder.at(SETTINGS), format!("[server]\nmax_memory_mib = {mib}\n")).unwrap();
    };
    write(1_000_000);
    let server = Server::start(&folder.0, &[("ROOKERY_SERVER__SHED_LOAD", "true")]);
    let token = server.user("alice");
    let mut alice = Wire::log_in(server.http, &token).await;
    let room = group(&mut alice, "Tea", &[]).await;
    let mut reader = Wire::log_in(server.http, &token).await;
    reader.ok("room.open", json!({ "room": room })).await;
    let mut acked = Vec::new();
    let level = || metric(&server, "rookery_admission_level");
    until("memory is looked at", || metric(&server, "rookery_memory_used_ratio") > 0.0).await;
    assert_eq!(knock(server.http).await.0, 426);

    // No process is as small as a MiB.
    write(1);
    server.hang_up();
    let mut number = 0;
    while level() < 1.5 {
        let text = format!("word {number}");
        acked.push((say(&mut alice, &room, &text).await, text));
        number += 1;
    }
    let (status, code, after) = knock(server.http).await;
    assert_eq!((status, code.as_str()), (503, "busy"));
    assert!(after >= 5000, "{after}");
    let (status, text) = server.probe("/readyz");
    assert!(
        status == 503 && text.contains("[-]load failed: nobody new is let in, and nothing costly"),
        "{text}"
    );
    assert_eq!(server.probe("/livez").0, 200);
    for _ in 0..20 {
        let text = format!("word {number}");
        acked.push((say(&mut alice, &room, &text).await, text));
        number += 1;
    }
    assert_eq!(alice.refused("message.search", json!({ "query": "word" })).await, "busy");

    write(1_000_000);
    server.hang_up();
    until("everybody is let in again", || level() < 0.5).await;
    let mut newcomer = Wire::log_in(server.http, &token).await;
    assert_eq!(all_said(&mut newcomer, &room).await, acked, "nothing is lost, nothing is there twice");
    let mut heard = Vec::new();
    while heard.len() < acked.len() {
        let event = reader.room_event().await;
        heard.push((event["seq"].as_u64().unwrap(), event["body"]["text"].as_str().unwrap().to_owned()));
    }
    assert_eq!(heard, acked, "who was there has heard it all");
    assert!(metric(&server, "rookery_admission_refused_total{what=\"connection\"}") > 0.5);
    assert_eq!(server.probe("/readyz").0, 200);
    assert_eq!(server.terminate(), 0);
}
