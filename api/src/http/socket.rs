//! `GET /v1/ws`: from here on it is a WebSocket.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::Answer;
use crate::route::{Handler, Route};
use crate::socket;

pub(crate) const ROUTE: Route =
    Route::get("/v1/ws", "openSocket", Handler::Public(|call| Box::pin(open_socket(call)))).body_bytes(0);

async fn open_socket(call: Call) -> Result<Answer, Problem> {
    socket::upgrade(&call.edge, call.request, call.peer).await
}
