//! The real binary under kill -9, and under a disk that fails: nothing acked is lost, nothing is
//! there twice, and everybody goes on where they were.

use crate::disk::Fault;
use crate::folder::Folder;
use crate::rooms::{fresh, group};
use rookery_tests::server::Server;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn draft(room: &Value, text: &str, attempt: u64) -> Value {
    let body = json!({ "kind": "text", "text": text });
    json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "attempt": attempt, "body": body })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acked_survives_kills_in_the_middle_of_a_burst() {
    let folder = Folder::new("kills");
    let mut server = Server::start(&folder.0, &[]);
    let token = server.user("alice");
    let mut wire = Wire::log_in(server.http, &token).await;
    let room = group(&mut wire, "Tea", &[]).await;
    let mut acked: BTreeMap<String, u64> = BTreeMap::new();
    let mut unanswered: Vec<Value> = Vec::new();
    for round in 0..10 {
        // Everything that got no answer goes first, under the same names, in the same order.
        let mut under_way: Vec<(u64, Value)> = Vec::new();
        for mut draft in std::mem::take(&mut unanswered) {
            draft["attempt"] = json!(draft["attempt"].as_u64().unwrap() + 1);
            under_way.push((wire.send("message.send", draft.clone()).await, draft));
        }
        for number in 0..20 {
            let draft = draft(&room, &format!("{round}.{number}"), 1);
            under_way.push((wire.send("message.send", draft.clone()).await, draft));
        }
        // Some acks are taken, then the server is gone in the middle of the rest.
        let keep = under_way.split_off(under_way.len().min(3 + round));
        for (id, draft) in under_way {
            let sent = wire.reply(id).await.unwrap();
            acked.insert(draft["body"]["text"].as_str().unwrap().to_owned(), sent["seq"].as_u64().unwrap());
        }
        server = server.kill_and_restart();
        unanswered = keep.into_iter().map(|(_, draft)| draft).collect();
        while !matches!(wire.heard().await, Heard::Closed(_)) {}
        wire = Wire::log_in(server.http, &token).await;
    }
    for mut draft in unanswered {
        draft["attempt"] = json!(2);
        let sent = wire.ok("message.send", draft.clone()).await;
        acked.insert(draft["body"]["text"].as_str().unwrap().to_owned(), sent["seq"].as_u64().unwrap());
    }

    let mut log = Vec::new();
    let head =
        wire.ok("room.open", json!({ "room": room, "after": 0 })).await["head"]["seq"].as_u64().unwrap();
    while log.len() < usize::try_from(head).unwrap() {
        log.push(wire.room_event().await);
    }
    let seqs: Vec<_> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "without a gap");
    let kept: Vec<(String, u64)> = log
        .iter()
        .filter(|event| event["type"] == "message")
        .map(|event| (event["body"]["text"].as_str().unwrap().to_owned(), event["seq"].as_u64().unwrap()))
        .collect();
    assert_eq!(kept.len(), 200, "each once");
    assert_eq!(kept.iter().cloned().collect::<BTreeMap<_, _>>(), acked, "where the ack said");
    let in_order: Vec<_> = kept.iter().map(|(text, _)| text.clone()).collect();
    let sent: Vec<_> =
        (0..10).flat_map(|round| (0..20).map(move |number| format!("{round}.{number}"))).collect();
    assert_eq!(in_order, sent, "in the order it was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_asked_to_end_says_goodbye_and_ends_well() {
    let folder = Folder::new("term");
    let server = Server::start(&folder.0, &[]);
    let token = server.user("alice");
    let mut wire = Wire::log_in(server.http, &token).await;
    assert_eq!(server.probe("/readyz").0, 200);
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    assert_eq!(wire.closed().await, 4000);
    assert_eq!(ended.await.unwrap(), 0);
}

/// A server on a disk that fails when told to, with one message in one room.
struct OnBadDisk {
    _folder: Folder,
    fault: Fault,
    server: Server,
    token: String,
    wire: Wire,
    room: Value,
}

impl OnBadDisk {
    async fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        let fault = Fault::new(&folder.0);
        let server = Server::start(&folder.0.join("data"), &fault.env());
        let token = server.user("alice");
        let mut wire = Wire::log_in(server.http, &token).await;
        let room = group(&mut wire, "Tea", &[]).await;
        wire.ok("message.send", draft(&room, "kept", 1)).await;
        Self { _folder: folder, fault, server, token, wire, room }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_the_sends_and_nothing_that_was_acked() {
    let OnBadDisk { _folder, fault, server, mut wire, room, .. } = OnBadDisk::start("full").await;
    fault.set("enospc");
    assert_eq!(wire.refused("message.send", draft(&room, "refused", 1)).await, "store_unavailable");
    assert_eq!(
        wire.ok("room.history", json!({ "room": room })).await["messages"].as_array().unwrap().len(),
        3
    );
    let (status, text) = server.probe("/readyz?verbose");
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("[-]store"), "{text}");
    fault.clear();
    // The store tries by itself; nobody has to send for it to be ready again.
    while server.probe("/readyz").0 != 200 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(wire.ok("message.send", draft(&room, "again", 1)).await["seq"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fsync_ends_all_writing_until_a_restart_which_finds_what_was_acked() {
    let OnBadDisk { _folder, fault, server, token, mut wire, room } = OnBadDisk::start("fsync").await;
    fault.set("eio-sync");
    let lost = draft(&room, "not acked", 1);
    assert_eq!(wire.refused("message.send", lost.clone()).await, "store_unavailable");
    fault.clear();
    assert_eq!(
        wire.refused("message.send", draft(&room, "neither", 1)).await,
        "store_unavailable",
        "an fsync is never tried again"
    );
    assert_eq!(
        wire.ok("room.history", json!({ "room": room })).await["messages"].as_array().unwrap().len(),
        3,
        "reads go on"
    );
    assert_eq!(server.probe("/readyz").0, 503);
    assert_eq!(server.probe("/livez").0, 200);

    let server = server.kill_and_restart();
    let mut wire = Wire::log_in(server.http, &token).await;
    let page = wire.ok("room.history", json!({ "room": room })).await;
    assert!(page["messages"].as_array().unwrap().iter().any(|event| event["body"]["text"] == "kept"));
    let mut again = lost;
    again["attempt"] = json!(2);
    let sent = wire.ok("message.send", again).await;
    assert_eq!(sent["seq"], 4, "once, whether the failed sync had left it there or not");
}
