//! The process: its version, its threads, and what the system gives it.

use super::buckets::LATE;
use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::{Bytes, Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

/// What becomes of a span.
const SPANS: &[&str] = &["exported", "full", "refused"];

/// The version of this build.
const VERSION: &[&str] = &[env!("CARGO_PKG_VERSION")];

subject! {
    /// Counts what the process uses. The names that begin with `process_` are those of all Prometheus
    /// clients.
    ProcessMetrics {
        build: By<Gauge> = Row::of("rookery_build_info", Count, "1, and the version as a label.").by(&["version"], Each(VERSION));
        started: Gauge = Row::of("rookery_start_time_seconds", Seconds, "When the node was started, in seconds since 1970.");
        late_seconds: Histogram = Row::of("rookery_event_loop_lag_seconds", Seconds, "Time by which the sweeper's timer, due once a second, is late.").over(LATE);
        workers: Gauge = Row::of("rookery_runtime_workers", Count, "Threads that run tasks.");
        busy: Gauge = Row::of("rookery_runtime_busy_ratio", Count, "Part of their time for which those threads were busy since the sweeper looked last, 0 to 1.");
        tasks: Gauge = Row::of("rookery_runtime_tasks", Count, "Tasks that run or wait.");
        queued: Gauge = Row::of("rookery_runtime_queued_tasks", Count, "Tasks that may run and that no thread has taken yet.");
        cpu_seconds: Counter = Row::of("process_cpu_seconds_total", Seconds, "Processor time used, in whole seconds.");
        open_fds: Gauge = Row::of("process_open_fds", Count, "Open file descriptors.");
        max_fds: Gauge = Row::of("process_max_fds", Count, "File descriptors that may be open.");
        resident_bytes: Gauge = Row::of("process_resident_memory_bytes", Bytes, "Memory in use.");
        virtual_bytes: Gauge = Row::of("process_virtual_memory_bytes", Bytes, "Address space in use.");
        threads: Gauge = Row::of("process_threads", Count, "Threads.");
        trace_spans: By<Counter> = Row::of("rookery_trace_spans_total", Count, "Spans of traced messages, by what became of them: exported; full, dropped because too many waited; refused, dropped because the receiver did not take them.").by(&["result"], Each(SPANS));
        born: Gauge = Row::of("process_start_time_seconds", Seconds, "When the process was started, in seconds since 1970.");
    }
}
