//! What the server logs, and how that is chosen while it runs.

use super::{say, until};
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::group;
use rookery_tests::node::{TestLog, TestNode, TestNodeOptions};
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::process::Stdio;

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_json_with_the_same_fields_first_and_says_nothing_that_was_said() {
    let folder = Folder::new("lines");
    let server = Server::start(&folder.0, &[("ROOKERY_LOG__FILTER", "trace")]);
    let token = server.user("alice");
    let mut wire = Wire::log_in(server.http, &token).await;
    let room = group(&mut wire, "A title for no eyes", &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    say(&mut wire, &room, "A text for no eyes").await;
    wire.refused("room.open", json!({ "room": uuid::Uuid::from_u128(1) })).await;
    call(server.http, "GET", "/v1/me", &[("authorization", &format!("Bearer {token}"))], &Value::Null).await;
    call(server.http, "POST", "/v1/auth/login", &[], &json!({ "email": "x" })).await;
    until("requests are logged", || server.log().iter().any(|line| line.contains("answered"))).await;

    let lines = server.log();
    assert!(lines.len() > 10, "there is something to look at: {lines:#?}");
    for line in &lines {
        let fields: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |name: &str| fields[name].as_str().unwrap_or_else(|| panic!("{name} is no text: {line}"));
        assert!(is_utc(text("timestamp")), "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&text("level")), "{line}");
        assert!(!text("target").is_empty(), "{line}");
        for secret in [&token, Server::PASSWORD, "for no eyes", "alice@example.org"] {
            assert!(!line.contains(secret), "{secret} is in {line}");
        }
    }
    assert_eq!(server.terminate(), 0);
}

/// Whether a time is as RFC 3339 has it, in UTC: `2026-11-21T19:00:00.123456Z`.
fn is_utc(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z')
}

#[tokio::test]
async fn an_operator_chooses_the_lines_for_a_while() {
    let log = TestLog::default();
    let options = TestNodeOptions { log: log.clone(), ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let choose = async |body: Value| call(node.admin(), "PUT", "/admin/log", &[], &body).await;
    let standing = crate::admin::get(node.admin(), "/admin/log").await;
    assert_eq!(standing, json!({ "filter": "info", "configured": "info", "for_seconds": null }));

    let chosen = choose(json!({ "filter": "info,rookery_api=debug" })).await;
    let wanted = json!({ "filter": "info,rookery_api=debug", "configured": "info", "for_seconds": null });
    assert_eq!((chosen.status, chosen.json()), (200, wanted));
    let chosen = choose(json!({ "filter": "trace", "for_seconds": 1 })).await;
    assert_eq!((chosen.status, &chosen.json()["filter"]), (200, &json!("trace")));
    while log.filters().last().unwrap() != "info" {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.filters(), ["info,rookery_api=debug", "trace", "info"]);
    assert_eq!(crate::admin::get(node.admin(), "/admin/log").await["filter"], "info");

    // A later choice is not ended by the time of an earlier one.
    choose(json!({ "filter": "warn", "for_seconds": 1 })).await;
    choose(json!({ "filter": "error" })).await;
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(log.filters().last().unwrap(), "error");
    let reset = choose(json!({})).await;
    assert_eq!((reset.status, &reset.json()["filter"]), (200, &json!("info")));

    for wrong in [json!({ "filter": "loud" }), json!({ "filter": "a b=info" }), json!({ "filter": "" })] {
        assert_eq!(choose(wrong.clone()).await.problem(), (422, "invalid".to_owned()), "{wrong}");
    }
    for seconds in [0, 86_401] {
        let wrong = json!({ "filter": "info", "for_seconds": seconds });
        assert_eq!(choose(wrong).await.problem(), (422, "invalid".to_owned()), "{seconds}");
    }
    assert_eq!(log.filters().last().unwrap(), "info", "what is wrong changes nothing");
    assert_eq!(call(node.http(), "GET", "/admin/log", &[], &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_the_same_to_the_real_log() {
    let folder = Folder::new("chosen");
    let server = Server::start(&folder.0, &[]);
    let operator = |arguments: &[&str]| {
        let mut command = rookery();
        command.args(["admin", "--admin", &format!("http://{}", server.admin), "log"]).args(arguments);
        let output = command.stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let answers = || server.log().iter().filter(|line| line.contains("\"answered\"")).count();
    assert_eq!(operator(&[]), (0, "info  (configured: info)\n".to_owned()));
    assert_eq!(answers(), 0, "requests are logged at the level debug");
    let (code, told) = operator(&["info,rookery_api=debug", "--for", "10m"]);
    assert!(code == 0 && told.starts_with("info,rookery_api=debug  for "), "{told}");
    server.probe("/livez");
    until("requests are logged", || answers() > 0).await;
    assert_eq!(operator(&["--reset"]), (0, "info  (configured: info)\n".to_owned()));
    assert_eq!(operator(&["loud"]).0, 3, "the server refuses");
    assert_eq!(operator(&["info", "--for", "soon"]).0, 2, "the command line is wrong");
}
