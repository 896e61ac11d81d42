//! Rooms: their audiences, who opens them, and how they come and go.

use super::buckets::{AUDIENCE, REPLAYED, SECONDS};
use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::{Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

const OPENS_BY: &[&str] = &["head", "replayed", "reset"];
const ACTIVATED: &[&str] = &["ready", "absent", "failed"];
const PASSIVATED_FOR: &[&str] = &["idle", "absent", "drained", "failed"];

subject! {
    /// Counts what rooms do.
    RoomMetrics {
        deliveries: Counter = Row::of("rookery_deliveries_total", Count, "Events queued to connections.");
        recipients: Histogram = Row::of("rookery_fan_out_recipients", Count, "Connections that an event is queued to.").over(AUDIENCE);
        relays_full: Counter = Row::of("rookery_relays_full_total", Count, "Slices of large audiences that their room told itself because too much waited for their relay.");
        lagged: Counter = Row::of("rookery_lagged_total", Count, "Connections that fell too far behind a room and were told to open it again.");
        signals_dropped: Counter = Row::of("rookery_signals_dropped_total", Count, "Signals not queued because too much waited for their connection.");
        opens: By<Counter> = Row::of("rookery_room_opens_total", Count, "Rooms opened, by how the stream was joined.").by(&["result"], Each(OPENS_BY));
        replayed: Histogram = Row::of("rookery_replayed_events", Count, "Events that a client lacks when it opens a room at a position.").over(REPLAYED);
        activations: By<Counter> = Row::of("rookery_room_activations_total", Count, "Room actors that have read their state, by what came of it.").by(&["result"], Each(ACTIVATED));
        activation_seconds: Histogram = Row::of("rookery_room_activation_duration_seconds", Seconds, "Time to read a room's state from the store.").over(SECONDS);
        passivations: By<Counter> = Row::of("rookery_room_passivations_total", Count, "Room actors that went, by why; one that panicked is in the failures of actors.").by(&["reason"], Each(PASSIVATED_FOR));
        parks: Counter = Row::of("rookery_room_parks_total", Count, "Rooms that failed again and again, and were parked.");
        parked: Gauge = Row::of("rookery_parked_rooms", Count, "Rooms that are parked.");
        heard: Gauge = Row::of("rookery_heard_rooms", Count, "Rooms that a connection hears.");
    }
}
