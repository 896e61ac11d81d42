//! Everything of the edge that reads bytes from outside, in reach of the fuzz targets and of nobody else: each
//! function takes whatever comes, as the edge does, and breaks where something is not as it must be.

use crate::accounts::{ReadsTokens, Register};
use crate::events::positions::Positions;
use crate::route::Reach;
use crate::router::Router;
use crate::routes::ROUTES;
use crate::{call, cookie, dispatch, files, forwarded, http as endpoint, origin, query, range, socket};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rookery_engine::trace::Incoming;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

/// Values of the query that routes ask for.
const QUERY: &[&str] = &["limit", "cursor", "before", "after", "around", "query", "ticket", "rooms"];

/// Reads a request: the path with its query on the first line, a header on each other one.
///
/// # Panics
/// When a part of the edge makes of it what it must not.
pub fn request(text: &str) {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    let mut lines = text.lines();
    let (path, asked) = split(lines.next().unwrap_or_default(), '?');
    let headers: HeaderMap = lines.filter_map(header).take(64).collect();

    if let Ok(found) = ROUTER.get_or_init(|| Router::new(ROUTES, Reach::Public)).find(&Method::GET, path) {
        for (_, text) in &found.params {
            drop(query::decode(text));
        }
    }
    for name in QUERY {
        if let Some(value) = query::value(asked, name) {
            assert!(value.len() <= asked.len(), "a value is longer than what it was read from");
        }
    }
    let tag = HeaderValue::from_static("\"7\"");
    let _ = range::is_known(&headers, &tag);
    for length in [0, 1, 1000, u64::MAX] {
        if let range::Wanted::Part(part) = range::wanted(&headers, &tag, length) {
            assert!(part.start < part.end && part.end <= length, "{part:?} of {length}");
        }
    }
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let stranger = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!(forwarded::client(stranger, &headers, &[peer]), stranger, "a stranger is believed");
    let _ = forwarded::client(peer, &headers, &[peer]);
    let _ = (cookie::find(&headers), dispatch::bearer(&headers), socket::offered(&headers).is_ok());
    let _ = (origin::is_allowed(&headers, &[]), origin::is_own_page(&headers, &[]));
    let _ = asked.lines().next().and_then(Incoming::parse).is_some();
    positions(&query::value(asked, "rooms").unwrap_or_default(), &headers);
}

/// Reads where a stream of events goes on; what it has read it must read again the same.
fn positions(rooms: &str, headers: &HeaderMap) {
    let Ok(mut positions) = Positions::parse(rooms) else { return };
    let id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    if positions.resume(id).is_ok() {
        let told = id_of(&positions);
        positions.resume(&told).expect("an id that was given is understood");
        assert_eq!(id_of(&positions), told);
    }
}

fn id_of(positions: &Positions) -> String {
    let mut text = String::new();
    positions.write_id(&mut text);
    text
}

/// Reads the bodies of requests that come without a token.
pub fn body(bytes: &[u8]) {
    let _ = call::parse::<Register>(bytes).is_ok();
    let _ = call::parse::<endpoint::login::Body>(bytes).is_ok();
    let _ = call::parse::<serde_json::Map<String, serde_json::Value>>(bytes).is_ok();
}

/// Reads `text` as an access token.
///
/// # Panics
/// When it passes for one although nobody has signed it, or although it is signed and says what no token says.
pub fn token(text: &str) {
    static TOKENS: OnceLock<ReadsTokens> = OnceLock::new();
    TOKENS.get_or_init(ReadsTokens::default).read(text);
}

/// Takes a file: what it is, what it is called, and what is kept of it where it is a picture.
///
/// # Panics
/// When what is kept is not what may be kept.
pub fn file(bytes: &[u8]) {
    files::take_anything(bytes);
}

fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
}
