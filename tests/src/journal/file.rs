//! Journals and room logs as JSON Lines: a head line, then one line an entry.

use super::{Entry, Logged, Owner, RoomLog};
use rookery_protocol::RoomId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// Bytes that a journal keeps back before it writes: 500 journals stay below 10 MiB.
const BUFFER_BYTES: usize = 16 << 10;

/// Writes one client's journal.
#[derive(Debug)]
pub struct JournalWriter {
    file: BufWriter<File>,
}

impl JournalWriter {
    /// Begins a journal, in the place of a file of that name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path, owner: &Owner) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        write_line(&mut file, owner)?;
        Ok(Self { file })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        write_line(&mut self.file, entry)
    }

    /// Writes what was kept back.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads one client's journal, entry by entry.
#[derive(Debug)]
pub struct JournalReader {
    owner: Owner,
    lines: io::Lines<BufReader<File>>,
}

impl JournalReader {
    /// Opens a journal.
    ///
    /// # Errors
    /// When the file cannot be read or does not begin as a journal does.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (owner, lines) = open(path)?;
        Ok(Self { owner, lines })
    }

    /// Returns whose journal it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Iterator for JournalReader {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.lines.next()?.and_then(|line| parse(&line)))
    }
}

/// A room's final read on disk.
#[derive(Debug, Serialize, Deserialize)]
pub struct RoomLogFile {
    room: RoomId,
}

impl RoomLogFile {
    /// Writes `log` to `path`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(path: &Path, log: &RoomLog) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        write_line(&mut file, &Self { room: log.room })?;
        for event in &log.events {
            write_line(&mut file, event)?;
        }
        file.flush()
    }

    /// Reads the log at `path`.
    ///
    /// # Errors
    /// When the file cannot be read or is not a room's log.
    pub fn read(path: &Path) -> io::Result<RoomLog> {
        let (head, lines) = open::<Self>(path)?;
        let events = lines.map(|line| parse::<Logged>(&line?)).collect::<io::Result<_>>()?;
        Ok(RoomLog { room: head.room, events })
    }
}

fn open<Head: DeserializeOwned>(path: &Path) -> io::Result<(Head, io::Lines<BufReader<File>>)> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    let first = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    Ok((parse(&first)?, lines))
}

fn parse<T: DeserializeOwned>(line: &str) -> io::Result<T> {
    serde_json::from_str(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn write_line(file: &mut BufWriter<File>, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, value)?;
    file.write_all(b"\n")
}
