//! WebSocket frames as a client sends them: whole, and masked (RFC 6455, sections 5.2 and 5.3).

/// FIN and the opcode of a text frame.
pub(crate) const TEXT: u8 = 0x81;
/// FIN and the opcode of a binary frame.
pub(crate) const BINARY: u8 = 0x82;
/// FIN and the opcode of a close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// FIN and the opcode of a ping.
pub(crate) const PING: u8 = 0x89;
/// FIN and the opcode of a pong.
pub(crate) const PONG: u8 = 0x8a;

/// Appends one frame to `out`: its header, the mask, the payload under the mask.
pub(crate) fn append(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    out.reserve(14 + payload.len());
    out.push(opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => out.push(0x80 | length),
        (_, Ok(length)) => {
            out.push(0xfe);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(0xff);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let mut frame = Vec::new();
        append(&mut frame, TEXT, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(frame, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn the_length_is_in_the_shortest_form() {
        let header = |length| {
            let mut frame = Vec::new();
            append(&mut frame, BINARY, &vec![0; length], [0; 4]);
            frame[..4].to_vec()
        };
        assert_eq!(header(125), [0x82, 0xfd, 0, 0]);
        assert_eq!(header(126), [0x82, 0xfe, 0, 126]);
        assert_eq!(header(65_536), [0x82, 0x80 | 127, 0, 0]);
    }
}
