//! `GET /.well-known/jwks.json`: the keys that verify access tokens, for services beside this one.

use crate::accounts::KeySet;
use crate::call::Call;
use crate::respond;
use crate::route::docs::Tag;
use crate::route::{Answering, Handler, Route};
use http::{HeaderValue, StatusCode, header};
use std::future::ready;

/// How long others may keep the set: a next key is there long before it signs.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(crate) const ROUTE: Route = Route::get("/.well-known/jwks.json", "keySet", Handler::Public(key_set))
    .about(Tag::Accounts, "Gives the keys that verify access tokens, as a JWK Set")
    .gives::<KeySet>(200);

fn key_set(call: Call) -> Answering {
    let mut answer = respond::json(StatusCode::OK, &call.edge.accounts.key_set());
    answer.headers_mut().insert(header::CACHE_CONTROL, FRESH);
    Box::pin(ready(Ok(answer)))
}
