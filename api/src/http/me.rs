//! `GET /v1/me`: who the access token stands for.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;

pub(crate) const ROUTE: Route =
    Route::get("/v1/me", "me", Handler::User(|call, who| Box::pin(me(call, who))));

async fn me(_call: Call, who: Identity) -> Result<Answer, Problem> {
    Ok(respond::json(StatusCode::OK, &who.user))
}
