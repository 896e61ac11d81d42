//! `GET /v1/me`: who the access token stands for.

use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::User;
use std::future::ready;

pub(crate) const ROUTE: Route =
    Route::get("/v1/me", "me", Handler::User(|_, who| Box::pin(ready(Ok(me(&who))))))
        .about(Tag::Users, "Gives the user whom the access token stands for")
        .gives::<User>(200);

fn me(who: &Identity) -> Answer {
    respond::json(StatusCode::OK, &who.user)
}
