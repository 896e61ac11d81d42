//! The metrics catalogue: every metric of the server, once, and the handles to them.
//!
//! Handles belong to a node and its own recorder, not to the process, so that two nodes in one
//! test count apart. Every label has a bounded set of values; none is an id.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, Unit};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes both ways.
    Gauge,
    /// A distribution over [`SECONDS`] or [`SIZES`].
    Histogram,
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The full name, unit and `_total` included.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it counts in.
    pub unit: Unit,
    /// Its label, if it has one, and every value that it takes.
    pub label: Option<(&'static str, &'static [&'static str])>,
    /// What it says.
    pub help: &'static str,
}

/// Upper bounds of duration histograms, in seconds: 50 µs to 10 s, about 2.5 apart, because an
/// embedded append takes 0.2 ms and a request is given up after 10 s.
pub const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// Upper bounds of size histograms: powers of two up to the largest batch.
pub const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0];

const CODECS: &[&str] = &["json", "msgpack", "sse"];
const ACTORS: &[&str] = &["session", "room"];

macro_rules! catalogue {
    ($($row:ident = $kind:ident $name:literal $unit:ident $label:expr, $help:literal;)*) => {
        $(const $row: Row = Row { name: $name, kind: Kind::$kind, unit: Unit::$unit, label: $label, help: $help };)*
        /// Every metric.
        pub const CATALOGUE: &[Row] = &[$($row),*];
    };
}

