//! Spans to whatever speaks OTLP over HTTP: a collector, Jaeger, Tempo or a service.
//!
//! | module | what |
//! |---|---|
//! | `options` | where they go, and who says so |
//! | `exporter` | the bounded queue, and the task that empties it in batches |
//! | `send` | one batch over HTTP: tried again, or given up |
//! | `encode` | spans as OTLP has them |
//!
//! It knows nothing of what a step is, and nothing here waits for a receiver but a task of its own: what is too
//! much, or is not taken, is dropped and counted.

mod encode;
mod exporter;
mod options;
mod send;

pub use exporter::OtlpExporter;
pub use options::{OtlpOptions, Service};
pub use send::OpenError;
