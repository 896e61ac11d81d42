//! Whether messages are traced, and who is told.

use anyhow::{Context, Result};
use rookery_api::config::TraceConfig;
use rookery_engine::metrics::{By, Counter};
use rookery_engine::trace::{Tracer, TracerParts};
use rookery_engine::{Clock, Random, Tasks};
use rookery_trace_otlp::{OtlpExporter, OtlpOptions, Service};
use std::sync::Arc;

/// Makes the tracer of `node`, whose exporter runs on `tasks` and counts what becomes of spans: one that traces
/// nothing where nobody is told.
pub(super) fn open(
    config: Option<&TraceConfig>,
    (node, counted): (&str, &By<Counter>),
    (clock, random): (&Arc<dyn Clock>, &Arc<dyn Random>),
    tasks: &Tasks,
) -> Result<Tracer> {
    let Some(TraceConfig { endpoint, headers, ratio }) = config.cloned() else { return Ok(Tracer::off()) };
    let service = Service {
        name: "rookery".to_owned(),
        instance: node.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let options = OtlpOptions { endpoint, headers, service };
    let spans = OtlpExporter::start(options, counted.clone(), tasks).context("open the export of traces")?;
    let (clock, random) = (Arc::clone(clock), Arc::clone(random));
    Ok(Tracer::new(TracerParts { spans, clock, random, ratio }))
}
