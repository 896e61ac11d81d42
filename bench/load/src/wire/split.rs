//! Takes the frames of a server one by one from what was read: whole messages, not masked.

/// The longest payload that is waited for. The longest of a server is a page of history, which no scenario asks
/// for; a replay is a frame for each event.
const PAYLOAD_BYTES: u64 = 128 * 1024;

/// What the first bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Split<'a> {
    /// A whole frame: its first byte, its payload, and how many bytes it took.
    Frame(u8, &'a [u8], usize),
    /// The beginning of one.
    Part,
    /// Nothing that a server may send.
    Broken,
}

/// Looks at the first frame in `bytes`.
pub(crate) fn split(bytes: &[u8]) -> Split<'_> {
    let Some((&[first, short], rest)) = bytes.split_first_chunk() else { return Split::Part };
    let (length, header) = match short {
        126 => match rest.first_chunk() {
            Some(length) => (u16::from_be_bytes(*length).into(), 4),
            None => return Split::Part,
        },
        127 => match rest.first_chunk() {
            Some(length) => (u64::from_be_bytes(*length), 10),
            None => return Split::Part,
        },
        0..=125 => (short.into(), 2),
        _ => return Split::Broken,
    };
    if first & 0x80 == 0 || length > PAYLOAD_BYTES {
        return Split::Broken;
    }
    let end = header + usize::try_from(length).unwrap_or(usize::MAX);
    match bytes.get(header..end) {
        Some(payload) => Split::Frame(first, payload, end),
        None => Split::Part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::{Codec, websocket_frame};

    #[test]
    fn what_a_server_frames_comes_out_whole_or_is_waited_for() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![7; length];
            let mut bytes = websocket_frame(Codec::MessagePack, &payload).to_vec();
            let whole = bytes.len();
            bytes.extend_from_slice(b"the next");
            assert_eq!(split(&bytes), Split::Frame(0x82, &payload, whole));
            for cut in [0, 1, 2, 3, 9, whole - 1] {
                if cut < whole {
                    assert_eq!(split(&bytes[..cut]), Split::Part, "{cut} of {whole}");
                }
            }
        }
    }

    #[test]
    fn masked_endless_and_fragmented_frames_are_broken() {
        assert_eq!(split(&[0x82, 0x81, 0, 0, 0, 0, 0]), Split::Broken);
        assert_eq!(split(&[0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0]), Split::Broken);
        assert_eq!(split(&[0x02, 1, 0]), Split::Broken);
    }
}
