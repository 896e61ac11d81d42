//! The real binary goes down with many clients: first it only says so, then each is told its own moment to come
//! back, and nothing that was acked is lost.

use super::{all_said, say, until};
use crate::folder::Folder;
use crate::rooms::group;
use rookery_protocol::CloseCode;
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::{Heard, Wire};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;

/// As many as make an uneven spread visible, and no more than a test machine opens in a moment.
const CLIENTS: usize = 200;

/// Clients of a server that goes down are spread over at least two seconds.
const OVER_MS: u64 = 2000;

/// What a client heard last: when to come back, and the code of its end.
async fn sent_away(mut wire: Wire) -> (u64, u16) {
    let mut after = None;
    loop {
        match wire.heard().await {
            Heard::Said(said) if said["ev"] == "bye" => after = said["d"]["retry_after_ms"].as_u64(),
            Heard::Said(_) => {}
            Heard::Closed(code) => return (after.expect("it is told when to come back"), code),
        }
    }
}

async fn goes_down_in_good_order(name: &str, begin: impl FnOnce(&Server)) {
    let folder = Folder::new(name);
    let env = [("ROOKERY_SERVER__DRAIN_DELAY_SECONDS", "3"), ("ROOKERY_SERVER__DRAIN_GRACE_SECONDS", "30")];
    let server = Server::start(&folder.0, &env);
    let token = server.user("alice");
    let mut alice = Wire::log_in(server.http, &token).await;
    let room = group(&mut alice, "Tea", &[]).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Wire::log_in(server.http, &token).await;
        client.ok("room.open", json!({ "room": room })).await;
        clients.push(client);
    }

    begin(&server);
    until("it says that it drains", || server.probe("/readyz").0 == 503).await;
    assert!(server.probe("/readyz").1.contains("[-]edge failed: draining"));
    assert_eq!(server.probe("/livez").0, 200);
    // Whoever shares the load out has not noticed yet.
    let mut late = Wire::log_in(server.http, &token).await;
    late.ok("room.open", json!({ "room": room })).await;
    clients.push(late);
    let mut acked = Vec::new();
    for number in 0..20 {
        let text = format!("last words {number}");
        acked.push((say(&mut alice, &room, &text).await, text));
    }

    let mut afters = Vec::new();
    for client in clients {
        let (after, code) = sent_away(client).await;
        assert_eq!(code, CloseCode::Draining.as_u16());
        afters.push(after);
    }
    // Evenly: each tenth of the time has about a tenth of the clients, and no two seconds meet everybody.
    let share = CLIENTS / 10;
    for tenth in 0..10 {
        let (from, to) = (OVER_MS / 10 * tenth, OVER_MS / 10 * (tenth + 1));
        let there = afters.iter().filter(|after| (from..to).contains(*after)).count();
        assert!((share / 2..=share * 2).contains(&there), "{there} come from {from} to {to} ms: {afters:?}");
    }
    assert!(afters.iter().all(|after| *after < OVER_MS), "{afters:?}");
    drop(alice);
    assert_eq!(server.ended(), Some(0));

    let server = Server::start(&folder.0, &[]);
    let mut alice = Wire::log_in(server.http, &server.login("alice")).await;
    let said = all_said(&mut alice, &room).await;
    assert_eq!(said, acked, "what was acked is there, once and in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_sends_everybody_away_at_a_moment_of_its_own() {
    goes_down_in_good_order("signalled", Server::ask_to_end).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_word_does_the_same() {
    goes_down_in_good_order("told", |server| {
        let mut command = rookery();
        let admin = format!("http://{}", server.admin);
        command.args(["admin", "drain", "--no-wait", "--admin", &admin]);
        assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once_and_nothing_acked_is_lost() {
    let folder = Folder::new("twice");
    let env = [("ROOKERY_SERVER__DRAIN_DELAY_SECONDS", "300")];
    let server = Server::start(&folder.0, &env);
    let mut alice = Wire::log_in(server.http, &server.user("alice")).await;
    let room = group(&mut alice, "Tea", &[]).await;
    let acked = (say(&mut alice, &room, "kept").await, "kept".to_owned());
    server.ask_to_end();
    until("it says that it drains", || server.probe("/readyz").0 == 503).await;
    let begun = tokio::time::Instant::now();
    server.ask_to_end();
    assert_eq!(server.ended(), Some(1), "the code says that it was not in good order");
    assert!(begun.elapsed() < Duration::from_secs(150), "it did not wait for the delay");

    let server = Server::start(&folder.0, &[]);
    let mut alice = Wire::log_in(server.http, &server.login("alice")).await;
    assert_eq!(all_said(&mut alice, &room).await, [acked]);
}
