//! `GET /version`: what is running.

use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::future::ready;

pub(crate) const ROUTE: Route =
    Route::get("/version", "version", Handler::Public(|_| Box::pin(ready(Ok(version())))))
        .reach(Reach::Both)
        .about(Tag::Probes, "Says what is running")
        .gives::<Version>(200);

/// What is running.
#[derive(Serialize, JsonSchema)]
struct Version {
    /// `rookery`.
    name: &'static str,
    /// Its version (semver).
    version: &'static str,
}

fn version() -> Answer {
    respond::json(StatusCode::OK, &Version { name: "rookery", version: env!("CARGO_PKG_VERSION") })
}
