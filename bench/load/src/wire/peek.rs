//! What a payload of the server says, read no further than the checks need: no tree, no allocation.

use super::json::JsonWalk;
use super::msgpack::MessagePackWalk;
use rookery_protocol::Codec;

/// Sixteen bytes of an id.
pub(crate) type Id = [u8; 16];

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// `room.event`: where, at which position, and the text if it is a message with one.
    Event { room: Id, seq: u64, text: Option<&'a [u8]> },
    /// A reply that says it was done, with its `seq` if it gives one.
    Done { id: u32, seq: Option<u64> },
    /// A reply that says it was not done.
    Refused { id: u32 },
    /// Any other event.
    Other,
}

/// A key of a map, or its end.
pub(super) enum Key<'a> {
    Is(&'a [u8]),
    End,
}

/// Walks over one value, forwards. Everything is `None` where the bytes are not what is asked for.
pub(super) trait Walk<'a> {
    /// Enters a map.
    fn enter(&mut self) -> Option<()>;
    /// Returns the next key of the map entered last; [`Key::End`] leaves it.
    fn key(&mut self) -> Option<Key<'a>>;
    /// Takes a text; as it stands, escapes and all.
    fn text(&mut self) -> Option<&'a [u8]>;
    /// Takes a number that is not negative.
    fn number(&mut self) -> Option<u64>;
    /// Takes an id.
    fn id(&mut self) -> Option<Id>;
    /// Takes any value.
    fn skip(&mut self) -> Option<()>;
}

/// Reads a payload; `None` where it is not one of the server's.
pub(crate) fn peek(codec: Codec, payload: &[u8]) -> Option<Said<'_>> {
    match codec {
        Codec::Json => frame(JsonWalk::new(payload)),
        Codec::MessagePack => frame(MessagePackWalk::new(payload)),
    }
}

fn frame<'a>(mut walk: impl Walk<'a>) -> Option<Said<'a>> {
    let (mut id, mut seq, mut is_done, mut is_event) = (None, None, false, false);
    walk.enter()?;
    while let Key::Is(key) = walk.key()? {
        match key {
            b"id" => id = Some(u32::try_from(walk.number()?).ok()?),
            b"ok" => {
                is_done = true;
                walk.enter()?;
                while let Key::Is(key) = walk.key()? {
                    // `seq` is null where nothing had to be written; no scenario asks for that.
                    if key == b"seq" { seq = Some(walk.number()?) } else { walk.skip()? }
                }
            }
            b"ev" if walk.text()? == b"room.event" => is_event = true,
            b"ev" => return Some(Said::Other),
            b"d" if is_event => {
                let event = event(&mut walk)?;
                while let Key::Is(_) = walk.key()? {
                    walk.skip()?;
                }
                return Some(event);
            }
            _ => walk.skip()?,
        }
    }
    let id = id?;
    Some(if is_done { Said::Done { id, seq } } else { Said::Refused { id } })
}

fn event<'a>(walk: &mut impl Walk<'a>) -> Option<Said<'a>> {
    let (mut room, mut seq, mut text, mut is_message) = (None, None, None, false);
    walk.enter()?;
    while let Key::Is(key) = walk.key()? {
        match key {
            b"room" => room = Some(walk.id()?),
            b"seq" => seq = Some(walk.number()?),
            b"type" => is_message = walk.text()? == b"message",
            b"body" => {
                walk.enter()?;
                while let Key::Is(key) = walk.key()? {
                    if key == b"text" { text = Some(walk.text()?) } else { walk.skip()? }
                }
            }
            _ => walk.skip()?,
        }
    }
    Some(Said::Event { room: room?, seq: seq?, text: text.filter(|_| is_message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_protocol::{
        ClientId, ErrorCode, Event, EventBody, Frame, Hello, MessageBody, Meta, Reply, RoomId, Sent, Seq,
        ServerEvent, Timestamp, UserId, WireError, websocket_payload,
    };
    use uuid::Uuid;

    const ROOM: Uuid = Uuid::from_u128(0x019a_a100_ff80_7f00_8000_0000_0000_0001);

    fn event_frame(body: EventBody, codec: Codec) -> Vec<u8> {
        let event = Event {
            room: RoomId(ROOM),
            seq: Seq(70_000),
            ord: 9,
            at: Timestamp(1_767_225_600_000),
            by: UserId(ROOM),
            client_id: Some(ClientId(ROOM)),
            target: None,
            reply_to: Some(Seq(3)),
            body,
        };
        websocket_payload(&Frame::event(event).bytes(codec)).expect("a frame").to_vec()
    }

    #[test]
    fn the_servers_own_encoding_is_read_in_both_codecs() {
        for codec in [Codec::Json, Codec::MessagePack] {
            let mut body = MessageBody::text("hello");
            let meta = r#"{"a":[1,-2.5,null,true,{"b":"x\"}"}],"e":{}}"#;
            body.meta = serde_json::from_str::<Meta>(meta).ok();
            assert!(body.meta.is_some());
            let event = event_frame(EventBody::Message(body), codec);
            let room = *ROOM.as_bytes();
            assert_eq!(peek(codec, &event), Some(Said::Event { room, seq: 70_000, text: Some(b"hello") }));

            let sent = Sent { seq: Seq(41), ord: 40, at: Timestamp(-5), duplicate: false };
            let done = codec.encode(&Reply::ok(300, sent)).expect("encode");
            assert_eq!(peek(codec, &done), Some(Said::Done { id: 300, seq: Some(41) }));

            let error = WireError::new(ErrorCode::Busy, "later \\ \"now\"");
            let refused = codec.encode(&Reply::err(7, error)).expect("encode");
            assert_eq!(peek(codec, &refused), Some(Said::Refused { id: 7 }));

            let hello: Hello = match ServerEvent::hello("node", Timestamp(0)) {
                ServerEvent::Hello(hello) => *hello,
                other => panic!("{other:?}"),
            };
            let hello = codec.encode(&ServerEvent::Hello(Box::new(hello))).expect("encode");
            assert_eq!(peek(codec, &hello), Some(Said::Other));
        }
    }

    #[test]
    fn bytes_that_are_cut_or_of_no_codec_are_nothing_and_no_panic() {
        for codec in [Codec::Json, Codec::MessagePack] {
            let whole = event_frame(EventBody::Message(MessageBody::text("hello")), codec);
            for cut in 0..whole.len() {
                assert_eq!(peek(codec, &whole[..cut]), None, "{codec:?} cut at {cut}");
            }
            let mut rng = fastrand::Rng::with_seed(7);
            for _ in 0..2_000 {
                let mut bytes = whole.clone();
                let at = rng.usize(..bytes.len());
                bytes[at] = rng.u8(..);
                let _ = peek(codec, &bytes);
            }
        }
    }
}