catalogue! {
    CONNECTIONS = Gauge "rookery_connections" Count Some(("codec", CODECS)), "Open WebSocket connections and event streams.";
    CONNECTS = Counter "rookery_connects_total" Count None, "WebSocket connections and event streams accepted.";
    CLOSES = Counter "rookery_closes_total" Count Some(("code", CLOSE_CODES)), "WebSocket connections and event streams ended, by the close code the server sent or the peer's end.";
    FRAMES_IN = Counter "rookery_frames_received_total" Count None, "WebSocket messages received.";
    BYTES_IN = Counter "rookery_received_bytes_total" Bytes None, "Bytes of WebSocket messages received.";
    FRAMES_OUT = Counter "rookery_frames_sent_total" Count None, "Frames written to WebSockets and event streams.";
    BYTES_OUT = Counter "rookery_sent_bytes_total" Bytes None, "Bytes of those frames, headers included.";
    COMMANDS = Counter "rookery_commands_total" Count None, "Commands received and understood.";
    ERRORS = Counter "rookery_command_errors_total" Count Some(("code", ERROR_CODES)), "Commands answered with an error.";
    ACTORS_RUNNING = Gauge "rookery_actors" Count Some(("kind", ACTORS)), "Actors running.";
    ACTORS_STARTED = Counter "rookery_actor_starts_total" Count Some(("kind", ACTORS)), "Actors started.";
    ACTORS_FAILED = Counter "rookery_actor_failures_total" Count Some(("kind", ACTORS)), "Actors ended by a panic.";
    APPENDS = Counter "rookery_appends_total" Count Some(("outcome", OUTCOMES)), "Batches sent to the store, by outcome.";
    APPEND_EVENTS = Histogram "rookery_append_events" Count None, "Events in a batch.";
    APPEND_SECONDS = Histogram "rookery_append_duration_seconds" Seconds None, "Time from sending a batch to the store until it is durable.";
    MESSAGE_SECONDS = Histogram "rookery_message_duration_seconds" Seconds None, "Time from a draft's arrival in its room until it is acknowledged and fanned out.";
    DELIVERIES = Counter "rookery_deliveries_total" Count None, "Events queued to connections.";
    LAGGED = Counter "rookery_lagged_total" Count None, "Connections that fell too far behind a room and were told to open it again.";
    DUPLICATES = Counter "rookery_duplicates_total" Count None, "Writes that were answered from the log because they had been made before.";
    OPENS = Counter "rookery_room_opens_total" Count Some(("result", OPENS_BY)), "Rooms opened, by how the stream was joined.";
    PRESENCE_USERS = Gauge "rookery_presence_users" Count None, "Users with a connection, however they are shown.";
    PRESENCE_WATCHES = Gauge "rookery_presence_watches" Count None, "Users on the watch lists of all connections, counted once for each list.";
    PRESENCE_EVENTS = Counter "rookery_presence_events_total" Count None, "Presence events queued to watchers.";
    PRESENCE_HELD = Counter "rookery_presence_held_total" Count None, "Presence events not queued, because too much waited for their watcher; told later.";
    HTTP_REQUESTS = Counter "rookery_http_requests_total" Count Some(("class", STATUS_CLASSES)), "HTTP requests answered, by class of status.";
    HTTP_SECONDS = Histogram "rookery_http_request_duration_seconds" Seconds None, "Time to answer an HTTP request.";
    TOKEN_LOOKUPS = Counter "rookery_token_lookups_total" Count Some(("result", LOOKUPS)), "Access tokens of HTTP requests found good, by whether they were remembered or read from the store.";
    POLLS = Counter "rookery_polls_total" Count Some(("result", POLLED)), "Conditional requests for a page, by what answered them.";
    SEARCH_SECONDS = Histogram "rookery_search_duration_seconds" Seconds None, "Time to answer a search that was allowed.";
    SEARCH_INDEXED = Counter "rookery_search_indexed_total" Count None, "Events of the log that the search index has taken in.";
    SEARCH_BEHIND = Gauge "rookery_search_behind" Count None, "Events of the log that the search index has not taken in yet.";
    LOGINS = Counter "rookery_logins_total" Count Some(("result", LOGIN_RESULTS)), "Logins attempted.";
    UPLOADS = Counter "rookery_uploads_total" Count Some(("result", UPLOAD_RESULTS)), "Uploads that were sent, by what became of them.";
    UPLOAD_BYTES = Counter "rookery_upload_bytes_total" Bytes None, "Bytes of uploads received.";
    DOWNLOAD_BYTES = Counter "rookery_download_bytes_total" Bytes None, "Bytes of files and small pictures sent.";
    BLOBS = Counter "rookery_blob_calls_total" Count Some(("outcome", BLOB_OUTCOMES)), "Calls to the place of the bytes of files, by outcome.";
    BUS_SENT = Counter "rookery_bus_frames_sent_total" Count Some(("kind", BUS_FRAMES)), "Frames sent to other nodes, by kind; one that goes to several counts once for each.";
    BUS_HEARD = Counter "rookery_bus_frames_received_total" Count Some(("kind", BUS_FRAMES)), "Frames of other nodes received, by kind; `unknown` are those of a newer version, or broken.";
    BUS_LOST = Counter "rookery_bus_losses_total" Count None, "Times that frames of other nodes may have been lost, so that rooms were compared with the store.";
    BUS_AWAY = Counter "rookery_bus_away_seconds_total" Seconds None, "Time for which the bus was away.";
    BUS_SENT_BYTES = Counter "rookery_bus_sent_bytes_total" Bytes None, "Bytes of frames sent to other nodes; one that goes to several counts once for each.";
    BUS_HEARD_BYTES = Counter "rookery_bus_received_bytes_total" Bytes None, "Bytes of frames of other nodes received.";
    BUS_UNSENT = Counter "rookery_bus_frames_unsent_total" Count None, "Frames to other nodes that were not taken, because the bus was away or too many waited.";
    BUS_CONNECTED = Gauge "rookery_bus_connected" Count None, "Whether the bus is there: 1 or 0. A node without others has one that always is.";
    BUS_PEERS = Gauge "rookery_bus_peers" Count None, "Other nodes whose lease holds, as last heard.";
    FORWARDS = Counter "rookery_forwards_total" Count Some(("outcome", FORWARDED)), "Writes that were sent to the home of their room on another node, by what became of that.";
    GAPS = Counter "rookery_room_gaps_total" Count None, "Times that a room lacked events of another node and read them from the store.";
    FOLLOWED = Gauge "rookery_followed_rooms" Count None, "Rooms with their home here that other nodes follow.";
    TRACE_SPANS = Counter "rookery_trace_spans_total" Count Some(("result", SPANS)), "Spans of traced messages, by what became of them: `exported`; `full`, dropped because too many waited; `refused`, dropped because the receiver did not take them.";
    FILES_DELETED = Counter "rookery_files_deleted_total" Count None, "Files deleted because nothing referred to them.";
}

