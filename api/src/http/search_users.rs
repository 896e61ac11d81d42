//! `GET /v1/users?query=`: users by the beginning of their handle; as `user.search`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::{Identity, SEARCH_RATE};
use rookery_protocol::{Op, UserSearch};

pub(crate) const ROUTE: Route =
    Route::get("/v1/users", "searchUsers", Handler::User(|call, who| Box::pin(search_users(call, who))));

async fn search_users(call: Call, who: Identity) -> Result<Answer, Problem> {
    let query = call.query("query")?.ok_or_else(|| Problem::field("query", "is missing"))?;
    let op = UserSearch { query, limit: call.query("limit")? };
    let found = call.edge.node.perform(&who.user, Op::UserSearch(op)).await;
    let users = found.map_err(|error| Problem::under(SEARCH_RATE, error))?;
    Ok(respond::json(StatusCode::OK, &users))
}
