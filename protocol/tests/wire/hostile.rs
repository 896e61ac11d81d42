//! No bytes at all do harm, and bad ones get a clear answer.

use crate::roundtrip::CODECS;
use crate::values;
use proptest::prelude::*;
use rookery_protocol::limits::{BATCH_COMMANDS, DEPTH, META_BYTES, META_DEPTH};
use rookery_protocol::{
    ClientId, Codec, Command, CommandId, DecodeError, ErrorCode, History, Meta, Op, Rejected, RoomId,
    RoomList, ServerFrame,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Bytes of the stack that decoding must be content with: an eighth of what a worker thread has.
const STACK_BYTES: usize = 256 * 1024;

/// Decodes `bytes` in every way there is, on a small stack. What comes of it does not matter.
fn survive(bytes: Vec<u8>) {
    let decode = move || {
        for codec in CODECS {
            drop(codec.decode_commands(&bytes));
            let Ok(frame) = codec.decode_server(&bytes) else { continue };
            if let ServerFrame::Ok { body, .. } | ServerFrame::Event { body, .. } = frame {
                drop(body.event());
                drop(body.read::<History>());
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(decode).expect("a thread");
    thread.join().expect("decoding does not panic");
}

/// A valid frame in one of the codecs, of either side.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let codec = proptest::sample::select(&CODECS[..]);
    prop_oneof![
        (codec.clone(), values::ops::command())
            .prop_map(|(codec, command)| codec.encode(&command).expect("encodes")),
        (codec, values::server::server_event())
            .prop_map(|(codec, event)| codec.encode(&event).expect("encodes")),
    ]
}

proptest! {
    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survive(bytes);
    }

    #[test]
    fn mutated_frames_are_survived(
        mut bytes in frame(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        survive(bytes);
    }
}

#[test]
fn sixty_thousand_nested_lists_are_refused() {
    let json = |open: &str, close: &str, inside: &str| {
        let value = [open.repeat(30_000), close.repeat(30_000)].concat();
        inside.replace('@', &value).into_bytes()
    };
    let msgpack = |marker: u8| [vec![marker; 60_000], vec![0xc0]].concat();
    let ignored = |marker: u8| [b"\x83\xa2id\x01\xa2op\xa4ping\xa1x".to_vec(), msgpack(marker)].concat();
    let frames = [
        (Codec::Json, json("[", "]", "@")),
        (Codec::Json, vec![b'['; 60_000]),
        (Codec::Json, json("{\"a\":", "}", "@").into_iter().filter(|byte| *byte != b'}').collect()),
        (Codec::Json, json("[", "]", r#"{"id":1,"op":"ping","x":@}"#)),
        (Codec::Json, json("[", "]", r#"{"id":1,"op":"message.send","d":{"body":{"meta":@}}}"#)),
        (Codec::MessagePack, msgpack(0x91)),
        (Codec::MessagePack, ignored(0x91)),
        (Codec::MessagePack, ignored(0x81)),
        (Codec::MessagePack, ignored(0xc7)),
    ];
    for (codec, bytes) in frames {
        survive(bytes.clone());
        assert!(matches!(codec.decode_commands(&bytes), Err(DecodeError::Malformed(_))), "{codec:?}");
        assert!(matches!(codec.decode_server(&bytes), Err(DecodeError::Malformed(_))), "{codec:?}");
    }
}

#[test]
fn nesting_ends_at_the_limit_and_not_before() {
    // The command's own object is one level.
    for (lists, is_taken) in [(DEPTH - 1, true), (DEPTH, false)] {
        let nested = [vec!["["; lists], vec!["]"; lists]].concat().concat();
        let text = format!(r#"{{"id":1,"op":"ping","x":{nested}}}"#);
        let bytes =
            [b"\x83\xa2id\x01\xa2op\xa4ping\xa1x".to_vec(), vec![0x91; lists - 1], vec![0x90]].concat();
        assert_eq!(Codec::Json.decode_commands(text.as_bytes()).is_ok(), is_taken, "JSON, {lists} lists");
        assert_eq!(
            Codec::MessagePack.decode_commands(&bytes).is_ok(),
            is_taken,
            "MessagePack, {lists} lists"
        );
    }
}

#[test]
fn huge_claimed_lengths_are_refused() {
    let heads: [&[u8]; 10] = [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff",
        b"\xdc\xff\xff",
        b"\xde\xff\xff",
        b"\xc5\xff\xff",
        b"\xda\xff\xff",
        b"\xc8\xff\xff",
    ];
    for head in heads {
        let frames = [
            head.to_vec(),
            [b"\x91", head].concat(),
            [b"\x83\xa2id\x01\xa2op\xaapresence.w\xa1d".as_slice(), head].concat(),
            [b"\x83\xa2id\x01\xa2op\xaepresence.watch\xa1d\x81\xa5users".as_slice(), head].concat(),
            [b"\x82\xa2id\x01\xa2ok".as_slice(), head].concat(),
        ];
        for bytes in frames {
            survive(bytes.clone());
            assert!(Codec::MessagePack.decode_commands(&bytes).is_err());
            assert!(Codec::MessagePack.decode_server(&bytes).is_err());
        }
    }
}

#[test]
fn what_is_no_frame_ends_the_connection() {
    let frames: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b"{\"id\":1,\"op\":\"ping\"} {}",
        b"{\"id\":1,\"op\":\"ping\",}",
        b"{\"id\":1,\"id\":2,\"op\":\"ping\"}",
        b"{\"id\":1,\"op\":\"ping\",\"op\":\"auth\"}",
        b"5",
        b"\"ping\"",
        b"[[1,\"ping\"]]",
        b"[{\"id\":1,\"op\":\"ping\"}",
        b"{\"id\":1,\"op\":\"\xff\"}",
        b"\x82\xa2id\x01\xa2op\xa4ping\xc0",
    ];
    for bytes in frames {
        for codec in CODECS {
            let decoded = codec.decode_commands(bytes);
            assert!(matches!(decoded, Err(DecodeError::Malformed(_))), "{codec:?} {bytes:?}: {decoded:?}");
        }
    }
}

/// Decodes one frame of JSON in both codecs, and gives back what both made of it.
fn decode(frame: &Value) -> Vec<Result<Command, Rejected>> {
    let [json, msgpack] = CODECS.map(|codec| {
        codec.decode_commands(&codec.encode(frame).expect("encodes")).expect("a frame").commands
    });
    let outline = |commands: &[Result<Command, Rejected>]| -> Vec<_> {
        let field = |rejected: &Rejected| rejected.error.details.clone().and_then(|details| details.field);
        let outline = |command: &Result<Command, Rejected>| {
            command.clone().map_err(|rejected| (rejected.id, rejected.error.code, field(&rejected)))
        };
        commands.iter().map(outline).collect()
    };
    assert_eq!(outline(&json), outline(&msgpack), "{frame}");
    json
}

#[track_caller]
fn refused(frame: &Value, id: Option<CommandId>, code: ErrorCode, field: Option<&str>) {
    let commands = decode(frame);
    let [Err(rejected)] = &commands[..] else { panic!("{frame} gives {commands:?}") };
    let named = rejected.error.details.as_ref().and_then(|details| details.field.as_deref());
    assert_eq!((rejected.id, rejected.error.code, named), (id, code, field), "{frame}: {}", rejected.error);
}

#[test]
fn a_command_that_cannot_be_answered_is_refused_without_an_id() {
    for id in [
        json!(0),
        json!(-1),
        json!(1_u64 << 31),
        json!(u64::MAX),
        json!("1"),
        json!(1.5),
        json!(null),
        json!([1]),
    ] {
        refused(&json!({"id": id, "op": "ping"}), None, ErrorCode::BadRequest, Some("id"));
    }
    refused(&json!({"op": "ping"}), None, ErrorCode::BadRequest, Some("id"));
    refused(&json!({}), None, ErrorCode::BadRequest, Some("id"));
}

#[test]
fn an_op_that_is_not_known_is_an_error_reply() {
    refused(&json!({"id": 7, "op": "room.explode"}), Some(7), ErrorCode::UnknownOp, None);
    refused(&json!({"id": 7, "op": "x".repeat(5000)}), Some(7), ErrorCode::UnknownOp, None);
    for op in [json!(5), json!(null), json!({"ping": 1})] {
        refused(&json!({"id": 7, "op": op}), Some(7), ErrorCode::BadRequest, Some("op"));
    }
    refused(&json!({"id": 7}), Some(7), ErrorCode::BadRequest, Some("op"));
}

#[test]
fn a_field_that_does_not_fit_is_named() {
    let cases = [
        ("room.get", json!({}), Some("room")),
        ("room.get", json!({"room": 5}), Some("room")),
        ("room.get", json!({"room": "no id"}), Some("room")),
        ("room.list", json!({"limit": "ten"}), Some("limit")),
        ("room.list", json!({"limit": -1}), Some("limit")),
        ("room.list", json!({"limit": 5.5}), Some("limit")),
        ("room.list", json!({"limit": 1_u64 << 40}), Some("limit")),
        ("room.list", json!([50, "next"]), None),
        ("room.list", json!(5), None),
        ("profile.update", json!({"name": ["a"]}), Some("name")),
        ("user.search", json!({"query": 1}), Some("query")),
        ("presence.set", json!({"state": "asleep"}), Some("state")),
        ("presence.set", json!({"state": 0}), Some("state")),
        ("presence.set", json!({"state": {"away": null}}), Some("state")),
        ("presence.watch", json!({"users": vec![Value::Null; 1]}), Some("users[0]")),
        ("auth", json!({"token": "t", "inbox_after": 1_u64 << 53}), Some("inbox_after")),
    ];
    for (op, fields, field) in cases {
        refused(&json!({"id": 7, "op": op, "d": fields}), Some(7), ErrorCode::Invalid, field);
    }
}

/// A `message.send` whose ids are as the codec has them and whose body can be anything.
#[derive(Serialize)]
struct Send<'a> {
    d: SendFields<'a>,
    op: &'static str,
    id: CommandId,
}

#[derive(Serialize)]
struct SendFields<'a> {
    room: RoomId,
    client_id: ClientId,
    body: &'a Value,
}

/// Sends this body, and gives back what the server would make of it.
fn send(codec: Codec, body: &Value) -> Result<Command, Rejected> {
    let fields =
        SendFields { room: RoomId(Uuid::from_u128(1)), client_id: ClientId(Uuid::from_u128(2)), body };
    let bytes = codec.encode(&Send { d: fields, op: "message.send", id: 7 }).expect("encodes");
    let mut commands = codec.decode_commands(&bytes).expect("a frame").commands;
    commands.pop().expect("a command")
}

#[test]
fn a_body_that_does_not_fit_is_named() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inside, _| json!({"a": inside}));
    let cases = [
        (json!({"kind": "text", "text": 5}), "body.text"),
        (json!({"text": "hi"}), "body.kind"),
        (json!({"kind": "poem"}), "body.kind"),
        (json!({"kind": "x."}), "body.kind"),
        (json!({"kind": "x.A"}), "body.kind"),
        (json!({"kind": format!("x.{}", "a".repeat(63))}), "body.kind"),
        (json!({"kind": 0}), "body.kind"),
        (json!({"kind": "text", "mentions": ["nobody"]}), "body.mentions[0]"),
        (json!({"kind": "text", "mentions": vec!["all"; 51]}), "body.mentions"),
        (json!({"kind": "text", "attachments": [{}]}), "body.attachments[0].id"),
        (json!({"kind": "text", "meta": [1]}), "body.meta"),
        (json!({"kind": "text", "meta": {"a": "b".repeat(META_BYTES)}}), "body.meta"),
        (json!({"kind": "text", "meta": nested(META_DEPTH + 1)}), "body.meta"),
        (json!(["text", "hi"]), "body"),
        (json!("hi"), "body"),
    ];
    for (body, field) in cases {
        for codec in CODECS {
            let rejected = send(codec, &body).expect_err("it does not fit");
            let named = rejected.error.details.and_then(|details| details.field).unwrap_or_default();
            assert!(named.starts_with(field), "{codec:?} {body}: named {named}: {}", rejected.error.message);
            assert_eq!((rejected.id, rejected.error.code), (Some(7), ErrorCode::Invalid), "{codec:?} {body}");
        }
    }
    for codec in CODECS {
        send(codec, &json!({"kind": "text", "meta": nested(META_DEPTH)})).expect("as deep as is allowed");
        send(codec, &json!({"kind": "text", "text": "hi", "mentions": vec!["all"; 50]}))
            .expect("as many as are allowed");
        send(codec, &json!({"kind": "x.poem-2", "text": "hi", "unknown": {"a": [1]}}))
            .expect("an unknown field");
    }
}

#[test]
fn a_message_repeats_no_more_than_a_little_of_what_was_sent() {
    for codec in CODECS {
        let rejected = send(codec, &json!({"kind": "a".repeat(60_000)})).expect_err("no kind");
        assert!(rejected.error.message.len() < 1000, "{} bytes", rejected.error.message.len());
    }
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let twice = br#"{"id":7,"op":"room.list","d":{"limit":1,"limit":2}}"#;
    let msgpack = b"\x83\xa2id\x07\xa2op\xa9room.list\xa1d\x82\xa5limit\x01\xa5limit\x02";
    for (codec, bytes) in [(Codec::Json, twice.as_slice()), (Codec::MessagePack, msgpack)] {
        let commands = codec.decode_commands(bytes).unwrap().commands;
        let [Err(rejected)] = &commands[..] else { panic!("{commands:?}") };
        assert_eq!((rejected.id, rejected.error.code), (Some(7), ErrorCode::Invalid));
    }
    for meta in [r#"{"a":1,"b":2,"a":3}"#, r#"{"a":{"b":1,"\u0062":1}}"#] {
        let error = meta.parse::<Meta>().expect_err("twice");
        assert!(error.to_string().contains("twice"), "{error}");
    }
}

#[test]
fn meta_takes_only_what_json_can_say() {
    let refused: [&[u8]; 4] = [
        b"\x81\xa1a\xc4\x01\x00",
        b"\x81\xa1a\xcb\x7f\xf8\0\0\0\0\0\0",
        b"\x81\x01\x02",
        b"\x81\xa1a\xd4\x01\x00",
    ];
    for bytes in refused {
        assert!(Codec::MessagePack.decode::<Meta>(bytes).is_err(), "{bytes:?}");
    }
    let meta: Meta = " { \"b\" : [ 1.5e3 , \"\\u00e9\" ] , \"a\" : { } } ".parse().unwrap();
    assert_eq!(meta.as_json(), r#"{"b":[1500.0,"é"],"a":{}}"#);
}

#[test]
fn a_batch_is_taken_whole_or_refused_whole() {
    let ping = |id: usize| json!({"id": id, "op": "ping"});
    let batch = |count: usize| Value::Array((1..=count).map(ping).collect());
    assert_eq!(decode(&batch(BATCH_COMMANDS)).len(), BATCH_COMMANDS);
    refused(&batch(BATCH_COMMANDS + 1), None, ErrorCode::TooLarge, None);
    refused(&batch(2000), None, ErrorCode::TooLarge, None);
    refused(&json!([]), None, ErrorCode::BadRequest, None);
}

#[test]
fn one_bad_command_of_a_batch_does_not_take_the_others_with_it() {
    let commands = decode(&json!([
        {"id": 1, "op": "ping"},
        {"id": 2, "op": "nothing"},
        {"id": 3, "op": "room.get", "d": {}},
        {"id": 4, "op": "ping", "d": {"whatever": [1, 2, 3]}},
    ]));
    let outcomes: Vec<_> = commands
        .into_iter()
        .map(|command| {
            command.map(|command| command.id).map_err(|rejected| (rejected.id, rejected.error.code))
        })
        .collect();
    let expected = [Ok(1), Err((Some(2), ErrorCode::UnknownOp)), Err((Some(3), ErrorCode::Invalid)), Ok(4)];
    assert_eq!(outcomes, expected);
}

#[test]
fn fields_may_come_in_any_order_and_an_op_without_needs_no_fields() {
    let list = Op::from(RoomList { limit: Some(3), cursor: None });
    let commands =
        decode(&json!([{"d": {"limit": 3}, "op": "room.list", "id": 1}, {"id": 2, "op": "room.list"}]));
    let ops: Vec<_> = commands.into_iter().map(|command| command.unwrap().op).collect();
    assert_eq!(ops, [list, Op::from(RoomList::default())]);
}
