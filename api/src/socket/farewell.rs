//! Closing: the close frame out, then what the peer still sends is read and thrown away, so that
//! the kernel does not answer it with a reset that takes our last frames with it.
//!
//! The close frame is written as raw bytes because tungstenite cannot be used once the peer has
//! broken the protocol; one way serves both cases. The sweeper drops a socket whose peer neither
//! reads nor ends.

use super::task::Socket;
use futures_util::Sink;
use rookery_protocol::CloseCode;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read and thrown away at once while closing.
const SCRAP_BYTES: usize = 4 * 1024;

/// How far the closing has come.
#[derive(Debug)]
pub(super) struct Farewell {
    code: CloseCode,
    /// What is left of the close frame.
    frame: Vec<u8>,
    written: usize,
    is_shut: bool,
}

impl Farewell {
    pub(super) fn new(code: CloseCode) -> Self {
        let reason = code.reason().as_bytes();
        debug_assert!(reason.len() <= 123, "a control frame has at most 125 bytes");
        // FIN and opcode 8, length, code, reason (RFC 6455, section 5.5.1).
        let mut frame = vec![0x88, u8::try_from(2 + reason.len()).unwrap_or(2)];
        frame.extend_from_slice(&code.as_u16().to_be_bytes());
        frame.extend_from_slice(reason);
        Self { code, frame, written: 0, is_shut: false }
    }
}

impl Socket {
    /// Closes the socket and returns the code, once the peer has ended its side too.
    pub(super) fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<u16> {
        let Some(farewell) = &mut self.farewell else { return Poll::Ready(super::task::ABNORMAL) };
        let code = farewell.code.as_u16();
        if farewell.written == 0 {
            // A pong of tungstenite's may be half written. What goes wrong here shows below as well.
            drop(ready!(Pin::new(&mut self.stream).poll_flush(context)));
        }
        let tcp = self.stream.get_mut();
        while farewell.written < farewell.frame.len() {
            match ready!(Pin::new(&mut *tcp).poll_write(context, &farewell.frame[farewell.written..])) {
                Ok(written) if written > 0 => farewell.written += written,
                _ => return Poll::Ready(code),
            }
        }
        if !farewell.is_shut {
            if ready!(Pin::new(&mut *tcp).poll_shutdown(context)).is_err() {
                return Poll::Ready(code);
            }
            farewell.is_shut = true;
        }
        loop {
            let mut scrap = [0; SCRAP_BYTES];
            let mut into = ReadBuf::new(&mut scrap);
            match ready!(Pin::new(&mut *tcp).poll_read(context, &mut into)) {
                Ok(()) if !into.filled().is_empty() => {}
                _ => return Poll::Ready(code),
            }
        }
    }
}
