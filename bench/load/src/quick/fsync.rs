//! What a bare write with its fsync takes on the server's disk: what an ack can not be faster than.

use crate::clock;
use crate::result::Recorder;
use anyhow::Context;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Writes that are timed.
const WRITES: usize = 300;

/// Bytes of one: a page of the store's log.
const BYTES: usize = 4096;

/// Times writes of a page, each with its fsync, at the end of a file in `folder`.
pub(super) fn fsyncs(folder: &Path) -> anyhow::Result<Recorder> {
    let path = folder.join("fsync");
    let mut file = OpenOptions::new().create(true).append(true).open(&path).context("make a file to sync")?;
    let mut took = Recorder::default();
    for _ in 0..WRITES {
        let began = clock::now();
        file.write_all(&[7; BYTES])?;
        file.sync_data()?;
        took.note_us((clock::now() - began) / 1_000);
    }
    std::fs::remove_file(path)?;
    Ok(took)
}
