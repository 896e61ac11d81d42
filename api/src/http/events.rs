//! `GET /v1/events`: from here on it is an event stream.

use crate::call::Call;
use crate::events;
use crate::problem::Problem;
use crate::respond::Answer;
use crate::route::{Handler, Route};

/// Public, since a browser's `EventSource` cannot send a header and brings a ticket.
pub(crate) const ROUTE: Route =
    Route::get("/v1/events", "listen", Handler::Public(|call| Box::pin(listen(call)))).body_bytes(0);

async fn listen(call: Call) -> Result<Answer, Problem> {
    events::listen(&call).await
}
