//! Step 8 of a message: all that waits, in one vectored write, past tungstenite.
//!
//! Frames from the outbox are complete, header included, and the same bytes for every recipient. They are
//! sent by `send`, which costs a sixth less than `write`: it asks nothing that is about files.
//! They may be written directly only while tungstenite holds nothing of its own, so it is flushed
//! first; and it must write nothing while one of ours is half written.

use bytes::{Buf, Bytes};
use futures_util::Sink;
use rustix::net::{SendAncillaryBuffer, SendFlags};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;

/// Frames in one vectored write. The kernel takes up to 1024; beyond 64 the gain is gone and the
/// array costs stack.
const SLICES: usize = 64;

/// Small frames of at most so many bytes together are copied into one piece: the kernel takes one piece of this
/// size faster than its parts.
const JOINED_BYTES: usize = 4096;

/// Frames under way to the socket.
#[derive(Debug, Default)]
pub(super) struct Writing {
    frames: VecDeque<Bytes>,
    is_amid_a_frame: bool,
}

/// What one write achieved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Frames that are written to their end.
    pub(super) frames: usize,
    /// Bytes, of unfinished frames too.
    pub(super) bytes: usize,
}

impl Writing {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) const fn is_amid_a_frame(&self) -> bool {
        self.is_amid_a_frame
    }

    /// Where new frames are put.
    pub(super) const fn frames(&mut self) -> &mut VecDeque<Bytes> {
        &mut self.frames
    }

    /// Writes once, as much as the socket takes. Tells `done` of each frame that is written to its end.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut WebSocketStream<TcpStream>,
        done: impl FnMut(&Bytes),
    ) -> Poll<io::Result<Written>> {
        if !self.is_amid_a_frame {
            // An error here is the socket's; a finished close handshake shows when reading.
            ready!(Pin::new(&mut *stream).poll_flush(context)).map_err(io::Error::other)?;
        }
        let tcp = stream.get_ref();
        let bytes = loop {
            ready!(tcp.poll_write_ready(context))?;
            match tcp.try_io(Interest::WRITABLE, || self.send(tcp)) {
                // It has just become full, and is registered with the next look.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => break sent?,
            }
        };
        if bytes == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        Poll::Ready(Ok(Written { frames: self.advance(bytes, done), bytes }))
    }

    /// Sends from the front, and returns how many bytes went.
    fn send(&self, tcp: &TcpStream) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if let (Some(only), 1) = (self.frames.front(), self.frames.len()) {
            return Ok(rustix::net::send(tcp, only, flags)?);
        }
        if self.frames.iter().map(Bytes::len).sum::<usize>() <= JOINED_BYTES {
            let mut joined = [0; JOINED_BYTES];
            let mut length = 0;
            for frame in &self.frames {
                joined[length..length + frame.len()].copy_from_slice(frame);
                length += frame.len();
            }
            return Ok(rustix::net::send(tcp, &joined[..length], flags)?);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.frames) {
            *slice = IoSlice::new(frame);
            count += 1;
        }
        Ok(rustix::net::sendmsg(tcp, &slices[..count], &mut SendAncillaryBuffer::default(), flags)?)
    }

    fn advance(&mut self, bytes: usize, mut done: impl FnMut(&Bytes)) -> usize {
        let (mut left, mut frames) = (bytes, 0);
        while let Some(frame) = self.frames.front_mut() {
            if left < frame.len() {
                frame.advance(left);
                break;
            }
            left -= frame.len();
            done(frame);
            self.frames.pop_front();
            frames += 1;
            if left == 0 {
                break;
            }
        }
        self.is_amid_a_frame = left > 0;
        if self.frames.is_empty() {
            // An idle connection keeps no heap.
            self.frames = VecDeque::new();
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writing(lengths: &[usize]) -> Writing {
        let frames = lengths.iter().map(|length| Bytes::from(vec![0; *length])).collect();
        Writing { frames, is_amid_a_frame: false }
    }

    #[test]
    fn a_frame_counts_when_its_last_byte_is_written() {
        let mut writing = writing(&[3, 3, 3]);
        assert_eq!(writing.advance(4, |_| {}), 1);
        assert!(writing.is_amid_a_frame());
        assert_eq!(writing.advance(2, |_| {}), 1);
        assert!(!writing.is_amid_a_frame());
        assert_eq!(writing.advance(3, |_| {}), 1);
        assert!(writing.is_empty() && !writing.is_amid_a_frame());
    }
}
