//! `GET /v1/files/{id}` and its `/thumb`: a file, or a small picture of it, for those who may read it.
//!
//! Whatever it is, a browser is told to save it, not to guess what it is and not to run it.

use crate::call::Call;
use crate::files::FileBody;
use crate::files::{FileError, Opened};
use crate::problem::Problem;
use crate::range::{self, Wanted};
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rookery_actors::Identity;
use rookery_engine::blobs::BlobPart;
use rookery_protocol::{ErrorCode, FileId};
use std::fmt::Write;

pub(crate) const FILE: Route = Route::get(
    "/v1/files/{id}",
    "getFile",
    Handler::User(|call, who| Box::pin(get_part(call, who, BlobPart::Content))),
)
.about(Tag::Files, "Gives a file, or a part of it")
.header::<String>("Range", "One range of bytes; several are answered with all of it.")
.header::<String>("If-None-Match", "The `ETag` one has.")
.gives_as::<serde_json::Value>(200, "application/octet-stream")
.with("ETag", "The version of the bytes, which never changes.")
.gives_as::<serde_json::Value>(206, "application/octet-stream")
.with("Content-Range", "Which part of how much.")
.gives_nothing(304)
.with("ETag", "The version of the bytes.");

pub(crate) const THUMB: Route = Route::get(
    "/v1/files/{id}/thumb",
    "getThumb",
    Handler::User(|call, who| Box::pin(get_part(call, who, BlobPart::Thumb))),
)
.about(Tag::Files, "Gives the small picture of a file, or a part of it")
.header::<String>("Range", "One range of bytes; several are answered with all of it.")
.header::<String>("If-None-Match", "The `ETag` one has.")
.gives_as::<serde_json::Value>(200, "application/octet-stream")
.with("ETag", "The version of the bytes, which never changes.")
.gives_as::<serde_json::Value>(206, "application/octet-stream")
.with("Content-Range", "Which part of how much.")
.gives_nothing(304)
.with("ETag", "The version of the bytes.");

/// It never changes under its name, but who may read it does: ask each time, and get 304.
const CACHING: HeaderValue = HeaderValue::from_static("private, no-cache");

/// What a page that is opened from a file may do: nothing, in an origin of its own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

async fn get_part(call: Call, who: Identity, part: BlobPart) -> Result<Answer, Problem> {
    let file: FileId = call.path("id")?;
    let opened = call.edge.files.open(who.user.id, file).await?;
    let (mime, length) = match (part, &opened.content.thumb) {
        (BlobPart::Thumb, Some(thumb)) => (&thumb.mime, thumb.size),
        (BlobPart::Thumb, None) => return Err(FileError::NotFound(file).into()),
        _ => (&opened.content.mime, opened.content.size),
    };
    let tag = tag(&opened, part);
    let wanted = range::wanted(call.headers(), &tag, length);
    let (status, range) = match wanted {
        _ if range::is_known(call.headers(), &tag) => {
            let mut answer = respond::empty(StatusCode::NOT_MODIFIED);
            answer.headers_mut().insert(header::ETAG, tag);
            answer.headers_mut().insert(header::CACHE_CONTROL, CACHING);
            return Ok(answer);
        }
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            return Err(Problem::new(ErrorCode::Invalid, format!("the file has {length} bytes"))
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, value(format!("bytes */{length}"))));
        }
    };
    let size = range.end - range.start;
    let mut answer = if call.request.method() == Method::HEAD {
        respond::empty(status)
    } else {
        let content = call.edge.files.read(file, part, range.clone()).await?;
        let counter = call.edge.node.metrics().files.download_bytes.clone();
        respond::streamed(status, UNKNOWN_TYPE, FileBody::new(content, size, counter))
    };
    let headers = answer.headers_mut();
    describe(headers, &opened, mime);
    headers.insert(header::ETAG, tag);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    if status == StatusCode::PARTIAL_CONTENT {
        let bounds = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        headers.insert(header::CONTENT_RANGE, value(bounds));
    }
    Ok(answer)
}

/// The media type of bytes that nothing is known of.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Says what it is, and that it is only to be saved.
fn describe(headers: &mut HeaderMap, opened: &Opened, mime: &str) {
    let unknown = HeaderValue::from_static(UNKNOWN_TYPE);
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(mime).unwrap_or(unknown));
    headers.insert(header::CONTENT_DISPOSITION, value(disposition(&opened.upload.name)));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::CACHE_CONTROL, CACHING);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

/// Returns the version of a part: bytes under one name never change, so what they were made of will do.
fn tag(opened: &Opened, part: BlobPart) -> HeaderValue {
    let mut text = String::from("\"");
    for byte in opened.content.hash {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    if part == BlobPart::Thumb {
        text.push_str("-thumb");
    }
    text.push('"');
    value(text)
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("visible ASCII is a header value")
}

/// Has a file saved under its name (RFC 6266, section 4; RFC 8187, section 3.2).
fn disposition(name: &str) -> String {
    let mut text = String::from("attachment; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_so_that_nothing_of_it_is_read_as_something_else() {
        assert_eq!(disposition("a.txt"), "attachment; filename*=UTF-8''a.txt");
        assert_eq!(disposition("a\"; b=c"), "attachment; filename*=UTF-8''a%22%3B%20b%3Dc");
        assert_eq!(disposition("é'*%"), "attachment; filename*=UTF-8''%C3%A9%27%2A%25");
    }
}
