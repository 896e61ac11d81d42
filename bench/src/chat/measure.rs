//! One client that comes to each situation again and again.

use super::report::Case;
use crate::process::cpu_seconds;
use anyhow::ensure;
use hdrhistogram::Histogram;
use rookery_protocol::{RoomId, Seq};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Entries of a page: as many as a client may ask for.
const PAGE: usize = 100;

/// The longest that a room may take to be passivated.
const PATIENCE: Duration = Duration::from_secs(10);

/// The client.
#[derive(Debug)]
pub(super) struct Visitor<'a> {
    node: &'a TestNode,
    wire: Wire,
    random: fastrand::Rng,
    samples: u32,
}

impl<'a> Visitor<'a> {
    pub(super) async fn new(node: &'a TestNode, token: &str, samples: u32) -> Self {
        let wire = Wire::log_in(node.http(), token).await;
        Self { node, wire, random: fastrand::Rng::with_seed(1), samples }
    }

    /// Opens a room that is not active: its actor reads all of it from the store first.
    pub(super) async fn cold_opens(&mut self, room: RoomId) -> anyhow::Result<Case> {
        let (mut latency, cpu) = (Histogram::new(3)?, cpu_seconds("self")?);
        for _ in 0..self.samples {
            self.passivate().await?;
            self.open(room, &mut latency).await?;
        }
        Ok(Case::new(
            "room.open, the first after the room was passivated",
            &latency,
            cpu_seconds("self")? - cpu,
        ))
    }

    /// Opens a room that is active.
    pub(super) async fn warm_opens(&mut self, room: RoomId) -> anyhow::Result<Case> {
        let (mut latency, cpu) = (Histogram::new(3)?, cpu_seconds("self")?);
        for _ in 0..self.samples {
            self.open(room, &mut latency).await?;
        }
        Ok(Case::new("room.open of an active room", &latency, cpu_seconds("self")? - cpu))
    }

    /// Reads pages from the middle half of a log.
    pub(super) async fn pages(&mut self, room: RoomId, head: Seq) -> anyhow::Result<Case> {
        let (mut latency, cpu) = (Histogram::new(3)?, cpu_seconds("self")?);
        let mut changed = 0;
        for _ in 0..self.samples {
            let around = self.random.u64(head.0 / 4..head.0 / 4 * 3);
            let asked = json!({ "room": room, "around": around, "limit": PAGE });
            let page = self.timed("room.history", asked, &mut latency).await?;
            let messages = page["messages"].as_array().map_or(&[][..], Vec::as_slice);
            ensure!(messages.len() == PAGE, "a page of {} messages", messages.len());
            changed += messages.iter().filter(|message| is_changed(message)).count();
        }
        ensure!(changed > 0, "no message on the pages was changed");
        Ok(Case::new("room.history around a message in the middle", &latency, cpu_seconds("self")? - cpu))
    }

    /// Reads the first page of the list of rooms.
    pub(super) async fn first_pages(&mut self) -> anyhow::Result<Case> {
        let (mut latency, cpu) = (Histogram::new(3)?, cpu_seconds("self")?);
        for _ in 0..self.samples {
            let page = self.timed("room.list", json!({ "limit": PAGE }), &mut latency).await?;
            ensure!(rooms_in(&page) == PAGE, "a page of {} rooms", rooms_in(&page));
        }
        Ok(Case::new("room.list, the first page", &latency, cpu_seconds("self")? - cpu))
    }

    /// Reads the whole list of rooms, of which there are `rooms`, page by page, again and again.
    pub(super) async fn later_pages(&mut self, rooms: u32) -> anyhow::Result<Case> {
        let (mut latency, cpu) = (Histogram::new(3)?, cpu_seconds("self")?);
        while latency.len() < u64::from(self.samples) {
            let mut page = self.wire.ok("room.list", json!({ "limit": PAGE })).await;
            let mut listed = rooms_in(&page);
            while let Some(cursor) = page.get("next") {
                let asked = json!({ "limit": PAGE, "cursor": cursor });
                page = self.timed("room.list", asked, &mut latency).await?;
                listed += rooms_in(&page);
            }
            ensure!(listed == usize::try_from(rooms)?, "{listed} rooms are listed");
        }
        Ok(Case::new("room.list, the pages after it", &latency, cpu_seconds("self")? - cpu))
    }

    async fn open(&mut self, room: RoomId, latency: &mut Histogram<u64>) -> anyhow::Result<()> {
        let opened = self.timed("room.open", json!({ "room": room }), latency).await?;
        ensure!(opened["status"] == "replayed", "opened otherwise: {opened}");
        self.wire.ok("room.close", json!({ "room": room })).await;
        Ok(())
    }

    /// Has every room passivated.
    async fn passivate(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.node.node().active_rooms() > 0 {
            ensure!(begun.elapsed() < PATIENCE, "a room stays active");
            self.node.advance(Duration::from_millis(2));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn timed(&mut self, op: &str, d: Value, latency: &mut Histogram<u64>) -> anyhow::Result<Value> {
        let begun = Instant::now();
        let reply = self.wire.ok(op, d).await;
        latency.record(u64::try_from(begun.elapsed().as_nanos())?)?;
        Ok(reply)
    }
}

fn rooms_in(page: &Value) -> usize {
    page["rooms"].as_array().map_or(0, Vec::len)
}

fn is_changed(message: &Value) -> bool {
    message["rev"].as_u64().is_some_and(|rev| rev > 0)
}
