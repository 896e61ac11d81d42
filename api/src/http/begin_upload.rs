//! `POST /v1/uploads`: announces a file, so that its size is known and charged before a byte of it comes.

use crate::call::Call;
use crate::files::Announced;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::StatusCode;
use rookery_actors::Identity;
use rookery_engine::admission::Wanted;
use rookery_protocol::limits::MIME_BYTES;
use rookery_protocol::{ErrorCode, FileId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) const ROUTE: Route =
    Route::post("/v1/uploads", "beginUpload", Handler::User(|call, who| Box::pin(begin_upload(call, who))))
        .about(Tag::Files, "Announces a file")
        .takes::<Body>()
        .gives::<Begun>(201)
        .fails(&[ErrorCode::TooLarge]);

/// The file that will be sent.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "UploadBody")]
struct Body {
    /// Its name, without folders; at most 255 bytes.
    name: String,
    /// Its exact size in bytes.
    size: u64,
    /// What the client takes it for; its content says what it is.
    #[serde(default)]
    mime: Option<String>,
}

/// Where the bytes go.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UploadBegun")]
struct Begun {
    /// The file's id, for the body of a message.
    id: FileId,
    /// Where to `PUT` the bytes, relative to the server.
    upload_url: String,
    /// Until when they must have come, and a message must carry them.
    expires_at: Timestamp,
}

async fn begin_upload(mut call: Call, who: Identity) -> Result<Answer, Problem> {
    call.edge.node.admit(Wanted::Upload)?;
    call.edge.node.spend_message(&who)?;
    let Body { name, size, mime } = call.json().await?;
    if mime.as_ref().is_some_and(|mime| mime.len() > MIME_BYTES) {
        return Err(Problem::field("mime", format!("a media type has at most {MIME_BYTES} bytes")));
    }
    let upload = call.edge.files.begin(who.user.id, Announced { name, size, mime }).await?;
    let id = upload.file;
    let begun = Begun { id, upload_url: format!("/v1/uploads/{id}"), expires_at: upload.expires_at };
    Ok(respond::json(StatusCode::CREATED, &begun))
}
