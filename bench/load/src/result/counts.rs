//! What was sent, what arrived, and what should not have happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Counts of a phase or of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// Connections that were opened and authenticated, first ones and later ones.
    pub connected: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that the server said are durable.
    pub acked: u64,
    /// Events of messages that subscribers got, each subscriber counted.
    pub deliveries: u64,
    /// Rooms that came back by `room.open` with a position.
    pub resumed: u64,
    /// Connections that had to be made anew.
    pub reconnects: u64,
    /// Sends that an open schedule asked for and that the client could not make.
    pub unsent: u64,
    /// Bytes read from sockets.
    pub bytes_in: u64,
    /// Bytes written to sockets.
    pub bytes_out: u64,
    /// Events that a subscriber should have got and did not.
    pub lost: u64,
    /// Events that a subscriber got twice.
    pub doubled: u64,
    /// Events that came after a later one.
    pub reordered: u64,
    /// Events whose content is not what was sent.
    pub damaged: u64,
    /// Commands that were refused, by error code, and closed connections as `close 4xxx`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
}

impl Counts {
    /// Returns how often a promise was broken: what was lost, doubled, reordered or damaged.
    pub fn violations(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.damaged
    }
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        // Every field by name, so that a new one cannot be forgotten here.
        let Self {
            connected,
            sent,
            acked,
            deliveries,
            resumed,
            reconnects,
            unsent,
            bytes_in,
            bytes_out,
            lost,
            doubled,
            reordered,
            damaged,
            refused,
        } = other;
        self.connected += connected;
        self.sent += sent;
        self.acked += acked;
        self.deliveries += deliveries;
        self.resumed += resumed;
        self.reconnects += reconnects;
        self.unsent += unsent;
        self.bytes_in += bytes_in;
        self.bytes_out += bytes_out;
        self.lost += lost;
        self.doubled += doubled;
        self.reordered += reordered;
        self.damaged += damaged;
        for (code, count) in refused {
            *self.refused.entry(code.clone()).or_default() += count;
        }
    }
}
