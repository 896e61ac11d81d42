//! `GET /v1/rooms/{room}/members`: who is in a room; as `member.list`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{MemberList, Members, Op};

pub(crate) const ROUTE: Route = Route::get(
    "/v1/rooms/{room}/members",
    "listMembers",
    Handler::User(|call, who| Box::pin(list_members(call, who))),
)
.about(Tag::Members, "Lists the members, ascending by user id; as `member.list`")
.query::<u32>("limit", "At most this many; 100 is the most.")
.query::<String>("cursor", "`next` of the page before.")
.gives::<Members>(200);

async fn list_members(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op =
        MemberList { room: call.path("room")?, limit: call.query("limit")?, cursor: call.query("cursor")? };
    let members = call.perform(&who, Op::MemberList(op)).await?;
    Ok(respond::json(StatusCode::OK, &members))
}
