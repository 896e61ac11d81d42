//! A client of a story: it does what chance says, repeats what it has no answer to, and resumes from its
//! position, on any node.

use super::of;
use super::scribe::{Asked, Scribe};
use crate::chat::name;
use crate::cluster::Cluster;
use rookery_protocol::{Seq, UserId};
use rookery_tests::journal::Act;
use rookery_tests::wire::{Heard, Wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Commands that a client has under way.
const UNDER_WAY: usize = 8;

/// How long a client waits before it says again what was put off.
const PAUSE: Duration = Duration::from_millis(30);

/// How long a story may take to come to its end.
const END_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Player {
    pub(super) scribe: Scribe,
    rng: fastrand::Rng,
    number: usize,
    token: String,
    /// Whom the owner removes and adds.
    others: Vec<UserId>,
    wire: Option<Wire>,
    asked: BTreeMap<u64, Asked>,
    /// What is to be said again.
    again: BTreeMap<u64, Asked>,
    order: u64,
    position: Seq,
    is_open: bool,
    is_opening: bool,
}

impl Player {
    pub(super) fn new(seed: u64, number: usize, token: String, scribe: Scribe, others: Vec<UserId>) -> Self {
        let rng = fastrand::Rng::with_seed(seed * 1000 + number as u64);
        let (asked, again) = Default::default();
        Self {
            scribe,
            rng,
            number,
            token,
            others,
            wire: None,
            asked,
            again,
            order: 0,
            position: Seq::ZERO,
            is_open: false,
            is_opening: false,
        }
    }

    /// Connects to some node and opens the room from the position on.
    pub(super) async fn connect(&mut self, cluster: &Cluster) {
        self.disconnected();
        let node = self.rng.usize(..cluster.nodes.len());
        self.wire = Some(Wire::log_in(cluster.nodes[node].http(), &self.token).await);
        self.scribe.conn += 1;
        self.open().await;
    }

    /// The connection is gone: what has no answer is said again, but for what has no name.
    fn disconnected(&mut self) {
        if self.wire.take().is_some() {
            self.scribe.put(Act::Closed { code: None });
        }
        (self.is_open, self.is_opening) = (false, false);
        let named = std::mem::take(&mut self.asked).into_values().filter(|asked| is_named(&asked.d));
        self.again.extend(named.map(|asked| (asked.order, asked)));
    }

    async fn open(&mut self) {
        self.is_opening = true;
        let d = json!({ "after": self.position });
        self.ask("room.open", d).await;
    }

    async fn ask(&mut self, op: &'static str, d: Value) {
        self.order += 1;
        let d = of(self.scribe.room, d);
        self.send(Asked { op, d, attempt: 1, order: self.order, at: 0 }).await;
    }

    async fn send(&mut self, mut asked: Asked) {
        let Some(wire) = &mut self.wire else { return };
        asked.at = self.scribe.now();
        self.scribe.sends(&asked);
        let mut d = asked.d.clone();
        if asked.op == "message.send" {
            d["attempt"] = json!(asked.attempt);
        }
        let id = wire.send(asked.op, d).await;
        self.asked.insert(id, asked);
    }

    /// Says again what was put off, in its first order, once nothing named is under way.
    async fn repeat(&mut self) {
        if self.again.is_empty() || self.asked.values().any(|asked| is_named(&asked.d)) {
            return;
        }
        for (_, asked) in std::mem::take(&mut self.again) {
            self.send(Asked { attempt: asked.attempt + 1, ..asked }).await;
        }
    }

    /// Does something.
    pub(super) async fn step(&mut self, cluster: &Cluster) {
        let time = Duration::from_millis(self.rng.u64(0..25));
        self.hear_for(time).await;
        if self.rng.u32(..60) == 0 || self.wire.is_none() {
            return self.connect(cluster).await;
        }
        self.repeat().await;
        if !self.is_open && !self.is_opening && self.rng.bool() {
            return self.open().await;
        }
        if self.asked.len() >= UNDER_WAY || !self.again.is_empty() {
            return;
        }
        let target = self.rng.u64(1..=self.position.0.max(1));
        match self.rng.u32(..24) {
            0..10 => {
                for _ in 0..self.rng.usize(1..4) {
                    let body = json!({ "kind": "text", "text": format!("{}:{}", self.number, self.order) });
                    self.ask("message.send", json!({ "client_id": name(), "body": body })).await;
                }
            }
            10 | 11 => {
                let body = json!({ "kind": "text", "text": format!("edited {}", self.order) });
                self.ask("message.edit", json!({ "client_id": name(), "target": target, "body": body }))
                    .await;
            }
            12 => self.ask("message.delete", json!({ "client_id": name(), "target": target })).await,
            13 | 14 => {
                let d =
                    json!({ "client_id": name(), "target": target, "emoji": "👍", "on": self.rng.bool() });
                self.ask("reaction.set", d).await;
            }
            15 | 16 => self.ask("read.mark", json!({ "seq": self.position.0.max(1) })).await,
            17 | 18 => self.ask("room.get", json!({})).await,
            19 => self.ask("room.history", json!({ "after": target.saturating_sub(1), "limit": 20 })).await,
            20 => self.ask("typing.set", json!({ "on": true })).await,
            21 if self.number == 0 => {
                let other = self.others[self.rng.usize(..self.others.len())];
                if self.rng.bool() {
                    self.ask("member.remove", json!({ "user": other })).await;
                } else {
                    self.ask("member.add", json!({ "users": [other] })).await;
                }
            }
            _ => {}
        }
    }

    async fn hear_for(&mut self, time: Duration) {
        let hearing = async {
            while self.wire.is_some() {
                self.hear().await;
            }
        };
        drop(tokio::time::timeout(time, hearing).await);
    }

    async fn hear(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        match wire.heard().await {
            Heard::Closed(_) => self.disconnected(),
            Heard::Said(said) => match said["ev"].as_str() {
                Some(ev) => self.event(ev, &said["d"]),
                None => self.reply(&said),
            },
        }
    }

    fn event(&mut self, ev: &str, d: &Value) {
        if let Some(seq) = self.scribe.heard(ev, d) {
            self.position = seq;
        }
        if ["room.lagged", "room.removed"].contains(&ev) && d["room"] == json!(self.scribe.room) {
            self.is_open = false;
        }
    }

    fn reply(&mut self, said: &Value) {
        let Some(asked) = said["id"].as_u64().and_then(|id| self.asked.remove(&id)) else { return };
        if asked.op == "room.open" {
            self.is_opening = false;
        }
        let Some(ok) = said.get("ok") else {
            let error = &said["err"];
            self.scribe.refused(&asked, error);
            if error["retryable"] == true && is_named(&asked.d) {
                self.again.insert(asked.order, asked);
            }
            return;
        };
        self.scribe.done(&asked, ok);
        if asked.op == "room.open" {
            self.is_open = true;
            self.position = Seq(ok["from"].as_u64().unwrap() - 1);
        }
    }

    /// Waits until everything named has an answer.
    pub(super) async fn settle(&mut self, cluster: &Cluster) {
        let settling = async {
            while !(self.asked.is_empty() && self.again.is_empty()) || self.wire.is_none() {
                if self.wire.is_none() {
                    self.connect(cluster).await;
                }
                self.repeat().await;
                self.hear_for(PAUSE).await;
            }
        };
        let settled = tokio::time::timeout(END_WITHIN, settling).await;
        assert!(settled.is_ok(), "{} has no answer to {:?}, {:?}", self.number, self.asked, self.again);
    }

    /// Waits until everything up to `head` is heard, by whoever is a member.
    pub(super) async fn hear_up_to(&mut self, cluster: &Cluster, head: Seq) {
        let hearing = async {
            loop {
                if self.wire.is_none() {
                    self.connect(cluster).await;
                }
                if self.is_open && self.position >= head {
                    return;
                }
                if !self.is_open && !self.is_opening {
                    self.open().await;
                    while self.is_opening && self.wire.is_some() {
                        self.hear().await;
                    }
                    if !self.is_open && self.wire.is_some() {
                        // No member any more.
                        return;
                    }
                }
                self.hear_for(PAUSE).await;
            }
        };
        let all = tokio::time::timeout(END_WITHIN, hearing).await;
        let (number, position) = (self.number, self.position);
        assert!(all.is_ok(), "{number}, {}, has heard {position} of {head}", self.scribe.user());
    }
}

fn is_named(d: &Value) -> bool {
    d.get("client_id").is_some()
}
