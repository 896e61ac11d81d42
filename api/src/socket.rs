//! The WebSocket edge: from an HTTP request to a connection of the node.
//!
//! | file | what |
//! |---|---|
//! | `socket.rs` | the handshake: origin, subprotocol, ticket |
//! | `socket/task.rs` | the one task that owns the socket, and its turn: write, dispatch, read |
//! | `socket/read.rs` | steps 1 and 2 of a message: bytes in, limits, decode, credit |
//! | `socket/echo.rs` | in place of all that, for tests: each message back as it came |
//! | `socket/write.rs` | step 8: the whole outbox in one vectored write |
//! | `socket/farewell.rs` | closing, also where the peer has broken the protocol |

mod echo;
mod farewell;
mod read;
mod task;
mod write;

use crate::edge::Edge;
use crate::problem::Problem;
use crate::query;
use crate::respond::{self, Answer};
use crate::served::Served;
use crate::stream::Stream;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use rookery_actors::{Identity, Node, SessionMessage};
use rookery_protocol::{Codec, ErrorCode, Frame, ServerEvent};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use task::Socket;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

/// Answers `GET /v1/ws` of `peer`, or of whoever is behind it: 101 and from then on a connection, or a problem.
pub(crate) async fn upgrade(
    edge: &Arc<Edge>,
    mut request: Request<Incoming>,
    (peer, from): (SocketAddr, IpAddr),
) -> Result<Answer, Problem> {
    if !edge.origin_allowed(request.headers()) {
        return Err(Problem::new(ErrorCode::Forbidden, "this origin may not open a WebSocket here"));
    }
    edge.admit(from)?;
    let mut answer =
        create_response_with_body(&request, || respond::whole(Bytes::new())).map_err(|error| {
            Problem::new(ErrorCode::BadRequest, format!("not a WebSocket handshake: {error}"))
                .status(StatusCode::UPGRADE_REQUIRED)
                .header(header::UPGRADE, HeaderValue::from_static("websocket"))
        })?;
    let codec = match offered(request.headers())? {
        None => Codec::Json,
        Some(codec) => {
            let name = HeaderValue::from_static(codec.subprotocol());
            answer.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, name);
            codec
        }
    };
    let identity = match request.uri().query().and_then(|query| query::value(query, "ticket")) {
        None => None,
        Some(ticket) => Some(edge.accounts.take_ticket(&ticket).await?),
    };
    let upgrading = hyper::upgrade::on(&mut request);
    let edge = Arc::clone(edge);
    let tasks = edge.node.tasks().clone();
    tasks.clone().spawn(async move {
        let Ok(upgraded) = upgrading.await else { return };
        if let Some((tcp, read_ahead)) = Stream::take_back(upgraded) {
            let served = open(&edge.node, codec, identity, edge.echoes().is_some());
            let socket = Socket::new(tcp, read_ahead, served, edge.echoes()).await;
            // A task of its own size: this one has been as large as the handshake.
            tasks.spawn(socket.run(peer));
        }
    });
    Ok(answer)
}

/// Returns the first offered subprotocol that is spoken here; nothing offered is `None`.
pub(crate) fn offered(headers: &HeaderMap) -> Result<Option<Codec>, Problem> {
    let mut is_offered = false;
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for name in value.to_str().unwrap_or_default().split(',') {
            is_offered = true;
            if let Some(codec) = Codec::from_subprotocol(name.trim()) {
                return Ok(Some(codec));
            }
        }
    }
    if is_offered {
        let spoken = [Codec::Json, Codec::MessagePack].map(Codec::subprotocol).join(", ");
        return Err(Problem::new(
            ErrorCode::BadRequest,
            format!("the subprotocols spoken here are {spoken}"),
        ));
    }
    Ok(None)
}

/// Makes a connection of the node of a socket, and greets the peer unless it only hears its own words.
fn open(node: &Arc<Node>, codec: Codec, identity: Option<Identity>, echoes: bool) -> Served {
    let (connection, session) = node.connect(codec);
    let metrics = node.metrics();
    let gauge = match codec {
        Codec::Json => metrics.edge.connections.of("json"),
        Codec::MessagePack => metrics.edge.connections.of("msgpack"),
    };
    let served = Served::new(Arc::clone(node), (Arc::clone(&connection), session.clone()), gauge.clone());
    if !echoes {
        connection.push_reply(&Frame::server(ServerEvent::hello(node.name(), node.clock().now())));
    }
    if let Some(identity) = identity {
        session.tell(SessionMessage::Ticket(Box::new(identity)));
    }
    served
}
