//! `POST /v1/auth/logout`: the end of a login, named by its access token, its refresh token or its cookie.

use super::refresh::{Body, presented};
use crate::accounts::{Credential, LogoutError, unavailable};
use crate::call::Call;
use crate::cookie;
use crate::dispatch::{authenticate, bearer};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{StatusCode, header};
use rookery_protocol::{CloseCode, ErrorCode};
use secrecy::ExposeSecret;

pub(crate) const ROUTE: Route =
    Route::post("/v1/auth/logout", "logout", Handler::Public(|call| Box::pin(logout(call))))
        .body_bytes(4096)
        .about(Tag::Accounts, "Ends a login and closes its sockets")
        .token_or_not()
        .takes::<Body>()
        .or_nothing()
        .gives_nothing(204)
        .with("Set-Cookie", "Takes the cookie back.")
        .fails(&[ErrorCode::Unauthenticated, ErrorCode::TokenExpired, ErrorCode::Forbidden]);

async fn logout(mut call: Call) -> Result<Answer, Problem> {
    let accounts = &call.edge.clone().accounts;
    let ended = if let Some((token, _)) = presented(&mut call).await? {
        accounts.logout(Credential::Refresh(token.expose_secret())).await?
    } else if bearer(call.headers()).is_some() {
        let identity = authenticate(&call.edge, call.headers()).await?;
        accounts.logout(Credential::Session(identity.session)).await?
    } else {
        return Err(Problem::new(ErrorCode::Unauthenticated, "an access token or a refresh token is needed"));
    };
    if let Some(session) = ended {
        call.edge.node.end_login(session, CloseCode::SessionRevoked);
    }
    let mut answer = respond::empty(StatusCode::NO_CONTENT);
    answer.headers_mut().append(header::SET_COOKIE, cookie::forget());
    Ok(answer)
}

impl From<LogoutError> for Problem {
    fn from(error: LogoutError) -> Self {
        match error {
            LogoutError::Store(error) => unavailable(&error).into(),
        }
    }
}
