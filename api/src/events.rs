//! Event streams (server-sent events, WHATWG HTML section 9.2): what a socket tells of some rooms, for
//! whoever can only fetch.
//!
//! A stream is a connection of the node like any other: the same session, outbox, replay and bounds.
//! Only its end differs, which turns frames into text.
//!
//! | file | what |
//! |---|---|
//! | `events.rs` | the request: who, which rooms, from where |
//! | `events/positions.rs` | how far each room has been told, as one event id |
//! | `events/stream.rs` | the body: the outbox, as hyper asks for it |
//! | `events/tell.rs` | each frame as text, and what it changes |

pub(crate) mod positions;
mod stream;
mod tell;

use crate::call::Call;
use crate::dispatch::authenticate;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::served::Served;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use positions::Positions;
use rookery_actors::SessionMessage;
use rookery_protocol::{Codec, ErrorCode, Frame, Op, RoomGet, ServerEvent};
use std::sync::Arc;
use stream::EventStream;

/// The one encoding that event streams have, named because every text's is (ASVS 5.0, 4.1.1).
const MEDIA_TYPE: &str = "text/event-stream; charset=utf-8";

/// Answers `GET /v1/events`: from now on the events of `?rooms=`, or a problem.
pub(crate) async fn listen(call: &Call) -> Result<Answer, Problem> {
    let edge = &call.edge;
    if !edge.origin_allowed(call.headers()) {
        return Err(Problem::new(ErrorCode::Forbidden, "this origin may not open an event stream here"));
    }
    edge.admit(call.from())?;
    let positions = asked(call)?;
    // Last of what the request says, so that one that is wrong otherwise does not use its ticket up.
    let identity = match call.query::<String>("ticket")? {
        Some(ticket) => edge.accounts.take_ticket(&ticket).await?,
        None => authenticate(edge, call.headers()).await?,
    };
    let node = &edge.node;
    for room in positions.rooms() {
        // Opening tells it again; but then the status has gone out.
        node.perform(&identity.user, Op::RoomGet(RoomGet { room })).await?;
    }
    if call.request.method() == Method::HEAD {
        return Ok(unbuffered(respond::typed(StatusCode::OK, MEDIA_TYPE, "")));
    }
    let (connection, session) = node.connect(Codec::Json);
    let gauge = node.metrics().edge.connections.of("sse").clone();
    let served = Served::new(Arc::clone(node), (Arc::clone(&connection), session.clone()), gauge);
    connection.push_reply(&Frame::server(ServerEvent::hello(node.name(), node.clock().now())));
    // A session that has died closes the connection by itself.
    session.tell(SessionMessage::Ticket(Box::new(identity)));
    let stream = EventStream::begin(served, positions);
    Ok(unbuffered(respond::streamed(StatusCode::OK, MEDIA_TYPE, stream)))
}

/// Reads which rooms, and from where: `Last-Event-ID` before what the URL says.
fn asked(call: &Call) -> Result<Positions, Problem> {
    let rooms: Option<String> = call.query("rooms")?;
    let mut positions = Positions::parse(&rooms.unwrap_or_default())?;
    let header = call.headers().get("last-event-id").map(|value| value.to_str().unwrap_or("?").to_owned());
    let query: Option<String> = call.query("last_event_id")?;
    // A browser sends an empty one before it has heard any.
    if let Some(id) = header.or(query).filter(|id| !id.is_empty()) {
        positions.resume(&id)?;
    }
    Ok(positions)
}

/// Asks proxies to hand each event on as it comes.
fn unbuffered(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    answer
}
