//! The rows of the fault matrix that have no test elsewhere. `tests/README.md` lists all rows with their
//! promises and their tests.

mod clock;
mod crowd;
mod deploy;
mod late;
mod network;
mod power;
mod store;

mod wal;

use crate::chat::{draft, text};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

/// Sends texts one behind the other, and returns what was sent with the ids of the commands.
async fn pipeline(wire: &mut Wire, room: &Value, texts: impl Iterator<Item = String>) -> Vec<(u64, Value)> {
    let mut sent = Vec::new();
    for said in texts {
        let draft = draft(room, &text(&said));
        sent.push((wire.send("message.send", draft.clone()).await, draft));
    }
    sent
}

/// Sends drafts again, under their names.
async fn again(wire: &mut Wire, drafts: Vec<Value>) -> Vec<(u64, Value)> {
    let mut sent = Vec::new();
    for mut draft in drafts {
        draft["attempt"] = json!(draft["attempt"].as_u64().unwrap_or(1) + 1);
        sent.push((wire.send("message.send", draft.clone()).await, draft));
    }
    sent
}

fn said(draft: &Value) -> &str {
    draft["body"]["text"].as_str().expect("it is a text")
}

/// Returns the texts of a room with their positions, having checked that no position is missing.
async fn log(wire: &mut Wire, room: &Value) -> Vec<(u64, String)> {
    let events = crate::chat::replay(wire, room).await;
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event["seq"], seq, "without a gap");
    }
    let texts = events.iter().filter(|event| event["type"] == "message");
    texts.map(|event| (event["seq"].as_u64().expect("it has one"), said(event).to_owned())).collect()
}
