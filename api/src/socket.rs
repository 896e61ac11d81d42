//! The WebSocket edge: from an HTTP request to a connection of the node.
//!
//! | file | what |
//! |---|---|
//! | `socket.rs` | the handshake: origin, subprotocol, ticket |
//! | `socket/task.rs` | the one task that owns the socket, and its turn: write, dispatch, read |
//! | `socket/read.rs` | steps 1 and 2 of a message: bytes in, limits, decode, credit |
//! | `socket/write.rs` | step 8: the whole outbox in one vectored write |
//! | `socket/farewell.rs` | closing, also where the peer has broken the protocol |

mod farewell;
mod read;
mod task;
mod write;

use crate::edge::Edge;
use crate::problem::Problem;
use crate::query;
use crate::respond::Answer;
use crate::stream::Stream;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use metrics::Gauge;
use rookery_actors::{Identity, Node, SessionMessage, SessionRef};
use rookery_engine::Connection;
use rookery_protocol::{Codec, ErrorCode, Frame, ServerEvent};
use std::net::SocketAddr;
use std::sync::Arc;
use task::Socket;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

/// Answers `GET /v1/ws`: 101 and from then on a connection, or a problem.
pub(crate) async fn upgrade(
    edge: &Arc<Edge>,
    mut request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Answer, Problem> {
    if !edge.origin_allowed(request.headers()) {
        return Err(Problem::new(ErrorCode::Forbidden, "this origin may not open a WebSocket here"));
    }
    if edge.is_draining() || edge.node.connections().len() >= edge.config.server.max_connections {
        return Err(Problem::new(ErrorCode::Busy, "no more connections are taken at the moment"));
    }
    let mut answer =
        create_response_with_body(&request, || Either::Left(Full::default())).map_err(|error| {
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
            // A task of its own size: this one has been as large as the handshake.
            tasks.spawn(serve(edge, tcp, read_ahead, codec, identity, peer));
        }
    });
    Ok(answer)
}

/// Returns the first offered subprotocol that is spoken here; nothing offered is `None`.
fn offered(headers: &HeaderMap) -> Result<Option<Codec>, Problem> {
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

async fn serve(
    edge: Arc<Edge>,
    tcp: tokio::net::TcpStream,
    read_ahead: bytes::Bytes,
    codec: Codec,
    identity: Option<Identity>,
    peer: SocketAddr,
) {
    let node = Arc::clone(&edge.node);
    drop(edge);
    let (connection, session) = match node.connect(codec) {
        Ok(connected) => connected,
        Err(error) => return tracing::error!(%error, %peer, "connection not served"),
    };
    let served = Served::new(Arc::clone(&node), Arc::clone(&connection), session.clone());
    connection.push_reply(&Frame::server(ServerEvent::hello(node.name(), node.clock().now())));
    if let Some(identity) = identity {
        // A session that has died closes the connection by itself.
        drop(session.send_message(SessionMessage::Ticket(Box::new(identity))));
    }
    let socket = Socket::new(tcp, read_ahead, connection, session, node).await;
    let code = socket.run().await;
    tracing::debug!(connection = served.connection.id().0, %peer, code, "connection ended");
    served.node.metrics().closes.of(label(code)).increment(1);
}

/// A connection while its socket is served. Dropping it, after a panic as well, tells the node that
/// the socket is gone.
struct Served {
    node: Arc<Node>,
    connection: Arc<Connection>,
    session: SessionRef,
}

impl Served {
    fn new(node: Arc<Node>, connection: Arc<Connection>, session: SessionRef) -> Self {
        let served = Self { node, connection, session };
        served.gauge().increment(1.0);
        served.node.metrics().connects.increment(1);
        served
    }

    fn gauge(&self) -> &Gauge {
        match self.connection.codec() {
            Codec::Json => &self.node.metrics().connections_json,
            Codec::MessagePack => &self.node.metrics().connections_msgpack,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.gauge().decrement(1.0);
        self.node.disconnected(&self.connection, &self.session);
    }
}

/// Returns the code as a metric's label; one that only a peer can have thought of counts as 1000.
fn label(code: u16) -> &'static str {
    match code {
        1001 => "1001",
        1002 => "1002",
        1006 => "1006",
        1007 => "1007",
        1009 => "1009",
        4000 => "4000",
        4001 => "4001",
        4002 => "4002",
        4003 => "4003",
        4004 => "4004",
        4005 => "4005",
        4006 => "4006",
        4500 => "4500",
        4501 => "4501",
        4502 => "4502",
        4503 => "4503",
        4504 => "4504",
        4505 => "4505",
        4506 => "4506",
        _ => "1000",
    }
}
