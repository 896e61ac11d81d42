//! The metrics of one node as Prometheus reads them.

use crate::routes::ROUTES;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rookery_engine::Metrics;
use rookery_engine::metrics::{CATALOGUE, Kind, NO_ROUTE, ProcessMetrics};
use std::fmt;

/// Renders what a node's [`Metrics`] counted.
#[derive(Clone)]
pub struct Exporter {
    handle: PrometheusHandle,
    process: ProcessMetrics,
}

/// Makes the handles to count with and what renders them: a pair of its own for each node.
///
/// # Panics
/// Never: the catalogue's buckets are not empty.
pub fn exporter() -> (Metrics, Exporter) {
    let mut builder = PrometheusBuilder::new();
    // Without buckets a histogram would silently become a summary, which cannot be aggregated.
    for row in CATALOGUE.iter().filter(|row| row.kind == Kind::Histogram) {
        let matcher = Matcher::Full(row.name.to_owned());
        builder = builder
            .set_buckets_for_metric(matcher, row.buckets)
            .expect("the catalogue's buckets are not empty");
    }
    let recorder = builder.build_recorder();
    let routes = ROUTES.iter().map(|route| [route.method.as_str(), route.path]);
    let routes: Vec<_> = routes.chain([NO_ROUTE]).collect();
    let metrics = Metrics::new(&recorder, &routes);
    let process = metrics.process.clone();
    process.build.at(0).set(1.0);
    (metrics, Exporter { handle: recorder.handle(), process })
}

impl Exporter {
    /// Renders the Prometheus text format, version 0.0.4.
    pub(crate) fn render(&self) -> String {
        self.look_at_process();
        self.handle.render()
    }

    /// Asks the system what the process uses; what it does not say stays as it was.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds since its start"
    )]
    fn look_at_process(&self) {
        let (found, process) = (metrics_process::collector::collect(), &self.process);
        if let Some(seconds) = found.cpu_seconds_total {
            process.cpu_seconds.absolute(seconds as u64);
        }
        let gauges = [
            (&process.open_fds, found.open_fds),
            (&process.max_fds, found.max_fds),
            (&process.resident_bytes, found.resident_memory_bytes),
            (&process.virtual_bytes, found.virtual_memory_bytes),
            (&process.threads, found.threads),
            (&process.born, found.start_time_seconds),
        ];
        for (gauge, value) in gauges {
            if let Some(value) = value {
                gauge.set(value as f64);
            }
        }
    }

    /// Moves what histograms gathered into their buckets; without it they grow between scrapes.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exporter").finish_non_exhaustive()
    }
}
