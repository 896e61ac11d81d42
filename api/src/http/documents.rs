//! `GET /openapi.json`, `GET /asyncapi.json`: this interface, for programs.
//!
//! What is served is what is checked in: tests make both files of the route table and of the table of
//! ops, compare them and lint them.

use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{HeaderValue, StatusCode, header};
use std::future::ready;

/// The requests.
pub(crate) const OPENAPI: Route = Route::get(
    "/openapi.json",
    "openapi",
    Handler::Public(|_| {
        Box::pin(ready(Ok(document(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../schemas/openapi.json"
        ))))))
    }),
)
.about(Tag::Documents, "Gives this description, as OpenAPI 3.1")
.gives::<serde_json::Value>(200);

/// The WebSocket.
pub(crate) const ASYNCAPI: Route = Route::get(
    "/asyncapi.json",
    "asyncapi",
    Handler::Public(|_| {
        Box::pin(ready(Ok(document(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../schemas/asyncapi.json"
        ))))))
    }),
)
.about(Tag::Documents, "Describes what is said on the WebSocket, as AsyncAPI 3.0")
.gives::<serde_json::Value>(200);

fn document(text: &'static [u8]) -> Answer {
    let mut answer = respond::typed(StatusCode::OK, "application/json", text);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}