const CLOSE_CODES: &[&str] = &[
    "1000", "1001", "1002", "1006", "1007", "1009", "4000", "4001", "4002", "4003", "4004", "4005", "4006",
    "4500", "4501", "4502", "4503", "4504", "4505", "4506",
];
const ERROR_CODES: &[&str] = &[
    "bad_request",
    "invalid",
    "unauthenticated",
    "token_expired",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "rate_limited",
    "busy",
    "store_unavailable",
    "unknown_op",
    "unsupported",
    "internal",
];
const OUTCOMES: &[&str] = &["applied", "stale", "refused", "unknown", "fatal"];
const OPENS_BY: &[&str] = &["head", "replayed", "reset"];
const STATUS_CLASSES: &[&str] = &["1xx", "2xx", "3xx", "4xx", "5xx"];
const LOOKUPS: &[&str] = &["hit", "miss"];
const POLLED: &[&str] = &["unchanged", "unchanged_stored", "changed"];
const LOGIN_RESULTS: &[&str] = &["ok", "refused"];
const UPLOAD_RESULTS: &[&str] = &["stored", "repeated", "refused", "broken", "busy", "failed"];
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
    "unknown",
];
const FORWARDED: &[&str] = &["answered", "not_taken", "unknown", "late", "moved"];
const SPANS: &[&str] = &["exported", "full", "refused"];
const BLOB_OUTCOMES: &[&str] = &["done", "not_found", "refused", "unknown", "broken"];

const METADATA: Metadata<'static> = Metadata::new("rookery", Level::INFO, Some("rookery"));

/// A counter for each value of its label.
#[derive(Clone)]
pub struct CounterBy {
    values: &'static [&'static str],
    counters: Vec<Counter>,
}

impl CounterBy {
    /// Returns the counter of a value of the catalogue; one it does not know counts nowhere.
    pub fn of(&self, value: &str) -> Counter {
        let known = self.values.iter().position(|known| *known == value);
        debug_assert!(known.is_some(), "{value} is not in the catalogue");
        known.map_or_else(Counter::noop, |index| self.counters[index].clone())
    }
}

impl std::fmt::Debug for CounterBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CounterBy").field(&self.values).finish()
    }
}

/// What supervisors count of one kind of actor.
#[derive(Clone)]
pub struct KindMetrics {
    /// The kind's name.
    pub kind: &'static str,
    /// Running now.
    pub running: Gauge,
    /// Started.
    pub started: Counter,
    /// Ended by a panic.
    pub failed: Counter,
}

impl std::fmt::Debug for KindMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KindMetrics").field(&self.kind).finish()
    }
}

/// The handles of one node, registered once and then only counted with.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is a row of the catalogue, whose help says what it is")]
pub struct Metrics {
    pub connections_json: Gauge,
    pub connections_msgpack: Gauge,
    pub connections_sse: Gauge,
    pub connects: Counter,
    pub closes: CounterBy,
    pub frames_in: Counter,
    pub bytes_in: Counter,
    pub frames_out: Counter,
    pub bytes_out: Counter,
    pub commands: Counter,
    pub errors: CounterBy,
    pub sessions: KindMetrics,
    pub rooms: KindMetrics,
    pub appends: CounterBy,
    pub append_events: Histogram,
    pub append_seconds: Histogram,
    pub message_seconds: Histogram,
    pub deliveries: Counter,
    pub lagged: Counter,
    pub duplicates: Counter,
    pub opens: CounterBy,
    pub presence_users: Gauge,
    pub presence_watches: Gauge,
    pub presence_events: Counter,
    pub presence_held: Counter,
    pub http_requests: CounterBy,
    pub http_seconds: Histogram,
    pub token_lookups: CounterBy,
    pub polls: CounterBy,
    pub search_seconds: Histogram,
    pub search_indexed: Counter,
    pub search_behind: Gauge,
    pub logins: CounterBy,
    pub uploads: CounterBy,
    pub upload_bytes: Counter,
    pub download_bytes: Counter,
    pub blobs: CounterBy,
    pub files_deleted: Counter,
    pub trace_spans: CounterBy,
    pub bus_sent: CounterBy,
    pub bus_heard: CounterBy,
    pub bus_lost: Counter,
    pub bus_away: Counter,
    pub bus_sent_bytes: Counter,
    pub bus_heard_bytes: Counter,
    pub bus_unsent: Counter,
    pub bus_connected: Gauge,
    pub bus_peers: Gauge,
    pub forwards: CounterBy,
    pub gaps: Counter,
    pub followed: Gauge,
}

