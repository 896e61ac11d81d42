//! A frame that goes to many: encoded once for each codec in use, WebSocket header included, and
//! then shared.

use crate::codec::Codec;
use crate::event::Event;
use crate::server_event::ServerEvent;
use bytes::Bytes;
use serde::Serialize;
use std::sync::{Arc, OnceLock};

/// One thing that the server says, to any number of connections. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Frame(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Source,
    json: OnceLock<Bytes>,
    msgpack: OnceLock<Bytes>,
}

#[derive(Debug)]
enum Source {
    Room(Event),
    Server(ServerEvent),
}

/// `room.event` without taking the event.
#[derive(Serialize)]
struct RoomEvent<'a> {
    ev: &'static str,
    d: &'a Event,
}

impl Frame {
    /// Returns the frame that tells a room's event.
    pub fn event(event: Event) -> Self {
        Self::of(Source::Room(event))
    }

    /// Returns the frame that tells anything else.
    pub fn server(event: ServerEvent) -> Self {
        Self::of(Source::Server(event))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Shared { source, json: OnceLock::new(), msgpack: OnceLock::new() }))
    }

    /// Returns the room's event, if it tells one.
    pub fn as_event(&self) -> Option<&Event> {
        match &self.0.source {
            Source::Room(event) => Some(event),
            Source::Server(_) => None,
        }
    }

    /// Returns the frame as it goes over the wire, encoded at the first call for each codec.
    ///
    /// # Panics
    /// Never: own types can be encoded.
    pub fn bytes(&self, codec: Codec) -> Bytes {
        let encoded = match codec {
            Codec::Json => &self.0.json,
            Codec::MessagePack => &self.0.msgpack,
        };
        encoded
            .get_or_init(|| {
                let payload = match &self.0.source {
                    Source::Room(event) => codec.encode(&RoomEvent { ev: "room.event", d: event }),
                    Source::Server(event) => codec.encode(event),
                };
                websocket_frame(codec, &payload.expect("own types can be encoded"))
            })
            .clone()
    }
}

/// Returns `payload` as one unmasked WebSocket message (RFC 6455, section 5.2): FIN and the opcode,
/// the length in 1, 3 or 9 bytes, the payload.
pub fn websocket_frame(codec: Codec, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(10 + payload.len());
    frame.push(if codec.is_text() { 0x81 } else { 0x82 });
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame.into()
}

/// Returns the payload of one whole unmasked message as [`websocket_frame`] makes it; `None` for a
/// control frame and for what is no whole frame.
pub fn websocket_payload(frame: &[u8]) -> Option<&[u8]> {
    let (&[first, length], rest) = frame.split_first_chunk()?;
    if !matches!(first, 0x81 | 0x82) {
        return None;
    }
    let (length, payload) = match length {
        126 => rest.split_first_chunk().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?,
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
        length => (length.into(), rest),
    };
    (usize::try_from(length) == Ok(payload.len())).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventBody;
    use crate::id::{RoomId, Seq, Timestamp, UserId};
    use crate::message::MessageBody;
    use uuid::Uuid;

    #[test]
    fn an_event_is_encoded_once_for_each_codec_and_shared() {
        let frame = Frame::server(ServerEvent::hello("node", Timestamp(0)));
        let again = frame.clone();
        for (codec, opcode) in [(Codec::Json, 0x81), (Codec::MessagePack, 0x82)] {
            let bytes = frame.bytes(codec);
            assert_eq!(bytes[0], opcode);
            assert_eq!(bytes.as_ptr(), again.bytes(codec).as_ptr());
        }
    }

    #[test]
    fn a_room_event_reads_as_the_server_event_it_is() {
        let event = Event {
            room: RoomId(Uuid::nil()),
            seq: Seq(1),
            ord: 1,
            at: Timestamp(2),
            by: UserId(Uuid::nil()),
            client_id: None,
            target: None,
            reply_to: None,
            body: EventBody::Message(MessageBody::text("hi")),
        };
        let server_event = ServerEvent::RoomEvent(Box::new(event.clone()));
        for codec in [Codec::Json, Codec::MessagePack] {
            let told = Frame::event(event.clone()).bytes(codec);
            assert_eq!(told, Frame::server(server_event.clone()).bytes(codec));
        }
    }

    #[test]
    fn the_header_says_the_length_in_the_shortest_form() {
        let header = |length| websocket_frame(Codec::Json, &vec![b' '; length]).slice(..4).to_vec();
        assert_eq!(header(125), [0x81, 125, b' ', b' ']);
        assert_eq!(header(126), [0x81, 126, 0, 126]);
        assert_eq!(header(65_535), [0x81, 126, 0xff, 0xff]);
        assert_eq!(header(65_536), [0x81, 127, 0, 0]);
    }

    #[test]
    fn what_is_framed_is_found_again_and_nothing_else() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![b' '; length];
            let frame = websocket_frame(Codec::Json, &payload);
            assert_eq!(websocket_payload(&frame), Some(&payload[..]));
            assert_eq!(websocket_payload(&frame[..frame.len() - 1]), None);
        }
        assert_eq!(websocket_payload(&[0x89, 0]), None, "a ping");
        assert_eq!(websocket_payload(&[]), None);
    }
}
