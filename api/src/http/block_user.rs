//! `PUT` and `DELETE /v1/users/{user}/block`: wants nothing to do with a user, or no more; as
//! `user.block`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{Method, StatusCode};
use rookery_actors::Identity;
use rookery_protocol::{Empty, ErrorCode, Op, UserBlock};

const PATH: &str = "/v1/users/{user}/block";

pub(crate) const BLOCK: Route =
    Route::put(PATH, "blockUser", Handler::User(|call, who| Box::pin(block_user(call, who))))
        .about(Tag::Users, "Wants nothing to do with a user; as `user.block`")
        .gives::<Empty>(200)
        .fails(&[ErrorCode::Invalid, ErrorCode::TooLarge]);

pub(crate) const UNBLOCK: Route =
    Route::delete(PATH, "unblockUser", Handler::User(|call, who| Box::pin(block_user(call, who))))
        .about(Tag::Users, "Takes a block back; as `user.block`")
        .gives::<Empty>(200)
        .fails(&[ErrorCode::Invalid]);

async fn block_user(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let on = *call.request.method() == Method::PUT;
    let op = UserBlock { user: call.path("user")?, on };
    let done = call.perform(&who, Op::UserBlock(op)).await?;
    Ok(respond::json(StatusCode::OK, &done))
}
