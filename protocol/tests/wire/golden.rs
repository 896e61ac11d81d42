//! The golden frames in `schemas/golden/`: what independent clients can test themselves against.
//!
//! `UPDATE=1 cargo test -p rookery-protocol` writes them anew. A change of one that is there already
//! is a change of the contract.

use crate::roundtrip::{CODECS, command_again, event_again, reply_again};
use crate::samples;
use rookery_protocol::{Codec, Op, ReplyBody, ServerFrame};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// One file: the frame in both codecs.
#[derive(Deserialize)]
struct Golden {
    json: Box<RawValue>,
    msgpack: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/golden")
}

/// Compares the file `name` with `value`, or writes it; gives back both codecs' bytes of the file.
fn golden(name: &str, value: &impl Serialize) -> [(Codec, Vec<u8>); 2] {
    let path = folder().join(format!("{name}.json"));
    let [json, msgpack] = CODECS.map(|codec| codec.encode(value).expect("own types can be encoded"));
    let now = format!(
        "{{\n  \"json\": {},\n  \"msgpack\": \"{}\"\n}}\n",
        std::str::from_utf8(&json).expect("JSON is UTF-8"),
        hex(&msgpack)
    );
    if crate::schema::is_update() {
        std::fs::create_dir_all(folder()).expect("make the folder");
        std::fs::write(&path, &now).expect("write the file");
    }
    let there = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes it", path.display()));
    assert_eq!(there, now, "{name} is encoded in another way");
    let file: Golden = serde_json::from_str(&there).expect("a golden file");
    [(Codec::Json, file.json.get().as_bytes().to_vec()), (Codec::MessagePack, unhex(&file.msgpack))]
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value| char::from_digit(u32::from(value), 16).expect("a hexadecimal digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn every_command_looks_as_before_and_is_read_as_before() {
    let commands = samples::commands();
    let names: BTreeSet<_> = commands.iter().map(|command| command.op.name()).collect();
    assert_eq!(names, Op::NAMES.iter().copied().collect(), "a sample of each op");
    for command in commands {
        for (codec, bytes) in golden(&format!("command.{}", command.op.name()), &command) {
            assert_eq!(command_again(codec, &bytes), command);
        }
    }
}

#[test]
fn every_reply_looks_as_before_and_is_read_as_before() {
    for (kind, reply) in samples::replies() {
        for (codec, bytes) in golden(&format!("reply.{kind}"), &reply) {
            assert_eq!(reply_again(codec, &bytes, &reply), reply);
        }
    }
}

#[test]
fn every_event_looks_as_before_and_is_read_as_before() {
    for (kind, event) in samples::events() {
        for (codec, bytes) in golden(&format!("event.{kind}"), &event) {
            let (ev, again) = event_again(codec, &bytes);
            assert!(kind.starts_with(&ev), "{kind} is told as {ev}");
            assert_eq!(again, event);
        }
    }
}

#[test]
fn no_golden_file_is_left_over() {
    let names = samples::commands().into_iter().map(|command| format!("command.{}.json", command.op.name()));
    let names = names.chain(samples::replies().into_iter().map(|(kind, _)| format!("reply.{kind}.json")));
    let names = names.chain(samples::events().into_iter().map(|(kind, _)| format!("event.{kind}.json")));
    let there = std::fs::read_dir(folder()).expect("the folder is there");
    let there = there.map(|file| file.expect("a file").file_name().into_string().expect("a name"));
    let left: Vec<_> = there.collect::<BTreeSet<_>>().difference(&names.collect()).cloned().collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_reply_to_every_op_has_a_sample_that_its_row_of_the_table_reads() {
    let replies = samples::replies();
    for shape in Op::SHAPES {
        let fitting = replies.iter().filter(|(_, reply)| {
            let Ok(body) = &reply.outcome else { return false };
            let json = serde_json::to_vec(reply).expect("own types can be encoded");
            let Ok(ServerFrame::Ok { body: raw, .. }) = Codec::Json.decode_server(&json) else {
                return false;
            };
            matches!(ReplyBody::read(shape.name, &raw), Some(Ok(again)) if again == *body)
        });
        assert!(fitting.count() > 0, "{} answers {}, of which there is no sample", shape.name, shape.reply.0);
    }
    let names: Vec<_> = Op::SHAPES.iter().map(|shape| shape.name).collect();
    assert_eq!(names, Op::NAMES);
}
