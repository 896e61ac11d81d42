//! The identities elsewhere that one's own account may be entered by: listed, linked, taken off.

use super::proof::{PROOF_BYTES, Proof, proven};
use super::sign_in::{Back, Begun, begun};
use crate::accounts::{LinkedIdentity, unavailable};
use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{ErrorCode, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) const LIST: Route =
    Route::get("/v1/me/identities", "identities", Handler::User(|call, who| Box::pin(list(call, who))))
        .about(Tag::Accounts, "Lists the identities elsewhere that the account may be entered by")
        .gives::<Identities>(200);

pub(crate) const UNLINK: Route = Route::post(
    "/v1/me/identities/{identity}/unlink",
    "unlinkIdentity",
    Handler::User(|call, who| Box::pin(unlink(call, who))),
)
.body_bytes(PROOF_BYTES)
.about(Tag::Accounts, "Takes an identity off the account")
.takes::<Proof>()
.or_nothing()
.gives_nothing(204)
.fails(&[ErrorCode::Conflict, ErrorCode::Forbidden, ErrorCode::RateLimited]);

pub(crate) const BEGIN: Route = Route::post(
    "/v1/auth/providers/{provider}/link",
    "beginLink",
    Handler::User(|call, who| Box::pin(begin(call, who))),
)
.body_bytes(PROOF_BYTES)
.about(Tag::Accounts, "Begins to link an identity with the account")
.takes::<Proof>()
.or_nothing()
.gives::<Begun<'static>>(200)
.fails(&[ErrorCode::Forbidden, ErrorCode::Busy, ErrorCode::RateLimited]);

pub(crate) const END: Route = Route::post(
    "/v1/auth/providers/{provider}/link/finish",
    "finishLink",
    Handler::User(|call, who| Box::pin(end(call, who))),
)
.body_bytes(16_384)
.about(Tag::Accounts, "Links the identity that a provider has sent somebody back with")
.takes::<Back>()
.gives::<Identities>(200)
.fails(&[ErrorCode::Unauthenticated, ErrorCode::Conflict, ErrorCode::Busy]);

/// The identities of an account.
#[derive(Serialize, JsonSchema)]
struct Identities {
    /// In the order in which they were linked.
    identities: Vec<IdentityOf>,
}

/// An identity.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LinkedIdentity")]
struct IdentityOf {
    /// Its name in paths.
    id: String,
    /// The provider.
    provider: String,
    /// Who says so.
    issuer: String,
    /// Who it is there.
    subject: String,
    /// Since when.
    linked_at: Timestamp,
}

async fn list(call: Call, who: Identity) -> Result<Answer, Problem> {
    listed(&call, &who).await
}

async fn unlink(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    proven(&mut call, &who).await?;
    let identity: String = call.path("identity")?;
    call.edge.accounts.unlink(who.user.id, &identity, &call.asker()).await?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

async fn begin(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    proven(&mut call, &who).await?;
    let provider: String = call.path("provider")?;
    Ok(begun(&call.edge.accounts.begin_sign_in(&provider, Some(who.user.id), call.from()).await?))
}

async fn end(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let provider: String = call.path("provider")?;
    let back: Back = call.json().await?;
    call.edge.accounts.end_link(&provider, back.into(), who.user.id, &call.asker()).await?;
    listed(&call, &who).await
}

async fn listed(call: &Call, who: &Identity) -> Result<Answer, Problem> {
    let found = call.edge.accounts.identities(who.user.id).await.map_err(|error| unavailable(&error))?;
    let identities = found.into_iter().map(|identity| {
        let id = identity.id();
        let LinkedIdentity { provider, issuer, subject, linked_at } = identity;
        IdentityOf { id, provider, issuer, subject, linked_at }
    });
    Ok(respond::json(StatusCode::OK, &Identities { identities: identities.collect() }))
}
