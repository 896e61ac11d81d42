//! How a connection fails to open, ends, or fails to answer.

use rookery_protocol::{DecodeError, WireError};
use tokio_tungstenite::tungstenite;

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keep the connection: {why} (close code {code:?})")]
pub struct Closed {
    /// The peer's close code; `None` when it said none.
    pub code: Option<u16>,
    /// For people.
    pub why: String,
}

/// Why a connection did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody is there.
    #[error("connect to the server: {0}")]
    Connect(#[from] std::io::Error),
    /// The server answered the upgrade with another HTTP status than 101.
    #[error("open the WebSocket: status {0}")]
    Refused(u16),
    /// The upgrade went wrong.
    #[error("open the WebSocket: {0}")]
    Upgrade(String),
    /// The server did not begin as it should.
    #[error("be greeted: {0}")]
    Greeting(String),
    /// The server did not accept who it is.
    #[error("be recognised: {0}")]
    Auth(WireError),
    /// It ended before that.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// It took too long.
    #[error("open the connection in time")]
    Late,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] WireError),
    /// The connection ended; the command may have been carried out.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The reply is not of the shape that was expected.
    #[error("read the reply: {0}")]
    Unreadable(#[from] DecodeError),
    /// Too much else arrived before the reply.
    #[error("find the reply among what else arrives")]
    Backlog,
}

impl Closed {
    pub(crate) fn by_peer(code: Option<u16>) -> Self {
        Self { code, why: "closed by the peer".to_owned() }
    }

    pub(crate) fn broken(why: impl Into<String>) -> Self {
        Self { code: None, why: why.into() }
    }

    pub(super) fn of(error: &tungstenite::Error) -> Self {
        Self::broken(error.to_string())
    }
}
