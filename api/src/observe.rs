//! The metrics of one node as Prometheus reads them.

use crate::routes::ROUTES;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rookery_engine::Metrics;
use rookery_engine::metrics::{CATALOGUE, Kind, NO_ROUTE};
use std::fmt;

/// Renders what a node's [`Metrics`] counted.
#[derive(Clone)]
pub struct Exporter(PrometheusHandle);

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
    let exporter = Exporter(recorder.handle());
    let routes = ROUTES.iter().map(|route| [route.method.as_str(), route.path]);
    let routes: Vec<_> = routes.chain([NO_ROUTE]).collect();
    (Metrics::new(&recorder, &routes), exporter)
}

impl Exporter {
    /// Renders the Prometheus text format, version 0.0.4.
    pub(crate) fn render(&self) -> String {
        self.0.render()
    }

    /// Moves what histograms gathered into their buckets; without it they grow between scrapes.
    pub(crate) fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exporter").finish_non_exhaustive()
    }
}
