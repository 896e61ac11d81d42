//! HTTP: rate, errors and duration of every route.

use super::buckets::COARSE;
use super::handle::By;
use super::row::{
    Row,
    Values::{Each, Routes, RoutesWith},
    subject,
};
use metrics::Unit::{Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

/// What a request counts as that no route was found for.
pub const NO_ROUTE: [&str; 2] = ["any", "unknown"];

const STATUS_CLASSES: &[&str] = &["1xx", "2xx", "3xx", "4xx", "5xx"];
const LOOKUPS: &[&str] = &["hit", "miss"];
const POLLED: &[&str] = &["unchanged", "unchanged_stored", "changed"];

subject! {
    /// Counts HTTP requests.
    HttpMetrics {
        requests: By<Counter> = Row::of("rookery_http_requests_total", Count, "HTTP requests answered, by route and class of status.").by(&["method", "route", "class"], RoutesWith(STATUS_CLASSES));
        seconds: By<Histogram> = Row::of("rookery_http_request_duration_seconds", Seconds, "Time to answer an HTTP request, by route.").by(&["method", "route"], Routes).over(COARSE);
        in_flight: Gauge = Row::of("rookery_http_requests_in_flight", Count, "HTTP requests that are being answered.");
        token_lookups: By<Counter> = Row::of("rookery_token_lookups_total", Count, "Access tokens of HTTP requests found good, by whether they were remembered or read from the store.").by(&["result"], Each(LOOKUPS));
        polls: By<Counter> = Row::of("rookery_polls_total", Count, "Conditional requests for a page, by what answered them.").by(&["result"], Each(POLLED));
    }
}
