//! The bytes around a frame.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | [`Kind`] |
//! | 4 | the sender's session: which of its connections this came over |
//! | 16 | the sender |
//! | 8 | broadcasts that the sender has had so far, this one included |
//! | 8 | frames that it has had for this receiver so far, this one included; 0 where there are many |
//! | rest | the frame; of a beacon, 24 bytes for each node that frames were for: its id and how many |
//!
//! Numbers are big-endian.

use bytes::{Buf, BufMut, Bytes};
use rookery_engine::bus::NodeId;
use uuid::Uuid;

/// Bytes before the frame.
pub(crate) const HEADER: usize = 1 + 4 + 16 + 8 + 8;

/// What something on the bus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A frame for one node.
    One = 0,
    /// A frame for all.
    All = 1,
    /// How many frames there were, so that a lost last one is noticed.
    Beacon = 2,
    /// The same, and: the leases have changed.
    Look = 3,
}

/// A frame on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) kind: Kind,
    pub(crate) session: u32,
    pub(crate) from: NodeId,
    pub(crate) broadcasts: u64,
    pub(crate) directs: u64,
    pub(crate) frame: Bytes,
}

impl Envelope {
    /// Returns its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.frame.len());
        bytes.put_u8(self.kind as u8);
        bytes.put_u32(self.session);
        bytes.put_slice(self.from.0.as_bytes());
        bytes.put_u64(self.broadcasts);
        bytes.put_u64(self.directs);
        bytes.put_slice(&self.frame);
        bytes
    }

    /// Reads what [`Envelope::encode`] has written; `None` for anything else.
    pub(crate) fn decode(mut bytes: Bytes) -> Option<Self> {
        if bytes.len() < HEADER {
            return None;
        }
        let kind = match bytes.get_u8() {
            0 => Kind::One,
            1 => Kind::All,
            2 => Kind::Beacon,
            3 => Kind::Look,
            _ => return None,
        };
        let session = bytes.get_u32();
        let from = NodeId(Uuid::from_u128(bytes.get_u128()));
        let (broadcasts, directs) = (bytes.get_u64(), bytes.get_u64());
        Some(Self { kind, session, from, broadcasts, directs, frame: bytes })
    }
}

/// Returns the frame of a beacon.
pub(crate) fn counts<'a>(of: impl Iterator<Item = (&'a NodeId, &'a u64)>) -> Bytes {
    let mut bytes = Vec::new();
    for (node, count) in of {
        bytes.put_slice(node.0.as_bytes());
        bytes.put_u64(*count);
    }
    Bytes::from(bytes)
}

/// Returns how many frames were for `me`, by the frame of a beacon.
pub(crate) fn count_for(me: NodeId, counts: &[u8]) -> u64 {
    let (counts, _) = counts.as_chunks::<24>();
    let mine = counts.iter().find(|entry| entry[..16] == *me.0.as_bytes());
    mine.map_or(0, |entry| (&entry[16..]).get_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_as_it_was_written_and_nothing_else_is() {
        for kind in [Kind::One, Kind::All, Kind::Beacon, Kind::Look] {
            let from = NodeId(Uuid::from_u128(7));
            let frame = Bytes::from_static(b"\0frame\xff");
            let sent = Envelope { kind, session: 3, from, broadcasts: u64::MAX, directs: 5, frame };
            assert_eq!(Envelope::decode(Bytes::from(sent.encode())), Some(sent));
        }
        assert_eq!(Envelope::decode(Bytes::from(vec![0; HEADER - 1])), None);
        assert_eq!(Envelope::decode(Bytes::from(vec![4; HEADER])), None);
    }

    #[test]
    fn a_beacon_says_how_many_frames_were_for_each() {
        let nodes = [1, 2, 3].map(|number| NodeId(Uuid::from_u128(number)));
        let said = counts(nodes.iter().zip(&[10, 20]));
        assert_eq!(nodes.map(|node| count_for(node, &said)), [10, 20, 0]);
        assert_eq!(count_for(nodes[0], b"short"), 0);
    }
}
