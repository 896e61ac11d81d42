//! One direction of one connection: bytes are read, wait for what is said of their way, and are written.

use super::{Direction, Shared, Way};
use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Bytes that are read at a time.
const PIECE: usize = 16 * 1024;

/// Pieces that are under way in one direction of one connection; with more its sender has to wait.
const PIECES: usize = 64;

/// Pieces in one second of a throttled way, so that it goes evenly.
const STEPS: u64 = 50;

/// Bytes that were read at a moment; none at the end of the stream.
type Piece = (Instant, Vec<u8>);

/// Carries bytes until their stream has ended and that has been passed on.
///
/// # Errors
/// A connection that is broken, or that has lost bytes and would go on.
pub(super) async fn carry(
    shared: &Shared,
    direction: Direction,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Error> {
    let (pieces, taken) = mpsc::channel(PIECES);
    let passed = match direction {
        Direction::Requests => &shared.counters.requests,
        Direction::Replies => &shared.counters.replies,
    };
    let carrier = Carrier { way: shared.way(direction).subscribe(), passed, lost: &shared.counters.lost };
    let ((), ()) = tokio::try_join!(read(from, pieces), carrier.write(taken, to))?;
    Ok(())
}

async fn read(from: &mut (impl AsyncRead + Unpin), pieces: mpsc::Sender<Piece>) -> Result<(), Error> {
    loop {
        let mut piece = vec![0; PIECE];
        let length = from.read(&mut piece).await?;
        piece.truncate(length);
        if pieces.send((Instant::now(), piece)).await.is_err() || length == 0 {
            return Ok(());
        }
    }
}

struct Carrier<'a> {
    way: watch::Receiver<Way>,
    passed: &'a AtomicU64,
    lost: &'a AtomicU64,
}

impl Carrier<'_> {
    async fn write(
        mut self,
        mut pieces: mpsc::Receiver<Piece>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), Error> {
        let mut has_lost = false;
        while let Some((read, piece)) = pieces.recv().await {
            let is_end = piece.is_empty();
            let mut rest = &piece[..];
            loop {
                let share = self.share(read, rest.len()).await;
                match share {
                    None => {
                        has_lost = true;
                        self.lost.fetch_add(rest.len() as u64, Ordering::Relaxed);
                        if is_end {
                            // The end is lost as well, so the other side waits for it.
                            self.no_longer_lost().await;
                            return Err(Error::from(ErrorKind::ConnectionReset));
                        }
                        break;
                    }
                    Some(_) if has_lost => return Err(Error::from(ErrorKind::ConnectionReset)),
                    Some(share) => {
                        let (now, later) = rest.split_at(share);
                        to.write_all(now).await?;
                        self.passed.fetch_add(now.len() as u64, Ordering::Relaxed);
                        rest = later;
                        if rest.is_empty() {
                            break;
                        }
                    }
                }
            }
            if is_end {
                return to.shutdown().await;
            }
        }
        Ok(())
    }

    /// Waits until bytes may pass, and returns how many of `length`; `None` where they are lost.
    async fn share(&mut self, read: Instant, length: usize) -> Option<usize> {
        loop {
            let way = *self.way.borrow_and_update();
            let (until, share) = match way {
                Way::Open => return Some(length),
                Way::Lost => return None,
                Way::Cut => {
                    self.changed().await;
                    continue;
                }
                Way::Delayed(by) => (read + by, length),
                Way::Throttled(bytes_per_second) => {
                    let step = usize::try_from((bytes_per_second / STEPS).max(1)).unwrap_or(usize::MAX);
                    let share = length.min(step);
                    let nanos = share as u64 * 1_000_000_000 / bytes_per_second.max(1);
                    (Instant::now() + Duration::from_nanos(nanos), share)
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Some(share),
                () = self.changed() => {}
            }
        }
    }

    async fn no_longer_lost(&mut self) {
        while *self.way.borrow_and_update() == Way::Lost {
            self.changed().await;
        }
    }

    /// Waits until something else is said of the way.
    async fn changed(&mut self) {
        if self.way.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
