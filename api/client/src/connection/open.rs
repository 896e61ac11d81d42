//! From an address to a connection that is greeted and, if wanted, authenticated.

use super::{CallError, Connection, Incoming, OpenError};
use crate::notice::Notice;
use crate::server_url::ServerUrl;
use http::header::{HOST, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use rookery_protocol::{Auth, Authenticated, Codec, Op};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error as SocketError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// The time for all of it.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// Bytes that are read at once: a few dozen chat messages. The buffer is cleared before each read,
/// so a larger one costs time.
const READ_BUFFER: usize = 8 << 10;

/// Bytes after which written frames go out without a flush.
const WRITE_BUFFER: usize = 4 << 10;

/// Bytes of the largest frame: a page of 100 messages of the greatest size, twice over.
const FRAME_BYTES: usize = 4 << 20;

/// How a connection proves who it is.
#[derive(Clone)]
pub enum Credential {
    /// Not at all: it is only greeted.
    Nobody,
    /// By `auth` with an access token.
    Token(String),
    /// By a ticket in the address.
    Ticket(String),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Token(_) => "Token",
            Self::Ticket(_) => "Ticket",
        })
    }
}

impl Connection {
    /// Opens a connection, waits for the greeting, and authenticates by `credential`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(server: &ServerUrl, codec: Codec, credential: Credential) -> Result<Self, OpenError> {
        let opening = async {
            let mut connection = Self::greeted(server, codec, &credential).await?;
            match credential {
                Credential::Nobody => {}
                Credential::Token(token) => connection.authenticate(token).await?,
                Credential::Ticket(_) => match connection.next().await {
                    Incoming::Notice(Notice::Ready(who)) => connection.who = Some(who),
                    Incoming::Closed(closed) => return Err(closed.into()),
                    other => return Err(OpenError::Greeting(format!("{other:?} instead of ready"))),
                },
            }
            Ok(connection)
        };
        tokio::time::timeout(OPEN_WITHIN, opening).await.map_err(|_| OpenError::Late)?
    }

    async fn authenticate(&mut self, token: String) -> Result<(), OpenError> {
        let auth = Op::Auth(Box::new(Auth { token, device: None, inbox_after: None }));
        let who = self.call::<Authenticated>(&auth).await.map_err(|error| match error {
            CallError::Refused(error) => OpenError::Auth(error),
            CallError::Closed(closed) => closed.into(),
            other => OpenError::Greeting(other.to_string()),
        })?;
        self.who = Some(Box::new(who));
        Ok(())
    }

    async fn greeted(server: &ServerUrl, codec: Codec, credential: &Credential) -> Result<Self, OpenError> {
        let stream = TcpStream::connect(server.host_and_port()).await?;
        stream.set_nodelay(true)?;
        let query = if let Credential::Ticket(ticket) = credential {
            format!("?ticket={ticket}")
        } else {
            String::new()
        };
        let url = format!("ws://{}/v1/ws{query}", server.authority());
        let mut request = url.into_client_request().map_err(|error| OpenError::Upgrade(error.to_string()))?;
        let host = HeaderValue::from_str(server.authority())
            .map_err(|error| OpenError::Upgrade(error.to_string()))?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(codec.subprotocol()));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(FRAME_BYTES))
            .max_frame_size(Some(FRAME_BYTES));
        let upgraded = client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = upgraded.map_err(|error| match error {
            SocketError::Http(answer) => OpenError::Refused(answer.status().as_u16()),
            SocketError::Io(error) => OpenError::Connect(error),
            other => OpenError::Upgrade(other.to_string()),
        })?;
        let mut connection = Self {
            socket,
            codec,
            hello: None,
            who: None,
            last_id: 0,
            backlog: VecDeque::new(),
            closed: None,
            heard_at: Instant::now(),
            is_unflushed: false,
            bytes_in: 0,
            bytes_out: 0,
        };
        match connection.next().await {
            Incoming::Notice(Notice::Hello(hello)) => connection.hello = Some(hello),
            Incoming::Closed(closed) => return Err(closed.into()),
            other => return Err(OpenError::Greeting(format!("{other:?} instead of hello"))),
        }
        Ok(connection)
    }
}
