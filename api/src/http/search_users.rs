//! `GET /v1/users?query=`: users by the beginning of their handle; as `user.search`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::{Identity, SEARCH_RATE};
use rookery_protocol::{ErrorCode, Op, UserSearch, Users};

pub(crate) const ROUTE: Route =
    Route::get("/v1/users", "searchUsers", Handler::User(|call, who| Box::pin(search_users(call, who))))
        .about(Tag::Users, "Finds users by the beginning of their handle; as `user.search`")
        .query::<String>("query", "At least 2 characters, with or without `@`.")
        .required()
        .query::<u32>("limit", "At most this many; 20 is the most.")
        .gives::<Users>(200)
        .fails(&[ErrorCode::RateLimited]);

async fn search_users(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let query = call.query("query")?.ok_or_else(|| Problem::field("query", "is missing"))?;
    let op = UserSearch { query, limit: call.query("limit")? };
    let found = call.perform(&who, Op::UserSearch(op)).await;
    let users = found.map_err(|problem| problem.under(SEARCH_RATE))?;
    Ok(respond::json(StatusCode::OK, &users))
}
