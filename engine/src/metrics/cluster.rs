//! The cluster: the bus, the other nodes, and what is forwarded, followed and found missing.

use super::buckets::TRIPS;
use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::{Bytes, Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

const BUS_FRAMES: &[&str] = &[
    "pulse",
    "follow",
    "followed",
    "unfollow",
    "events",
    "beacon",
    "submit",
    "answered",
    "signal",
    "heads",
    "login_ended",
    "user_changed",
    "block_changed",
    "astray",
    "watch",
    "unwatch",
    "presence",
    "user_ended",
    "unknown",
];
const FORWARDED: &[&str] = &["answered", "not_taken", "unknown", "late", "moved"];

subject! {
    /// Counts what goes on between nodes.
    ClusterMetrics {
        sent: By<Counter> = Row::of("rookery_bus_frames_sent_total", Count, "Frames sent to other nodes, by kind; one that goes to several counts once for each.").by(&["kind"], Each(BUS_FRAMES));
        heard: By<Counter> = Row::of("rookery_bus_frames_received_total", Count, "Frames of other nodes received, by kind; `unknown` are those of a newer version, or broken.").by(&["kind"], Each(BUS_FRAMES));
        lost: Counter = Row::of("rookery_bus_losses_total", Count, "Times that frames of other nodes may have been lost, so that rooms were compared with the store.");
        away: Counter = Row::of("rookery_bus_away_seconds_total", Seconds, "Time for which the bus was away.");
        sent_bytes: Counter = Row::of("rookery_bus_sent_bytes_total", Bytes, "Bytes of frames sent to other nodes; one that goes to several counts once for each.");
        heard_bytes: Counter = Row::of("rookery_bus_received_bytes_total", Bytes, "Bytes of frames of other nodes received.");
        unsent: Counter = Row::of("rookery_bus_frames_unsent_total", Count, "Frames to other nodes that were not taken, because the bus was away or too many waited.");
        connected: Gauge = Row::of("rookery_bus_connected", Count, "Whether the bus is there: 1 or 0. A node without others has one that always is.");
        peers: Gauge = Row::of("rookery_bus_peers", Count, "Other nodes whose lease holds, as last heard.");
        nodes: Gauge = Row::of("rookery_cluster_nodes", Count, "Nodes whose lease holds, this one included.");
        lag_seconds: Histogram = Row::of("rookery_bus_lag_seconds", Seconds, "Time from the order of an event on another node until it is heard of here, its append included, by the clocks of the two.").over(TRIPS);
        forwards: By<Counter> = Row::of("rookery_forwards_total", Count, "Writes that were sent to the home of their room on another node, by what became of that.").by(&["outcome"], Each(FORWARDED));
        gaps: Counter = Row::of("rookery_room_gaps_total", Count, "Times that a room lacked events of another node and read them from the store.");
        followed: Gauge = Row::of("rookery_followed_rooms", Count, "Rooms with their home here that other nodes follow.");
    }
}
