//! The real binary, started again and again under load: by a kill, and by whoever brings a new version.

use super::{again, log, pipeline, said};
use crate::folder::Folder;
use crate::rooms::group;
use rookery_tests::server::Server;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The longest that nobody is served when a server was killed.
const RECOVERY: Duration = Duration::from_secs(5);

/// A client that sends without a rest, and what it was told.
struct Sender {
    token: String,
    wire: Wire,
    room: Value,
    acked: BTreeMap<String, u64>,
    unanswered: Vec<Value>,
    sent: usize,
}

impl Sender {
    async fn start(server: &Server) -> Self {
        let token = server.user("alice");
        let mut wire = Wire::log_in(server.http, &token).await;
        let room = group(&mut wire, "Tea", &[]).await;
        Self { token, wire, room, acked: BTreeMap::new(), unanswered: Vec::new(), sent: 0 }
    }

    /// Sends what was not answered, and 20 more behind it; hears the first `answers` answers.
    async fn send(&mut self, answers: usize) {
        let mut under_way = again(&mut self.wire, std::mem::take(&mut self.unanswered)).await;
        let texts = (self.sent..self.sent + 20).map(|number| number.to_string());
        self.sent += 20;
        under_way.extend(pipeline(&mut self.wire, &self.room, texts).await);
        let rest = under_way.split_off(answers.min(under_way.len()));
        for (id, draft) in under_way {
            let seq = self.wire.reply(id).await.expect("it is taken")["seq"].as_u64().expect("it has one");
            self.acked.insert(said(&draft).to_owned(), seq);
        }
        self.unanswered = rest.into_iter().map(|(_, draft)| draft).collect();
    }

    /// Hears all there is to the end of the connection. Returns its code, and what was said last.
    async fn hear_out(&mut self) -> (u16, Value) {
        let mut last = Value::Null;
        loop {
            match self.wire.heard().await {
                Heard::Said(said) => last = said,
                Heard::Closed(code) => return (code, last),
            }
        }
    }

    async fn come_back(&mut self, server: &Server) {
        self.wire = Wire::log_in(server.http, &self.token).await;
    }

    /// Everything is there once, in the order it was sent, and where the ack said.
    async fn check(mut self) {
        self.send(usize::MAX).await;
        let log = log(&mut self.wire, &self.room).await;
        let in_order: Vec<_> = log.iter().map(|(_, said)| said.clone()).collect();
        assert_eq!(in_order, (0..self.sent).map(|number| number.to_string()).collect::<Vec<_>>());
        let kept: BTreeMap<_, _> = log.into_iter().map(|(seq, said)| (said, seq)).collect();
        assert!(self.acked.iter().all(|(said, seq)| kept.get(said) == Some(seq)), "{kept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_serves_again_within_five_seconds_and_has_what_it_acked() {
    let folder = Folder::new("recovery");
    let mut server = Server::start(&folder.0, &[]);
    let mut sender = Sender::start(&server).await;
    for round in 0..10 {
        sender.send(2 * round).await;
        let killed = Instant::now();
        server = server.kill_and_restart();
        sender.hear_out().await;
        sender.come_back(&server).await;
        sender.wire.ok("room.history", json!({ "room": sender.room })).await;
        assert!(killed.elapsed() < RECOVERY, "{:?}", killed.elapsed());
    }
    sender.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_restarts_under_load_say_when_to_come_back_and_lose_nothing_acked() {
    let folder = Folder::new("restarts");
    let no_delay = [("ROOKERY_SERVER__DRAIN_DELAY_SECONDS", "0")];
    let mut server = Server::start(&folder.0, &no_delay);
    let mut sender = Sender::start(&server).await;
    for round in 0..20 {
        sender.send(round).await;
        let stopping = tokio::task::spawn_blocking(move || server.terminate_and_restart());
        let (code, last) = sender.hear_out().await;
        assert_eq!((code, &last["ev"]), (4000, &json!("bye")), "{last}");
        assert!(last["d"]["retry_after_ms"].is_u64(), "{last}");
        server = stopping.await.unwrap();
        sender.come_back(&server).await;
    }
    sender.check().await;
}
