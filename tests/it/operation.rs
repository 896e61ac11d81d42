//! A server as those see it who run it.

mod descriptors;
mod drain;
mod log;
mod pressure;
mod probes;
mod queue;
mod refusals;
mod reload;
mod systemd;

use rookery_tests::server::{Server, series};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use tokio::task::yield_now;

/// Returns the value of one series of a server, 0 where it has none.
fn metric(server: &Server, name: &str) -> f64 {
    let (_, text) = server.probe("/metrics");
    let value = series(&text).find(|(series, _)| *series == name).map(|(_, value)| value.parse().unwrap());
    value.unwrap_or_default()
}

/// Waits until something is so; a test in which it never is does not end well.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let patience = std::time::Duration::from_secs(60);
    let wait = async {
        while !is_so() {
            yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(patience, wait).await.unwrap_or_else(|_| panic!("it never came to be: {what}"));
}

/// Sends a message and returns its position: it was acked.
async fn say(wire: &mut Wire, room: &Value, text: &str) -> u64 {
    let client_id = uuid::Uuid::from_u128(crate::rooms::fresh());
    let body = json!({ "kind": "text", "text": text });
    let sent = wire.ok("message.send", json!({ "room": room, "client_id": client_id, "body": body })).await;
    sent["seq"].as_u64().unwrap()
}

/// Returns what was said in a room, each with its position.
async fn all_said(wire: &mut Wire, room: &Value) -> Vec<(u64, String)> {
    let head =
        wire.ok("room.open", json!({ "room": room, "after": 0 })).await["head"]["seq"].as_u64().unwrap();
    let mut said = Vec::new();
    loop {
        let event = wire.room_event().await;
        let seq = event["seq"].as_u64().unwrap();
        if let Some(text) = event["body"]["text"].as_str() {
            said.push((seq, text.to_owned()));
        }
        if seq >= head {
            return said;
        }
    }
}
