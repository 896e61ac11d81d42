//! `GET /metrics`: what the node counted, for Prometheus. On the operators' listener only.

use crate::call::Call;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use std::future::ready;

pub(crate) const ROUTE: Route =
    Route::get("/metrics", "metrics", Handler::Public(|call| Box::pin(ready(Ok(metrics(&call))))))
        .reach(Reach::Admin);

fn metrics(call: &Call) -> Answer {
    respond::typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", call.edge.exporter.render())
}
