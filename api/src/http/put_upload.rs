//! `PUT /v1/uploads/{id}`: the bytes of an announced file, as they are.
//!
//! The answer is the attachment as it goes into a message. The same bytes again get the same answer.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::{Identity, attachment};
use rookery_engine::admission::Wanted;
use rookery_protocol::{Attachment, ErrorCode};
use std::sync::Arc;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

pub(crate) const ROUTE: Route =
    Route::put("/v1/uploads/{id}", "putUpload", Handler::User(|call, who| Box::pin(put_upload(call, who))))
        .streamed()
        .about(Tag::Files, "Sends the bytes of an announced file")
        .takes_as::<serde_json::Value>("application/octet-stream")
        .gives::<Attachment>(200)
        .fails(&[ErrorCode::Conflict]);

async fn put_upload(call: Call, who: Identity) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Upload).map_err(|error| Problem::from(error).closing())?;
    let file = call.path("id")?;
    let files = Arc::clone(&call.edge.files);
    let body = call.request.into_body();
    let (answer, answered) = oneshot::channel();
    // It goes on when the connection does not, and clears away what it has begun.
    let task = async move {
        // Whoever asked may have gone.
        drop(answer.send(files.put(who.user.id, file, body).await));
    };
    call.edge.node.tasks().spawn(task.instrument(Span::current()));
    let failed = || Problem::new(ErrorCode::Internal, "the server made a mistake").closing();
    let record = answered.await.map_err(|_| failed())??;
    let attachment = attachment(&record).ok_or_else(failed)?;
    Ok(respond::json(StatusCode::OK, &attachment))
}
