//! What the log says of those whom it serves: which request, which connection, which trace; and nothing that they
//! said.

use super::PARENT;
use crate::chat::{draft, edit, name, text};
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::group;
use crate::servers::Otlp;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex};
use tokio_tungstenite::tungstenite::Message;
use tracing_subscriber::fmt::MakeWriter;

/// In everything that a user says. What shows it shows too much.
const CANARY: &str = "canary7f3a";

/// Every line of our own crates.
const EVERYTHING: &str = "info,rookery=trace,rookery_protocol=trace,rookery_engine=trace,rookery_actors=trace,\
     rookery_api=trace,rookery_store_sqlite=trace,rookery_blobs_object=trace,rookery_trace_otlp=trace";

/// Keeps what a log writes.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// Returns the lines with this message.
    fn lines(&self, message: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line| is(line, message))
            .collect()
    }
}

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Kept {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn is(line: &Value, message: &str) -> bool {
    line["message"] == message
}

/// Spends what a refresh token was spent for: if that one comes again it is nobody's second try.
async fn no_second_try(server: &Server, refreshed: &Value) {
    let successor = json!({ "refresh_token": refreshed["refresh_token"] });
    assert_eq!(call(server.http, "POST", "/v1/auth/refresh", &[], &successor).await.status, 200);
}

/// Says the canary in every way that there is, done or refused, and returns the tokens that it was given.
async fn say_everything(server: &Server) -> Vec<String> {
    let (address, password) = (server.http, format!("{CANARY} password"));
    let account = json!({
        "email": format!("{CANARY}@example.org"), "password": password, "handle": CANARY, "name": CANARY,
    });
    let login = json!({ "email": account["email"], "password": password });
    let post = |path: &'static str, body: Value| async move { call(address, "POST", path, &[], &body).await };
    assert_eq!(post("/v1/auth/register", account.clone()).await.status, 201);
    assert_eq!(post("/v1/auth/register", account).await.status, 409);
    assert_eq!(
        post("/v1/auth/login", json!({ "email": login["email"], "password": CANARY })).await.status,
        401
    );
    let tokens = post("/v1/auth/login", login.clone()).await.json();
    let refreshed = post("/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await;
    assert_eq!(refreshed.status, 200);
    no_second_try(server, &refreshed.json()).await;
    assert_eq!(
        post("/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await.status,
        401
    );
    let again = post("/v1/auth/login", login).await.json();
    let token = again["access_token"].as_str().unwrap().to_owned();

    let mut wire = Wire::log_in(address, &token).await;
    wire.refused("auth", json!({ "token": format!("{CANARY}.{CANARY}.{CANARY}") })).await;
    let room = group(&mut wire, CANARY, &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    let seq = wire.ok("message.send", draft(&room, &text(CANARY))).await["seq"].as_u64().unwrap();
    wire.ok("message.edit", edit(&room, seq, &format!("{CANARY} again"))).await;
    wire.ok("message.search", json!({ "query": CANARY })).await;
    wire.ok("presence.set", json!({ "state": "online", "status": CANARY })).await;
    wire.refused("message.send", draft(&json!(uuid::Uuid::nil()), &text(CANARY))).await;
    wire.refused(&format!("{CANARY}.op"), json!({ "text": CANARY })).await;

    let bearer = format!("Bearer {token}");
    let key = name().as_str().unwrap().to_owned();
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", &key),
        ("traceparent", PARENT),
        ("cookie", CANARY),
    ];
    let messages = format!("/v1/rooms/{}/messages", room.as_str().unwrap());
    for (method, path, body, status) in [
        ("POST", messages.as_str(), json!({ "body": text(CANARY) }), 201),
        ("POST", &messages, json!({ "body": { "kind": CANARY, "text": CANARY } }), 422),
        ("GET", &format!("/v1/search?query={CANARY}"), Value::Null, 200),
        ("GET", &format!("/v1/users?query={CANARY}"), Value::Null, 200),
        ("GET", &format!("/v1/{CANARY}?token={token}"), Value::Null, 404),
        ("PATCH", "/v1/me", json!({ "name": format!("{CANARY} the second") }), 200),
    ] {
        let answer = call(address, method, path, &headers, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    let ticket = call(address, "POST", "/v1/auth/ticket", &headers, &Value::Null).await.json();
    let ticket = ticket["ticket"].as_str().unwrap().to_owned();
    drop(Wire::dial(address, &format!("/v1/ws?ticket={ticket}")).await);

    let mut broken = Wire::log_in(address, &token).await;
    broken.raw(Message::text(format!("{{\"id\":1,\"op\":\"{CANARY}"))).await;
    broken.closed().await;
    [&tokens["access_token"], &tokens["refresh_token"], &again["access_token"], &again["refresh_token"]]
        .into_iter()
        .map(|token| token.as_str().unwrap().to_owned())
        .chain([ticket])
        .collect()
}

#[tokio::test]
async fn nothing_that_a_user_says_is_in_the_log_or_in_a_trace_at_any_level() {
    let (otlp, folder) = (Otlp::start(), Folder::new("canary"));
    let url = otlp.url();
    let env = [
        ("ROOKERY_LOG__FILTER", EVERYTHING),
        ("ROOKERY_LOG__FORMAT", "json"),
        ("ROOKERY_TRACE__OTLP_ENDPOINT", &url),
        ("ROOKERY_TRACE__SAMPLE_RATIO", "1"),
    ];
    let server = Server::start(&folder.at("data"), &env);
    let secrets = say_everything(&server).await;
    let log = server.terminate_and_read();
    let spans = otlp.spans().await;
    assert!(spans.len() > 20 && log.iter().any(|line| line.contains("\"answered\"")), "{log:#?}");
    let told = format!("{}\n{spans:#?}", log.join("\n"));
    for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
        let shown = told.lines().find(|line| line.contains(secret));
        assert_eq!(shown, None, "it shows {secret}");
    }
}

#[tokio::test]
async fn a_line_of_a_request_has_its_id_and_its_trace() {
    let folder = Folder::new("request-ids");
    let env = [
        ("ROOKERY_LOG__FILTER", "info,rookery_api=debug"),
        ("ROOKERY_LOG__FORMAT", "json"),
        ("ROOKERY_TRACE__OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("ROOKERY_TRACE__SAMPLE_RATIO", "1"),
    ];
    let server = Server::start(&folder.at("data"), &env);
    let token = server.user("alice");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("x-request-id", "rooms.1"), ("traceparent", PARENT)];
    assert_eq!(call(server.http, "GET", "/v1/rooms", &headers, &Value::Null).await.status, 200);
    let login = json!({ "email": "alice@example.org", "password": Server::PASSWORD });
    let tokens = call(server.http, "POST", "/v1/auth/login", &[], &login).await.json();
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    for (id, status) in [("first", 200), ("second", 401)] {
        let answer = call(server.http, "POST", "/v1/auth/refresh", &[("x-request-id", id)], &refresh).await;
        assert_eq!((answer.status, answer.header("x-request-id")), (status, Some(id)));
        if id == "first" {
            no_second_try(&server, &answer.json()).await;
        }
    }
    drop(Wire::log_in(server.http, &token).await);
    let log: Vec<Value> =
        server.terminate_and_read().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |message: &str| log.iter().filter(|line| is(line, message)).collect::<Vec<_>>();
    let rooms = of("answered").into_iter().find(|line| line["route"] == "/v1/rooms").unwrap();
    assert_eq!(rooms["span"]["request_id"], "rooms.1");
    assert_eq!(rooms["span"]["trace_id"], PARENT[3..35]);
    let reused = of("a refresh token was used twice: its login is revoked");
    assert_eq!(reused[0]["span"]["request_id"], "second", "{log:#?}");
    assert!(of("connection ended")[0]["connection"].is_u64());
}

#[tokio::test]
async fn a_line_of_a_command_has_its_connection_and_its_trace() {
    let kept = Kept::default();
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_writer(kept.clone())
        .finish();
    // The node runs on this thread.
    let _log = tracing::subscriber::set_default(log);
    let otlp = Otlp::start();
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let options = TestNodeOptions {
        store: Arc::clone(&store) as Arc<_>,
        tracer: otlp.tracer("n1", 1.0),
        ..TestNodeOptions::default()
    };
    let node = TestNode::with(options).await;
    let alice = node.user("alice").await;
    let mut wire = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut wire, "Tea", &[]).await;
    store.refuse_all("the disk is full");
    assert_eq!(
        wire.refused("room.settings", json!({ "room": room, "pinned": true })).await,
        "store_unavailable"
    );
    assert_eq!(wire.refused("message.send", draft(&room, &text("hello"))).await, "store_unavailable");

    let settings = otlp.trace_of("room.settings", 3).await;
    let line = &kept.lines("store did not take a write")[0];
    assert_eq!(line["span"]["connection"], settings[0].attributes["rookery.connection"], "{line}");
    assert_eq!(
        (&line["span"]["op"], &line["span"]["trace_id"]),
        (&json!("room.settings"), &json!(settings[0].trace))
    );
    let sent = otlp.trace_of("message.send", 5).await;
    let line = &kept.lines("batch not appended")[0];
    assert_eq!((&line["trace_id"], &line["room"]), (&json!(sent[0].trace), &room), "{line}");
}
