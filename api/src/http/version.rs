//! `GET /version`: what is running.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use serde::Serialize;

pub(crate) const ROUTE: Route =
    Route::get("/version", "version", Handler::Public(|call| Box::pin(version(call)))).reach(Reach::Both);

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

async fn version(_call: Call) -> Result<Answer, Problem> {
    Ok(respond::json(StatusCode::OK, &Version { name: "rookery", version: env!("CARGO_PKG_VERSION") }))
}
