//! `GET /v1/me`: who the access token stands for.

use crate::respond::{self, Answer};
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use std::future::ready;

pub(crate) const ROUTE: Route =
    Route::get("/v1/me", "me", Handler::User(|_, who| Box::pin(ready(Ok(me(&who))))));

fn me(who: &Identity) -> Answer {
    respond::json(StatusCode::OK, &who.user)
}