impl Metrics {
    /// Describes and registers the whole catalogue with `recorder`.
    pub fn new(recorder: &dyn Recorder) -> Self {
        for row in CATALOGUE {
            let name = KeyName::from_const_str(row.name);
            match row.kind {
                Kind::Counter => recorder.describe_counter(name, Some(row.unit), row.help.into()),
                Kind::Gauge => recorder.describe_gauge(name, Some(row.unit), row.help.into()),
                Kind::Histogram => recorder.describe_histogram(name, Some(row.unit), row.help.into()),
            }
        }
        let counter = |row: Row| recorder.register_counter(&key(row, None), &METADATA);
        let gauge_of = |row: Row, value| recorder.register_gauge(&key(row, value), &METADATA);
        let gauge = |row: Row, value| gauge_of(row, Some(value));
        let histogram = |row: Row| recorder.register_histogram(&key(row, None), &METADATA);
        let by = |row: Row| {
            let values = row.label.map_or(&[][..], |(_, values)| values);
            let counters = values
                .iter()
                .map(|value| recorder.register_counter(&key(row, Some(value)), &METADATA))
                .collect();
            CounterBy { values, counters }
        };
        let (started, failed) = (by(ACTORS_STARTED), by(ACTORS_FAILED));
        let kind = |kind: &'static str| KindMetrics {
            kind,
            running: gauge(ACTORS_RUNNING, kind),
            started: started.of(kind),
            failed: failed.of(kind),
        };
        Self {
            connections_json: gauge(CONNECTIONS, "json"),
            connections_msgpack: gauge(CONNECTIONS, "msgpack"),
            connections_sse: gauge(CONNECTIONS, "sse"),
            connects: counter(CONNECTS),
            closes: by(CLOSES),
            frames_in: counter(FRAMES_IN),
            bytes_in: counter(BYTES_IN),
            frames_out: counter(FRAMES_OUT),
            bytes_out: counter(BYTES_OUT),
            commands: counter(COMMANDS),
            errors: by(ERRORS),
            sessions: kind("session"),
            rooms: kind("room"),
            appends: by(APPENDS),
            append_events: histogram(APPEND_EVENTS),
            append_seconds: histogram(APPEND_SECONDS),
            message_seconds: histogram(MESSAGE_SECONDS),
            deliveries: counter(DELIVERIES),
            lagged: counter(LAGGED),
            duplicates: counter(DUPLICATES),
            opens: by(OPENS),
            presence_users: gauge_of(PRESENCE_USERS, None),
            presence_watches: gauge_of(PRESENCE_WATCHES, None),
            presence_events: counter(PRESENCE_EVENTS),
            presence_held: counter(PRESENCE_HELD),
            http_requests: by(HTTP_REQUESTS),
            http_seconds: histogram(HTTP_SECONDS),
            token_lookups: by(TOKEN_LOOKUPS),
            polls: by(POLLS),
            search_seconds: histogram(SEARCH_SECONDS),
            search_indexed: counter(SEARCH_INDEXED),
            search_behind: recorder.register_gauge(&key(SEARCH_BEHIND, None), &METADATA),
            logins: by(LOGINS),
            uploads: by(UPLOADS),
            upload_bytes: counter(UPLOAD_BYTES),
            download_bytes: counter(DOWNLOAD_BYTES),
            blobs: by(BLOBS),
            files_deleted: counter(FILES_DELETED),
            trace_spans: by(TRACE_SPANS),
            bus_sent: by(BUS_SENT),
            bus_heard: by(BUS_HEARD),
            bus_lost: counter(BUS_LOST),
            bus_away: counter(BUS_AWAY),
            bus_sent_bytes: counter(BUS_SENT_BYTES),
            bus_heard_bytes: counter(BUS_HEARD_BYTES),
            bus_unsent: counter(BUS_UNSENT),
            bus_connected: gauge_of(BUS_CONNECTED, None),
            bus_peers: gauge_of(BUS_PEERS, None),
            forwards: by(FORWARDS),
            gaps: counter(GAPS),
            followed: recorder.register_gauge(&key(FOLLOWED, None), &METADATA),
        }
    }

    /// Returns handles that count nowhere.
    pub fn none() -> Self {
        Self::new(&metrics::NoopRecorder)
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn key(row: Row, value: Option<&'static str>) -> Key {
    match (row.label, value) {
        (Some((label, _)), Some(value)) => {
            Key::from_parts(row.name, vec![Label::from_static_parts(label, value)])
        }
        _ => Key::from_static_name(row.name),
    }
}
