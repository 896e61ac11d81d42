//! How many records of each part there are, and one sum over them, whatever order they come in.

use crate::frame::sum;
use rookery_engine::store::{Part, Record};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many there are, and a sum over them.
///
/// The sum is that of the SHA-256 of each, as little-endian numbers modulo 2^256: stores list what they have in
/// orders of their own. It finds what is lost, added, changed or twice by accident; it proves nothing against
/// whoever can choose records at will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many.
    pub count: u64,
    sum: [u8; 32],
}

impl Total {
    /// Adds one thing that has this SHA-256.
    pub(crate) fn add(&mut self, of_one: [u8; 32]) {
        self.count += 1;
        let mut carry = 0;
        for (byte, other) in self.sum.iter_mut().zip(of_one) {
            let sum = u16::from(*byte) + u16::from(other) + carry;
            [*byte, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
    }
}

/// What there is of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// By [`Part::ALL`].
    records: [Total; Part::ALL.len()],
    /// Events of all logs.
    pub events: u64,
    /// Files whose bytes there are; a small picture counts apart.
    pub blobs: Total,
    /// How many bytes those are.
    pub blob_bytes: u64,
}

impl Tally {
    /// Takes a record in. Returns how many bytes it is.
    ///
    /// # Errors
    /// None that occurs: records can be encoded.
    pub(crate) fn add(&mut self, record: &Record) -> Result<usize, rmp_serde::encode::Error> {
        let encoded = rmp_serde::to_vec_named(record)?;
        self.records[record.part() as usize].add(sum(&[&encoded]));
        if let Record::Batch(batch) = record {
            self.events += batch.events.len() as u64;
        }
        Ok(encoded.len())
    }

    /// Takes the bytes of a file in.
    pub(crate) fn add_blob(&mut self, of_it: [u8; 32], bytes: u64) {
        self.blobs.add(of_it);
        self.blob_bytes += bytes;
    }

    /// Takes over what `other` has of the bytes of files, which are not looked at here.
    pub(crate) fn leave_blobs(&mut self, other: &Self) {
        (self.blobs, self.blob_bytes) = (other.blobs, other.blob_bytes);
    }

    /// Returns what there is of `part`.
    pub const fn of(&self, part: Part) -> Total {
        self.records[part as usize]
    }

    /// Returns how many records and files there are.
    pub fn count(&self) -> u64 {
        self.records.iter().map(|total| total.count).sum::<u64>() + self.blobs.count
    }

    /// Returns in what the two differ, for people: which part, and how many of it each has.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let parts = Part::ALL.into_iter().map(|part| (part.as_str(), self.of(part), other.of(part)));
        parts
            .chain([("bytes of files", self.blobs, other.blobs)])
            .filter(|(_, one, other)| one != other)
            .map(|(name, one, other)| match (one.count, other.count) {
                (one, other) if one == other => format!("{name}: {one}, not the same ones"),
                (one, other) => format!("{name}: {one} and {other}"),
            })
            .collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accounts, files) = (self.of(Part::Accounts).count, self.of(Part::Files).count);
        write!(
            f,
            "{} records ({accounts} accounts, {} events, {files} files), {} MiB of files",
            self.records.iter().map(|total| total.count).sum::<u64>(),
            self.events,
            self.blob_bytes.div_ceil(1 << 20),
        )
    }
}
