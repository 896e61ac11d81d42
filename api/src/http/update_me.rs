//! `PATCH /v1/me`: one's own profile; as `profile.update`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::{HANDLE_RATE, Identity};
use rookery_protocol::{ErrorCode, Op, ProfileUpdate, User};

pub(crate) const ROUTE: Route =
    Route::patch("/v1/me", "updateMe", Handler::User(|call, who| Box::pin(update_me(call, who))))
        .body_bytes(16_384)
        .about(Tag::Users, "Changes one's own profile; as `profile.update`")
        .takes::<ProfileUpdate>()
        .gives::<User>(200)
        .fails(&[ErrorCode::NotFound, ErrorCode::Conflict, ErrorCode::RateLimited]);

async fn update_me(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op: ProfileUpdate = call.json().await?;
    let changed = call.perform(&who, Op::ProfileUpdate(Box::new(op))).await;
    let user = changed.map_err(|problem| problem.under(HANDLE_RATE))?;
    Ok(respond::json(StatusCode::OK, &user))
}
