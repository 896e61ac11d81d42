//! Messages given back as they came: what a conformance suite of the WebSocket itself asks for. Everything but
//! what is done with a message is as always; no configuration does this.

use super::task::{Socket, Turn};
use rookery_protocol::{Codec, websocket_frame};

impl Socket {
    /// Queues a message of `kind` past the outbox, whose bounds are for what is said to clients.
    pub(super) fn give_back(&mut self, kind: Codec, bytes: &[u8]) -> Turn {
        self.writing.frames().push_back(websocket_frame(kind, bytes));
        Turn::Again
    }
}
