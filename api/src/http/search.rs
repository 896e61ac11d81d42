//! `GET /v1/search`: messages of the caller's rooms, by their words; as `message.search`.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_protocol::{BodyKind, ErrorCode, Found, MessageSearch, RoomId, Timestamp, UserId};

pub(crate) const ROUTE: Route =
    Route::get("/v1/search", "searchMessages", Handler::User(|call, who| Box::pin(search(call, who))))
        .about(Tag::Messages, "Finds messages of one's rooms by their words; as `message.search`")
        .query::<String>("query", "1 to 16 words in at most 256 bytes.")
        .required()
        .query::<RoomId>("room", "Only there.")
        .query::<UserId>("from", "Only by this user.")
        .query::<Timestamp>("before", "Only older than this time.")
        .query::<BodyKind>("kind", "Only of this kind.")
        .query::<u32>("limit", "At most this many; 100 is the most.")
        .query::<String>("cursor", "`next` of the page before.")
        .gives::<Found>(200)
        .fails(&[ErrorCode::NotFound, ErrorCode::TooLarge]);

async fn search(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    let op = MessageSearch {
        query: call.query("query")?.unwrap_or_default(),
        room: call.query("room")?,
        from: call.query("from")?,
        before: call.query("before")?.map(Timestamp),
        kind: call.query("kind")?,
        limit: call.query("limit")?,
        cursor: call.query("cursor")?,
    };
    let found = call.perform(&who, op.into()).await?;
    Ok(respond::json(StatusCode::OK, &found))
}
