//! The upper bounds of histograms, each set with its reason. The exporter keeps classic ones: of one
//! registry it renders either those or native ones, and native ones in protobuf only.

/// Seconds of work inside one process: 1 µs to 1 s, about 2.5 apart below a millisecond.
///
/// Decoding or fanning out to a few takes microseconds, an embedded append 0.2 ms; what takes longer
/// than 1 s is stuck.
pub(super) const STEPS: &[f64] = &[
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_05,
    0.000_1,
    0.000_25,
    0.000_5,
    0.001,
    0.002_5,
    0.005,
    0.01,
    0.025,
    0.1,
    0.25,
    1.0,
];

/// Seconds of what a client or a disk waits for: 50 µs to 10 s, about 2.5 apart, because an embedded
/// append takes 0.2 ms and a request is given up after 10 s.
pub(super) const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// The same from end to end with half the bounds, for what has a series for each of many values.
///
/// 10, 25, 50 and 250 ms and 1 s are where objectives stand (bench/RESULTS.md has most in the first).
pub(super) const COARSE: &[f64] = &[0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.25, 1.0, 5.0];

/// Seconds of an actor's turn: 10 µs to 1 s. A turn never waits, so more than 1 ms is a long one.
pub(super) const TURNS: &[f64] = &[0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.025, 0.1, 1.0];

/// Seconds over a network: 0.5 ms to 10 s. Loopback to a phone on a bad link, which is given up after
/// 10 s (`PONG_WITHIN`).
pub(super) const TRIPS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Seconds by which something is late: 1 ms, which is how fine timers are, to 10 s.
pub(super) const LATE: &[f64] = &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Events in a batch: powers of two to the largest one (`BATCH_EVENTS`).
pub(super) const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// Bytes: powers of four from a short text to 4 MiB; `BATCH_BYTES` and the bounds of an outbox are
/// among them.
pub(super) const BYTES: &[f64] =
    &[64.0, 256.0, 1024.0, 4096.0, 16_384.0, 32_768.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0];

/// Things in a queue, frames in an outbox, writes in a commit: powers of two to 1024, where an outbox
/// and a group of the committer are full; and two beyond, for what is bounded by bytes only.
pub(super) const QUEUE: &[f64] =
    &[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16_384.0];

/// Connections that a publication reaches: 0 to 100,000, as many as a room may have members.
pub(super) const AUDIENCE: &[f64] =
    &[0.0, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0, 100_000.0];

/// Events that a resume brings: nothing, the ring of a room (256), the most there is (`REPLAY`).
pub(super) const REPLAYED: &[f64] = &[0.0, 1.0, 4.0, 16.0, 64.0, 256.0, 1000.0];
