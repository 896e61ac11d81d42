//! The write-ahead log as a file, looked at before SQLite reads it.
//!
//! SQLite ends its log at the first frame that is not whole, and goes on from there. After a power cut that is
//! right: what is not whole was never synced. A log in which bits have rotted looks the same, but what is
//! behind the damage was synced and acknowledged, and its positions would be given away again. The two are
//! told apart by what follows: each commit is synced before the next one is written, so a power cut leaves at
//! most one of them behind a frame that is not whole.
//!
//! Source of the format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The first word of a log, but for its lowest bit, which says in which order the bytes of words are summed.
const MAGIC: u32 = 0x377f_0682;

/// Commits that may be behind a frame that is not whole without anything being wrong.
const UNSYNCED: usize = 1;

/// Returns how many commits are behind a frame of the log at `path` that has been damaged, or 0 where it is
/// whole as far as it was synced. No log, and one whose beginning cannot be read, has none.
pub(crate) fn lost_commits(path: &Path) -> io::Result<usize> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut file = BufReader::new(file);
    let mut header = [0; HEADER];
    if !fill(&mut file, &mut header)? {
        return Ok(0);
    }
    let magic = word(&header, 0);
    let mut sum = Sum { is_big_endian: magic & 1 == 1, words: (0, 0) };
    sum.add(&header[..HEADER - 8]);
    if magic & !1 != MAGIC || sum.words != (word(&header, 24), word(&header, 28)) {
        if word(&header, 0) != 0 {
            tracing::error!(path = %path.display(), "the write-ahead log has no beginning: it is not read");
        }
        return Ok(0);
    }
    let page = usize::try_from(word(&header, 8)).unwrap_or(0);
    let salts = (word(&header, 16), word(&header, 20));
    let mut frame = vec![0; FRAME_HEADER + page];
    let (mut is_whole, mut behind) = (true, 0);
    while fill(&mut file, &mut frame)? {
        // Others are of the log's last round, and have long been copied into the database.
        let is_ours = (word(&frame, 8), word(&frame, 12)) == salts;
        if is_whole {
            sum.add(&frame[..8]);
            sum.add(&frame[FRAME_HEADER..]);
            is_whole = is_ours && sum.words == (word(&frame, 16), word(&frame, 20));
        }
        let is_commit = word(&frame, 4) != 0;
        behind += usize::from(!is_whole && is_ours && is_commit);
    }
    Ok(if behind > UNSYNCED { behind } else { 0 })
}

/// The sum over all that comes before a frame and the frame itself.
struct Sum {
    is_big_endian: bool,
    words: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let (mut first, mut second) = self.words;
        let of = |bytes: &[u8], at| {
            if self.is_big_endian { word(bytes, at) } else { word(bytes, at).swap_bytes() }
        };
        for two in bytes.chunks_exact(8) {
            first = first.wrapping_add(of(two, 0)).wrapping_add(second);
            second = second.wrapping_add(of(two, 4)).wrapping_add(first);
        }
        self.words = (first, second);
    }
}

/// Reads all of `buffer`. Returns whether there was as much.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the big-endian word at `at`.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
