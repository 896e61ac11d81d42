//! What a stranger sends costs memory of its own size's order, however it is made.

use rookery_protocol::Codec;
use rookery_protocol::limits::FRAME_BYTES;

/// What decoding may hold at its peak, for a frame of this size: what a frame of the usual size takes
/// in any case, and for each byte no more than the 24 of an empty `String` or `Vec`.
const fn bound(bytes: usize) -> u64 {
    (64 * 1024 + 24 * bytes) as u64
}

#[track_caller]
fn check(what: &str, codec: Codec, bytes: &[u8]) {
    let decoded = allocation_counter::measure(|| drop(codec.decode_commands(bytes)));
    assert!(decoded.bytes_max <= bound(bytes.len()), "{what}: {} bytes at the peak", decoded.bytes_max);
    let decoded = allocation_counter::measure(|| drop(codec.decode_server(bytes)));
    assert!(
        decoded.bytes_max <= bound(bytes.len()),
        "{what}, as a client: {} bytes at the peak",
        decoded.bytes_max
    );
}

fn repeated(start: &str, item: &str, end: &str) -> Vec<u8> {
    let count = (FRAME_BYTES - start.len() - end.len()) / item.len();
    let mut text = [start, &item.repeat(count)].concat();
    if text.ends_with(',') {
        text.pop();
    }
    text.push_str(end);
    text.into_bytes()
}

#[test]
fn json_of_many_small_things_stays_within_its_order_of_size() {
    let send = r#"{"id":1,"op":"message.send","d":{"room":"019aa100-ff80-7f00-8000-000000000001","client_id":"019aa100-ff80-7f00-8000-000000000001","body":"#;
    let cases = [
        ("a batch of empty objects", repeated("[", "{},", "]")),
        ("a batch of pings", repeated("[", r#"{"id":1,"op":"ping"},"#, "]")),
        ("a batch of numbers", repeated("[", "1,", "]")),
        ("nested lists", vec![b'['; FRAME_BYTES]),
        ("an ignored list", repeated(r#"{"id":1,"op":"ping","x":["#, "[],", "]}")),
        ("unknown keys", repeated(r#"{"id":1,"op":"ping","#, r#""a":0,"#, "}")),
        ("unknown fields", repeated(r#"{"id":1,"op":"room.list","d":{"#, r#""a":0,"#, "}}")),
        ("a long op", repeated(r#"{"id":1,"op":""#, "x", "\"}")),
        ("an escaped op", repeated(r#"{"id":1,"op":""#, "\\u0001", "\"}")),
        ("a long id", repeated(r#"{"op":"ping","id":"#, "1", "}")),
        ("users", repeated(r#"{"id":1,"op":"presence.watch","d":{"users":["#, "0,", "]}}")),
        ("a text", repeated(&format!(r#"{send}{{"kind":"text","text":""#), "x", "\"}}}")),
        ("mentions", repeated(&format!(r#"{send}{{"kind":"text","mentions":["#), "\"all\",", "]}}}")),
        ("attachments", repeated(&format!(r#"{send}{{"kind":"text","attachments":["#), "{},", "]}}}")),
        ("a wide meta", repeated(&format!(r#"{send}{{"kind":"text","meta":{{"a":["#), "0,", "]}}}}")),
        ("a meta of keys", repeated(&format!(r#"{send}{{"kind":"text","meta":{{"#), r#""":0,"#, "}}}}")),
        ("a kind", repeated(&format!(r#"{send}{{"kind":""#), "x", "\"}}}")),
    ];
    for (what, bytes) in cases {
        check(what, Codec::Json, &bytes);
    }
}

#[test]
fn messagepack_of_many_small_things_stays_within_its_order_of_size() {
    let filled = |start: &[u8], byte: u8| [start, &vec![byte; FRAME_BYTES - start.len()]].concat();
    let exact = |start: &[u8], byte: u8| {
        let left = u16::try_from(FRAME_BYTES - start.len() - 3).expect("below 64 KiB");
        [start, b"\xdc", &left.to_be_bytes(), &vec![byte; usize::from(left)]].concat()
    };
    let send = [
        b"\x83\xa2id\x01\xa2op\xacmessage.send\xa1d\x83\xa4room\xc4\x10".as_slice(),
        &[7; 16],
        b"\xa9client_id\xc4\x10",
        &[8; 16],
        b"\xa4body\x82\xa4kind\xa4text",
    ]
    .concat();
    let users = b"\x83\xa2id\x01\xa2op\xaepresence.watch\xa1d\x81\xa5users".as_slice();
    let cases = [
        ("a batch of empty lists", exact(b"", 0x90)),
        ("a batch of empty maps", exact(b"", 0x80)),
        ("a batch of nulls", exact(b"", 0xc0)),
        ("nested lists", filled(b"", 0x91)),
        ("nested maps", filled(b"", 0x81)),
        ("an ignored list", exact(b"\x83\xa2id\x01\xa2op\xa4ping\xa1x", 0x90)),
        ("ignored maps", exact(b"\x83\xa2id\x01\xa2op\xa4ping\xa1x", 0x80)),
        ("users", exact(users, 0xc0)),
        ("users without end", filled(&[users, b"\xdd\xff\xff\xff\xff"].concat(), 0xc0)),
        ("users of which none comes", [users, b"\xdd\xff\xff\xff\xff"].concat()),
        ("mentions", exact(&[send.as_slice(), b"\xa8mentions"].concat(), 0xc0)),
        ("attachments", exact(&[send.as_slice(), b"\xabattachments"].concat(), 0x80)),
        ("a wide meta", exact(&[send.as_slice(), b"\xa4meta\x81\xa1a"].concat(), 0x00)),
        ("a meta of lists", exact(&[send.as_slice(), b"\xa4meta\x81\xa1a"].concat(), 0x90)),
    ];
    for (what, bytes) in cases {
        check(what, Codec::MessagePack, &bytes);
    }
}
