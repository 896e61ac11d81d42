//! The stream as checked pieces.
//!
//! Each piece's sum is over the one before it too, so that one which is damaged, missing, twice or in another
//! place is seen when it is read, before anything is done with it.

use crate::item::VERSION;
use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use std::io::{self, ErrorKind, Read, Write};

/// What every stream begins with; the format's version follows.
const MAGIC: &[u8; 15] = b"rookery backup\0";

/// The longest content of a frame. The longest record, a batch of one message with all that may hang on it,
/// is below 256 KiB; what claims to be longer than this is refused before any memory is taken for it.
pub const FRAME_BYTES: usize = 1 << 20;

type Sum = [u8; SHA256_OUTPUT_LEN];

/// Why a stream is not read further.
#[derive(Debug, thiserror::Error)]
pub enum BrokenStream {
    /// It does not begin like one.
    #[error("find a backup: this is none")]
    NotABackup,
    /// It is of a format that this version does not know.
    #[error("read a backup of format {0}: this version reads format {VERSION}")]
    Version(u8),
    /// It ends in the middle: whatever wrote it did not come to its end, or lost some.
    #[error("read the backup to its end: it is cut off after {0} bytes")]
    CutOff(u64),
    /// The piece there is not what was written.
    #[error("read the backup: it is damaged at byte {0}")]
    Damaged(u64),
    /// The piece there says what makes no sense.
    #[error("understand the backup at byte {at}: {why}")]
    Senseless {
        /// Where the piece begins.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// It cannot be read.
    #[error("read the backup: {0}")]
    Io(#[from] io::Error),
}

/// Writes frames.
#[derive(Debug)]
pub(crate) struct FrameWriter<W> {
    out: W,
    sum: Sum,
    bytes: u64,
}

impl<W: Write> FrameWriter<W> {
    pub(crate) fn begin(mut out: W) -> io::Result<Self> {
        let start = start(VERSION);
        out.write_all(&start)?;
        Ok(Self { out, sum: sum(&[&start]), bytes: start.len() as u64 })
    }

    /// Writes a frame of `content`, which the caller keeps within [`FRAME_BYTES`].
    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len()).ok().filter(|_| content.len() <= FRAME_BYTES);
        let length = length.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "a record is too long"))?;
        self.sum = sum(&[&self.sum, content]);
        for part in [&length.to_be_bytes()[..], content, &self.sum] {
            self.out.write_all(part)?;
            self.bytes += part.len() as u64;
        }
        Ok(())
    }

    /// Returns the bytes written so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads frames.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    input: R,
    sum: Sum,
    /// Read so far.
    bytes: u64,
    /// Where the newest frame begins.
    at: u64,
}

impl<R: Read> FrameReader<R> {
    pub(crate) fn begin(input: R) -> Result<Self, BrokenStream> {
        let mut reader = Self { input, sum: Sum::default(), bytes: 0, at: 0 };
        let mut found = [0; MAGIC.len() + 1];
        if reader.fill(&mut found)? < found.len() || found[..MAGIC.len()] != MAGIC[..] {
            return Err(BrokenStream::NotABackup);
        }
        if found != start(VERSION) {
            return Err(BrokenStream::Version(found[MAGIC.len()]));
        }
        reader.sum = sum(&[&found]);
        Ok(reader)
    }

    /// Returns the content of the next frame.
    pub(crate) fn next(&mut self) -> Result<Vec<u8>, BrokenStream> {
        self.at = self.bytes;
        let mut length = [0; 4];
        self.exactly(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME_BYTES {
            return Err(BrokenStream::Damaged(self.at));
        }
        let (mut content, mut told) = (vec![0; length], Sum::default());
        self.exactly(&mut content)?;
        self.exactly(&mut told)?;
        self.sum = sum(&[&self.sum, &content]);
        if told == self.sum { Ok(content) } else { Err(BrokenStream::Damaged(self.at)) }
    }

    /// Checks that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), BrokenStream> {
        self.at = self.bytes;
        let nothing = self.fill(&mut [0])? == 0;
        if nothing { Ok(()) } else { Err(self.senseless(&"something follows its end")) }
    }

    /// Says that the newest frame makes no sense.
    pub(crate) fn senseless(&self, why: &impl ToString) -> BrokenStream {
        BrokenStream::Senseless { at: self.at, why: why.to_string() }
    }

    fn exactly(&mut self, buffer: &mut [u8]) -> Result<(), BrokenStream> {
        if self.fill(buffer)? < buffer.len() {
            return Err(BrokenStream::CutOff(self.bytes));
        }
        Ok(())
    }

    /// Reads until `buffer` is full or the stream ends; returns how much.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, BrokenStream> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.bytes += filled as u64;
        Ok(filled)
    }
}

fn start(version: u8) -> [u8; MAGIC.len() + 1] {
    let mut start = [version; MAGIC.len() + 1];
    start[..MAGIC.len()].copy_from_slice(MAGIC);
    start
}

/// Returns the SHA-256 of `parts`, one after the other.
pub(crate) fn sum(parts: &[&[u8]]) -> Sum {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut sum = Sum::default();
    sum.copy_from_slice(context.finish().as_ref());
    sum
}
