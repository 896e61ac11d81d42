//! Frames: what a client sends, and what a client of ours reads.

use rookery_protocol::{Codec, ServerFrame};

pub(crate) fn json(bytes: &[u8]) {
    read(Codec::Json, bytes);
}

pub(crate) fn message_pack(bytes: &[u8]) {
    read(Codec::MessagePack, bytes);
}

fn read(codec: Codec, bytes: &[u8]) {
    if let Ok(ServerFrame::Event { body, .. }) = codec.decode_server(bytes) {
        let _ = body.event().is_ok();
    }
    let Ok(incoming) = codec.decode_commands(bytes) else { return };
    assert!(incoming.commands.len() <= rookery_protocol::limits::BATCH_COMMANDS.max(1));
    // What was understood can be said in both codecs, and means the same in each.
    for command in incoming.commands.into_iter().flatten() {
        for codec in [Codec::Json, Codec::MessagePack] {
            let said = codec.encode(&command).expect("what was read can be written");
            let again = codec.decode_commands(&said).expect("and read again");
            assert_eq!(again.commands, [Ok(command.clone())], "in {codec:?}");
        }
    }
}
