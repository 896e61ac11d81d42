//! The line between the conductor and a worker: a stream socket, one JSON document a line.

use super::order::{Order, Told};
use anyhow::Context;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Bytes that are read at a time.
const READ_BYTES: usize = 16 * 1024;

/// The worker's end.
#[derive(Debug)]
pub(super) struct Control {
    stream: UnixStream,
    unread: Vec<u8>,
    /// Bytes of `unread` that hold no end of a line.
    looked_at: usize,
    is_closed: bool,
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Control {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, unread: Vec::new(), looked_at: 0, is_closed: false }
    }

    /// Returns whether the conductor is gone.
    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Waits for the next order; `None` where none will come.
    pub(super) fn wait(&mut self) -> anyhow::Result<Option<Order>> {
        loop {
            if let Some(order) = self.take()? {
                return Ok(Some(order));
            }
            if self.is_closed {
                return Ok(None);
            }
            self.read_with(RecvFlags::empty())?;
        }
    }

    /// Reads what there is, without waiting.
    pub(super) fn read(&mut self) -> anyhow::Result<()> {
        self.read_with(RecvFlags::DONTWAIT)
    }

    fn read_with(&mut self, flags: RecvFlags) -> anyhow::Result<()> {
        let mut bytes = [0; READ_BYTES];
        loop {
            match recv(&self.stream, &mut bytes[..], flags) {
                Ok((0, _)) | Err(Errno::CONNRESET) => self.is_closed = true,
                Ok((read, _)) => {
                    self.unread.extend_from_slice(&bytes[..read]);
                    if read == READ_BYTES && flags.contains(RecvFlags::DONTWAIT) {
                        continue;
                    }
                }
                Err(Errno::AGAIN) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error).context("read an order"),
            }
            return Ok(());
        }
    }

    /// Takes the next order that was read.
    pub(super) fn take(&mut self) -> anyhow::Result<Option<Order>> {
        let Some(end) = self.unread[self.looked_at..].iter().position(|&byte| byte == b'\n') else {
            self.looked_at = self.unread.len();
            return Ok(None);
        };
        let end = self.looked_at + end;
        let order = serde_json::from_slice(&self.unread[..end]).context("read an order")?;
        self.unread.drain(..=end);
        self.looked_at = 0;
        Ok(Some(order))
    }

    /// Answers. It waits where the conductor does not read, which it always does.
    pub(super) fn tell(&mut self, told: &Told) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(told).context("write an answer")?;
        line.push(b'\n');
        self.stream.write_all(&line).context("write an answer")
    }
}
