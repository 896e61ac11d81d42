//! SIGHUP: what can change while the server runs does, what cannot is named, and a bad file changes nothing.

use super::{metric, until};
use crate::folder::Folder;
use crate::http::{Raw, call};
use rookery_tests::server::{SETTINGS, Server};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;

const OK: &str = "rookery_config_reloads_total{result=\"ok\"}";
const FAILED: &str = "rookery_config_reloads_total{result=\"failed\"}";
const SUCCESS: &str = "rookery_config_reload_success";

/// Returns the fields of the lines of a server's log that say this.
fn lines(server: &Server, message: &str) -> Vec<Value> {
    let lines = server.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

/// Returns how the server answers a page of an origin that wants a WebSocket without shaking hands.
async fn status_of_origin(server: &Server, origin: &str) -> u16 {
    call(server.http, "GET", "/v1/ws", &[("origin", origin)], &Value::Null).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_change_does_and_what_cannot_is_named() {
    let folder = Folder::new("reloaded");
    let write = |text: &str| std::fs::write(folder.at(SETTINGS), text).unwrap();
    write("[server]\nallowed_origins = [\"https://old.example\"]\n");
    let server = Server::start(&folder.0, &[]);
    let token = server.user("alice");
    let mut first = Wire::log_in(server.http, &token).await;
    assert_eq!(metric(&server, SUCCESS).to_bits(), 1_f64.to_bits());
    assert_eq!(status_of_origin(&server, "https://new.example").await, 403);
    assert_eq!(status_of_origin(&server, "https://old.example").await, 426, "it is asked to upgrade");

    write(
        "[server]\nnode = \"other\"\nallowed_origins = [\"https://new.example\"]\nmax_connections = 2\n[log]\nfilter = \"debug\"\n",
    );
    server.hang_up();
    until("it has reloaded", || metric(&server, OK) > 0.5).await;
    assert_eq!(status_of_origin(&server, "https://new.example").await, 426);
    assert_eq!(status_of_origin(&server, "https://old.example").await, 403);
    let told = &lines(&server, "the configuration was reloaded")[0];
    assert_eq!(told["taken"], "log.filter server.allowed_origins server.max_connections", "{told}");
    let told = &lines(&server, "these settings have changed and need a restart")[0];
    assert_eq!(told["keys"], "server.node", "{told}");
    assert!(!lines(&server, "answered").is_empty(), "requests are logged at the level debug");
    let nodes = crate::admin::get(server.admin, "/admin/nodes").await;
    assert_eq!(nodes["nodes"][0]["name"], "local", "{nodes}");

    // Two sockets and no more, two requests' connections and no more; what was there stays.
    let _second = Wire::log_in(server.http, &token).await;
    assert_eq!(status_of_origin(&server, "https://new.example").await, 503);
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::connect(server.http).await;
        raw.request("GET", "/livez", &[], &Value::Null).await;
        assert_eq!(raw.answer().await.unwrap().status, 200);
        kept.push(raw);
    }
    let mut third = Raw::connect(server.http).await;
    third.request("GET", "/livez", &[], &Value::Null).await;
    let answered = tokio::time::timeout(Duration::from_millis(300), third.answer()).await;
    assert!(answered.is_err(), "it waits in the system's queue");
    first.ok("ping", json!({})).await;
    write("[server]\nmax_connections = 10\n");
    server.hang_up();
    assert_eq!(third.answer().await.unwrap().status, 200, "and is taken when there is room");
    assert_eq!(status_of_origin(&server, "http://elsewhere.example").await, 403, "the same host only, again");
    let _third = Wire::log_in(server.http, &token).await;
    assert_eq!(server.terminate(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_changes_nothing_and_is_told() {
    let folder = Folder::new("not-reloaded");
    let write = |text: &str| std::fs::write(folder.at(SETTINGS), text).unwrap();
    write("[server]\nallowed_origins = [\"https://old.example\"]\n");
    let server = Server::start(&folder.0, &[]);
    write("[server]\nallowed_origins = [\"https://new.example\"]\ndrain_grace_seconds = 0\n");
    server.hang_up();
    until("it has failed", || metric(&server, FAILED) > 0.5).await;
    assert_eq!(metric(&server, SUCCESS).to_bits(), 0_f64.to_bits());
    assert_eq!(status_of_origin(&server, "https://new.example").await, 403);
    let told = &lines(&server, "the configuration was not reloaded, and nothing has changed")[0];
    let why = told["error"].as_str().unwrap();
    assert!(why.contains("server.drain_grace_seconds") && why.contains("from 1 to 300"), "{told}");
    assert_eq!(told["level"], "ERROR");

    write("[server]\nallowed_origins = [\"https://new.example\"]\n");
    server.hang_up();
    until("it has reloaded", || metric(&server, OK) > 0.5).await;
    assert_eq!(metric(&server, SUCCESS).to_bits(), 1_f64.to_bits());
    assert_eq!(status_of_origin(&server, "https://new.example").await, 426);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_of_identities_come_and_go_with_their_file() {
    let folder = Folder::new("reloaded-providers");
    let write = |text: &str| std::fs::write(folder.at("providers.toml"), text).unwrap();
    write("");
    let file = folder.at("providers.toml").display().to_string();
    let server = Server::start(&folder.0, &[("ROOKERY_AUTH__PROVIDERS", &file)]);
    let listed = async || {
        let answer = call(server.http, "GET", "/v1/auth/providers", &[], &Value::Null).await.json();
        answer["providers"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [""; 0]);
    let provider = |id: &str| {
        format!(
            "[{id}]\nname = \"Elsewhere\"\nissuer = \"https://{id}.example\"\nclient_id = \"rookery\"\n\
             redirect_uri = \"https://chat.example/{id}\"\n"
        )
    };
    write(&(provider("one") + &provider("two")));
    server.hang_up();
    until("it has reloaded", || metric(&server, OK) > 0.5).await;
    assert_eq!(listed().await, ["one", "two"]);
    write("[two]\nname = 2\n");
    server.hang_up();
    until("it has not reloaded", || metric(&server, FAILED) > 0.5).await;
    assert_eq!(listed().await, ["one", "two"], "a file that is wrong changes nothing");
    write(&provider("two"));
    server.hang_up();
    until("it has reloaded again", || metric(&server, OK) > 1.5).await;
    assert_eq!(listed().await, ["two"]);
}
