//! `GET /version`: what is running.

use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use serde::Serialize;
use std::future::ready;

pub(crate) const ROUTE: Route =
    Route::get("/version", "version", Handler::Public(|_| Box::pin(ready(Ok(version()))))).reach(Reach::Both);

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

fn version() -> Answer {
    respond::json(StatusCode::OK, &Version { name: "rookery", version: env!("CARGO_PKG_VERSION") })
}
