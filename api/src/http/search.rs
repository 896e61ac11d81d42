//! `GET /v1/search`: messages of the caller's rooms, by their words; as `message.search`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{MessageSearch, Timestamp};

pub(crate) const ROUTE: Route =
    Route::get("/v1/search", "searchMessages", Handler::User(|call, who| Box::pin(search(call, who))));

async fn search(call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = MessageSearch {
        query: call.query("query")?.unwrap_or_default(),
        room: call.query("room")?,
        from: call.query("from")?,
        before: call.query("before")?.map(Timestamp),
        kind: call.query("kind")?,
        limit: call.query("limit")?,
        cursor: call.query("cursor")?,
    };
    let found = call.edge.node.perform(&who.user, op.into()).await?;
    Ok(respond::json(StatusCode::OK, &found))
}
