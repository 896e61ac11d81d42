//! What the writer does beside: rooms that nobody searches leave the index, and the words of messages that
//! are gone leave its files.

use super::Writer;
use rookery_protocol::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long the writer lets pass. It bounds how often a segment is written anew for a message that is
/// gone, and so what that costs: all of the index an hour at the very most.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How long it lets pass while segments are written anew, whose old files then go.
const SOON: Duration = Duration::from_secs(60);

/// Events taken in after which the size is looked at in any case: some 100 MB.
const EVENTS: u64 = 200_000;

/// The part of the bound that is left where the index is above it, so that it is not above it at once again.
const LEFT: f64 = 0.75;

/// When the index is looked after next.
#[derive(Debug)]
pub(super) struct Tidy {
    purge_at: Instant,
    /// Set while the old files of segments wait to be removed.
    collect_at: Option<Instant>,
    events: u64,
}

impl Tidy {
    /// Returns that it is due: what happened before the start is not known.
    pub(super) fn due() -> Self {
        Self { purge_at: Instant::now(), collect_at: None, events: 0 }
    }

    pub(super) fn is_due(&self) -> bool {
        self.events >= EVENTS || self.rest().is_zero()
    }

    pub(super) fn rest(&self) -> Duration {
        self.collect_at.unwrap_or(self.purge_at).saturating_duration_since(Instant::now())
    }

    pub(super) fn took_in(&mut self, events: u64) {
        self.events += events;
    }
}

impl Writer {
    /// Looks after the index.
    pub(super) fn tidy(&mut self) {
        self.tidy.events = 0;
        self.tidy.collect_at = None;
        if let Err(error) = self.try_to_tidy() {
            tracing::warn!(%error, "the search index is not tidied up");
            self.fail();
            self.tidy.purge_at = Instant::now() + EVERY;
        }
    }

    fn try_to_tidy(&mut self) -> tantivy::Result<()> {
        let keep = i64::try_from(self.folder.options().keep.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(self.clock.now().0.saturating_sub(keep));
        let part = self.part_too_much()?;
        let Some(index) = &mut self.index else { return Ok(()) };
        let logs = self.rooms.forget(before, part);
        if !logs.is_empty() {
            tracing::info!(rooms = logs.len(), "rooms leave the search index");
            for log in logs {
                index.take_out(log);
            }
            index.commit()?;
        }
        if Instant::now() >= self.tidy.purge_at {
            self.tidy.purge_at = Instant::now() + EVERY;
            self.tidy.collect_at = index.purge()?.then(|| Instant::now() + SOON);
        }
        index.renew()?;
        self.rooms.renewed(index.searcher());
        index.collect()
    }

    /// Returns which part of the index is to leave it.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn part_too_much(&self) -> std::io::Result<f64> {
        let (bytes, bound) = (self.folder.bytes()?, self.folder.options().disk_bytes);
        Ok(if bytes > bound { 1.0 - LEFT * bound as f64 / bytes as f64 } else { 0.0 })
    }
}
