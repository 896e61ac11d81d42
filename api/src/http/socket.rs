//! `GET /v1/ws`: from here on it is a WebSocket.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::Answer;
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use crate::socket;
use rookery_protocol::ErrorCode;

pub(crate) const ROUTE: Route =
    Route::get("/v1/ws", "openSocket", Handler::Public(|call| Box::pin(open_socket(call))))
        .body_bytes(0)
        .about(Tag::Events, "Opens a WebSocket; what is said on it is in `/asyncapi.json`")
        .query::<String>("ticket", "From `POST /v1/auth/ticket`: the connection is authenticated at once.")
        .header::<String>(
            "Sec-WebSocket-Protocol",
            "`rookery.v1.json` or `rookery.v1.msgpack`; none means the first.",
        )
        .gives_nothing(101)
        .fails(&[
            ErrorCode::Unauthenticated,
            ErrorCode::Forbidden,
            ErrorCode::Unsupported,
            ErrorCode::BadRequest,
        ]);

async fn open_socket(call: Call) -> Result<Answer, Problem> {
    let from = (call.peer, call.from());
    socket::upgrade(&call.edge, call.request, from).await
}
