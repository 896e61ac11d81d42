//! `GET /v1/events`: from here on it is an event stream.

use crate::call::Call;
use crate::events;
use crate::problem::Problem;
use crate::respond::Answer;
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use rookery_protocol::ErrorCode;

/// Public, since a browser's `EventSource` cannot send a header and brings a ticket.
pub(crate) const ROUTE: Route =
    Route::get("/v1/events", "listen", Handler::Public(|call| Box::pin(listen(call))))
        .body_bytes(0)
        .about(Tag::Events, "Tells what happens in rooms, as server-sent events")
        .query::<String>(
            "rooms",
            "`ID:AFTER,ID:AFTER`: up to 32 rooms, each with the last position seen or without.",
        )
        .required()
        .query::<String>("ticket", "From `POST /v1/auth/ticket`, in the place of a token.")
        .query::<String>("last_event_id", "As `Last-Event-ID`, which wins.")
        .header::<String>("Last-Event-ID", "The last `id` of the stream before: it goes on from there.")
        .token_or_not()
        .gives_as::<String>(200, "text/event-stream")
        .fails(&[
            ErrorCode::Unauthenticated,
            ErrorCode::TokenExpired,
            ErrorCode::Forbidden,
            ErrorCode::NotFound,
        ]);

async fn listen(call: Call) -> Result<Answer, Problem> {
    events::listen(&call).await
}
