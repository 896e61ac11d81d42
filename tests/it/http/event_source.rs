//! A reader of event streams that knows only what the standard says (WHATWG HTML, section 9.2.6).

use super::{Raw, RawAnswer};
use rookery_tests::node::TestNode;
use serde_json::Value;
use std::time::Duration;

/// How long a test waits before it says that nothing came.
const PATIENCE: Duration = Duration::from_secs(30);

/// One open stream.
pub(crate) struct EventSource {
    raw: Raw,
    text: String,
    /// What the next reconnect says where it was.
    pub(crate) last_id: String,
    /// How long the next reconnect waits.
    pub(crate) retry: Option<u32>,
    /// Comments heard so far.
    pub(crate) comments: usize,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl EventSource {
    /// Opens the stream of `query`.
    ///
    /// # Errors
    /// The answer, where it is no stream.
    pub(crate) async fn open(
        node: &TestNode,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, RawAnswer> {
        let mut raw = Raw::connect(node.http()).await;
        raw.request("GET", &format!("/v1/events?{query}"), headers, &Value::Null).await;
        let answer = raw.answer().await.expect("an answer");
        if answer.status != 200 {
            return Err(answer);
        }
        assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let last_id = headers.iter().find(|(name, _)| *name == "last-event-id");
        let last_id = last_id.map(|(_, id)| (*id).to_owned()).unwrap_or_default();
        Ok(Self { raw, text: String::new(), last_id, retry: None, comments: 0 })
    }

    /// Returns the next event, or `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if let Some(told) = self.block(&block) {
                    return Some(told);
                }
            }
            self.more().await?;
        }
    }

    /// Waits for a comment that has not been counted yet.
    pub(crate) async fn comment(&mut self) {
        let before = self.comments;
        while self.comments == before {
            self.more().await.expect("the stream is open");
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                assert_eq!(self.block(&block), None, "no event is to come before");
            }
        }
    }

    /// Returns the next event, which must be there and have this name.
    pub(crate) async fn expect(&mut self, event: &str) -> Value {
        let told = self.next().await.unwrap_or_else(|| panic!("the stream ended before {event}"));
        assert_eq!(told.event, event, "{}", told.data);
        told.data
    }

    /// Takes what a stream of `rooms` rooms begins with, and returns each `room.opened`.
    pub(crate) async fn begin(&mut self, rooms: usize) -> Vec<Value> {
        self.expect("hello").await;
        let mut opened = Vec::new();
        let mut is_ready = false;
        while opened.len() < rooms || !is_ready {
            let told = self.next().await.expect("the stream begins");
            match told.event.as_str() {
                "ready" => is_ready = true,
                "room.opened" => opened.push(told.data),
                other => panic!("{other} before all rooms were open"),
            }
        }
        opened
    }

    fn block(&mut self, block: &str) -> Option<Told> {
        let (mut event, mut data) = (String::new(), String::new());
        for line in block.lines() {
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("", _)) => self.comments += 1,
                Some(("id", id)) => id.clone_into(&mut self.last_id),
                Some(("event", name)) => name.clone_into(&mut event),
                Some(("data", value)) => data.push_str(value),
                Some(("retry", millis)) => self.retry = Some(millis.parse().expect("a number")),
                _ => assert_eq!(line, ""),
            }
        }
        (!data.is_empty()).then(|| Told { event, data: serde_json::from_str(&data).expect("data is JSON") })
    }

    async fn more(&mut self) -> Option<()> {
        let chunk = tokio::time::timeout(PATIENCE, self.raw.chunk()).await.expect("something comes")?;
        self.text.push_str(std::str::from_utf8(&chunk).expect("a stream is text"));
        Some(())
    }
}
