//! What the frames of a stream say, and in which order: a header, records, the bytes of files, an end.

use crate::frame::{BrokenStream, FrameReader};
use crate::tally::Tally;
use rookery_engine::blobs::{BlobKey, BlobPart};
use rookery_engine::store::Record;
use rookery_protocol::{FileId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Read;
use uuid::Uuid;

/// The version of the format: another one has other frames or other records.
pub const VERSION: u8 = 1;

/// What a frame is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Header = b'H',
    Records = b'R',
    Blob = b'B',
    Piece = b'P',
    End = b'E',
}

/// The first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The backup's name, which no other has.
    pub backup: Uuid,
    /// Which program wrote it, for people.
    pub program: String,
    /// Which kind of store it is from, for people.
    pub store: String,
    /// When it was begun.
    pub at: Timestamp,
    /// Whether the bytes of files are in it.
    pub has_bytes: bool,
}

/// The last frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What there was.
    pub tally: Tally,
    /// Parts of files whose bytes were not there any more when they were to be read.
    pub missing: u64,
}

/// The beginning of the bytes of a file's part: the pieces that follow are `size` bytes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    file: FileId,
    is_thumb: bool,
    pub(crate) size: u64,
}

impl Blob {
    /// Returns the beginning of `part`, which is the content or the small picture.
    pub(crate) fn new(key: BlobKey, size: u64) -> Self {
        Self { file: key.file, is_thumb: key.part == BlobPart::Thumb, size }
    }

    pub(crate) const fn key(&self) -> BlobKey {
        let part = if self.is_thumb { BlobPart::Thumb } else { BlobPart::Content };
        BlobKey { file: self.file, part }
    }
}

/// A frame that was understood.
#[derive(Debug)]
pub(crate) enum Item {
    Records(Vec<Record>),
    Blob(Blob),
    Piece(Vec<u8>),
    End(Box<End>),
}

/// Returns a frame's content: its tag and `value`.
pub(crate) fn encode(tag: Tag, value: &impl Serialize) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let mut content = vec![tag as u8];
    rmp_serde::encode::write_named(&mut content, value)?;
    Ok(content)
}

/// Reads a stream frame by frame.
#[derive(Debug)]
pub(crate) struct ItemReader<R> {
    frames: FrameReader<R>,
}

impl<R: Read> ItemReader<R> {
    /// Reads the beginning.
    pub(crate) fn begin(input: R) -> Result<(Self, Header), BrokenStream> {
        let mut reader = Self { frames: FrameReader::begin(input)? };
        let content = reader.frames.next()?;
        match content.split_first() {
            Some((&tag, rest)) if tag == Tag::Header as u8 => {
                let header = reader.decode(rest)?;
                Ok((reader, header))
            }
            _ => Err(reader.frames.senseless(&"it does not begin with a header")),
        }
    }

    /// Reads the next frame; after the end, that there is none.
    pub(crate) fn next(&mut self) -> Result<Item, BrokenStream> {
        let content = self.frames.next()?;
        let Some((&tag, rest)) = content.split_first() else {
            return Err(self.frames.senseless(&"an empty frame"));
        };
        if tag == Tag::Records as u8 {
            self.decode(rest).map(Item::Records)
        } else if tag == Tag::Blob as u8 {
            self.decode(rest).map(Item::Blob)
        } else if tag == Tag::Piece as u8 && !rest.is_empty() {
            Ok(Item::Piece(rest.to_vec()))
        } else if tag == Tag::End as u8 {
            let end = self.decode(rest)?;
            self.frames.end()?;
            Ok(Item::End(Box::new(end)))
        } else {
            Err(self.frames.senseless(&"a frame of no known kind"))
        }
    }

    /// Says that the newest frame makes no sense.
    pub(crate) fn senseless(&self, why: &impl ToString) -> BrokenStream {
        self.frames.senseless(why)
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, BrokenStream> {
        rmp_serde::from_slice(bytes).map_err(|error| self.frames.senseless(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameWriter;
    use crate::write::{Source, write};
    use rookery_engine::MemoryStore;
    use rookery_engine::contract::tell_a_full_story;

    /// Bytes that somebody has chosen, with sums that are right.
    async fn read(contents: &[Vec<u8>]) -> Result<(), BrokenStream> {
        let mut stream = Vec::new();
        let mut frames = FrameWriter::begin(&mut stream).expect("a vector takes all");
        for content in contents {
            frames.write(content).expect("it is short enough");
        }
        crate::check(&stream[..]).await.map(drop)
    }

    #[tokio::test]
    async fn hostile_content_with_the_right_sums_is_refused_without_a_panic() {
        let store = MemoryStore::new();
        tell_a_full_story(&store, 1, 60).await;
        let header = Header {
            backup: Uuid::nil(),
            program: String::new(),
            store: String::new(),
            at: Timestamp(0),
            has_bytes: true,
        };
        let mut stream = Vec::new();
        let source = Source { store: &store, blobs: None };
        write(source, header, &mut stream, |_| {}).await.expect("a vector takes all");
        let mut frames = FrameReader::begin(&stream[..]).expect("it begins like one");
        let mut contents = Vec::new();
        while let Ok(content) = frames.next() {
            contents.push(content);
        }
        read(&contents).await.expect("as it was written");

        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..500 {
            let mut other = contents.clone();
            let chosen = random.usize(0..other.len());
            for _ in 0..random.usize(1..4) {
                let at = random.usize(0..other[chosen].len());
                other[chosen][at] = random.u8(..);
            }
            // What is still a backup is one of other records, and its end says so.
            drop(read(&other).await);
            let length = random.usize(0..other[chosen].len());
            other[chosen].truncate(length);
            assert!(read(&other).await.is_err());
        }
        for content in [vec![], vec![0xff], vec![b'R', 0xdd, 0xff, 0xff, 0xff, 0xff], vec![b'B']] {
            assert!(read(&[contents[0].clone(), content]).await.is_err());
        }
        let nested = [vec![b'R'], vec![0x91; 100_000]].concat();
        assert!(read(&[contents[0].clone(), nested]).await.is_err());
    }
}
