//! Connections: who is there, what goes over the sockets, and how fast it is read at the other end.

use super::buckets::{BYTES, QUEUE, TRIPS};
use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::{Bytes, Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

const CODECS: &[&str] = &["json", "msgpack", "sse"];

/// 1001 and 1006 are how a peer ends; the others are `CloseCode`.
const CLOSE_CODES: &[&str] = &[
    "1000", "1001", "1002", "1006", "1007", "1009", "4000", "4001", "4002", "4003", "4004", "4005", "4006",
    "4500", "4501", "4502", "4503", "4504", "4505", "4506",
];

subject! {
    /// Counts connections and what goes over them.
    EdgeMetrics {
        connections: By<Gauge> = Row::of("rookery_connections", Count, "Open WebSocket connections and event streams.").by(&["codec"], Each(CODECS));
        connects: Counter = Row::of("rookery_connects_total", Count, "WebSocket connections and event streams accepted.");
        closes: By<Counter> = Row::of("rookery_closes_total", Count, "WebSocket connections and event streams ended, by the close code the server sent or the peer's end.").by(&["code"], Each(CLOSE_CODES));
        frames_in: Counter = Row::of("rookery_frames_received_total", Count, "WebSocket messages received.");
        bytes_in: Counter = Row::of("rookery_received_bytes_total", Bytes, "Bytes of WebSocket messages received.");
        frames_out: Counter = Row::of("rookery_frames_sent_total", Count, "Frames written to WebSockets and event streams.");
        bytes_out: Counter = Row::of("rookery_sent_bytes_total", Bytes, "Bytes of those frames, headers included.");
        ping_seconds: Histogram = Row::of("rookery_ping_round_trip_seconds", Seconds, "Time from a ping of the server to the first sign of life after it.").over(TRIPS);
        outbox_frames: Histogram = Row::of("rookery_outbox_frames", Count, "Frames in an outbox when it is written from; a sample, see the operator's guide.").over(QUEUE);
        outbox_bytes: Histogram = Row::of("rookery_outbox_bytes", Bytes, "Bytes in an outbox when it is written from; the same sample.").over(BYTES);
        slow_readers: Gauge = Row::of("rookery_slow_readers", Count, "Connections whose peer took nothing since the last look although something waits.");
    }
}
