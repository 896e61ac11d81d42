//! `GET /v1/users/{user}`: somebody's profile; as `user.get`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{Op, User, UserGet};

pub(crate) const ROUTE: Route =
    Route::get("/v1/users/{user}", "getUser", Handler::User(|call, who| Box::pin(get_user(call, who))))
        .about(Tag::Users, "Gives somebody's profile; as `user.get`")
        .gives::<User>(200);

async fn get_user(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = UserGet { user: call.path("user")? };
    let user = call.perform(&who, Op::UserGet(op)).await?;
    Ok(respond::json(StatusCode::OK, &user))
}
