//! `POST /v1/auth/ticket`: one WebSocket for a browser.

use crate::accounts::{TicketError, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::Serialize;

pub(crate) const ROUTE: Route =
    Route::post("/v1/auth/ticket", "ticket", Handler::User(|call, who| Box::pin(ticket(call, who))))
        .body_bytes(256)
        .about(Tag::Accounts, "Gives a ticket that opens one WebSocket")
        .gives::<Issued<'static>>(200);

/// A ticket.
#[derive(Serialize, JsonSchema)]
struct Issued<'a> {
    /// For `GET /v1/ws?ticket=…`, once.
    ticket: &'a str,
    /// Seconds until it runs out.
    expires_in: u64,
}

async fn ticket(call: Call, who: Identity) -> Result<Answer, Problem> {
    let issued = call.edge.accounts.ticket(&who).await?;
    let body = Issued { ticket: issued.ticket.expose_secret(), expires_in: issued.expires_in.as_secs() };
    Ok(respond::json(StatusCode::OK, &body))
}

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Store(error) => unavailable(&error).into(),
        }
    }
}
