//! `GET /.well-known/security.txt`: whom to tell of a weakness (RFC 9116).

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use rookery_protocol::ErrorCode;
use std::fmt::Write;
use std::future::ready;
use std::time::{Duration, UNIX_EPOCH};

pub(crate) const ROUTE: Route = Route::get(
    "/.well-known/security.txt",
    "securityTxt",
    Handler::Public(|call| Box::pin(ready(security_txt(&call)))),
)
.reach(Reach::Both)
.about(Tag::Documents, "Says whom to tell of a weakness (RFC 9116)")
.gives_as::<String>(200, "text/plain; charset=utf-8")
.fails(&[ErrorCode::NotFound]);

/// Days for which the page says that it holds: less than the year that the standard recommends at most.
const HOLDS_DAYS: u64 = 180;

const DAY_SECONDS: u64 = 24 * 60 * 60;

fn security_txt(call: &Call) -> Result<Answer, Problem> {
    let config = call.edge.config();
    let contact = config.server.security_contact.as_deref();
    let contact =
        contact.ok_or_else(|| Problem::new(ErrorCode::NotFound, "there is nothing at this path"))?;
    let now = u64::try_from(call.edge.node.clock().now().0 / 1000).unwrap_or(0);
    // The same all day long.
    let expires = UNIX_EPOCH + Duration::from_secs((now / DAY_SECONDS + HOLDS_DAYS) * DAY_SECONDS);
    let expires = humantime::format_rfc3339_seconds(expires);
    let mut text = format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\n");
    if let Some(url) = &config.server.public_url {
        writeln!(text, "Canonical: {url}/.well-known/security.txt").expect("a string takes text");
    }
    Ok(respond::typed(StatusCode::OK, "text/plain; charset=utf-8", text))
}
