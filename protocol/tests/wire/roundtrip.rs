//! Whatever is encoded decodes to itself.

use crate::values;
use proptest::prelude::*;
use rookery_protocol::{
    Authenticated, Codec, Command, Empty, Event, EventBody, Found, History, Members, Message, Meta, Pong,
    RawBody, Reply, ReplyBody, Room, RoomOpened, Rooms, Sent, ServerEvent, ServerFrame, Written,
};

pub(crate) const CODECS: [Codec; 2] = [Codec::Json, Codec::MessagePack];

pub(crate) fn command_again(codec: Codec, bytes: &[u8]) -> Command {
    let incoming = codec.decode_commands(bytes).expect("a command");
    let [command] = incoming.commands.try_into().expect("one command");
    command.expect("a command that can be understood")
}

/// Reads a reply whose body is of the kind of `like`.
pub(crate) fn reply_again(codec: Codec, bytes: &[u8], like: &Reply) -> Reply {
    match codec.decode_server(bytes).expect("a reply") {
        ServerFrame::Ok { id, body } => {
            Reply::ok(id, body_again(&body, like.outcome.as_ref().expect("done")))
        }
        ServerFrame::Err { id, error } => Reply::err(id, error),
        ServerFrame::Event { ev, .. } => panic!("the event {ev}"),
    }
}

fn body_again(raw: &RawBody, like: &ReplyBody) -> ReplyBody {
    let body = match like {
        ReplyBody::Empty {} => raw.read::<Empty>().map(Into::into),
        ReplyBody::Authenticated(_) => raw.read::<Authenticated>().map(Into::into),
        ReplyBody::Pong(_) => raw.read::<Pong>().map(Into::into),
        ReplyBody::Room(_) => raw.read::<Room>().map(Into::into),
        ReplyBody::Rooms(_) => raw.read::<Rooms>().map(Into::into),
        ReplyBody::RoomOpened(_) => raw.read::<RoomOpened>().map(Into::into),
        ReplyBody::History(_) => raw.read::<History>().map(Into::into),
        ReplyBody::Members(_) => raw.read::<Members>().map(Into::into),
        ReplyBody::Found(_) => raw.read::<Found>().map(Into::into),
        ReplyBody::Sent(_) => raw.read::<Sent>().map(Into::into),
        ReplyBody::Written(_) => raw.read::<Written>().map(Into::into),
    };
    body.expect("the body that was encoded")
}

pub(crate) fn event_again(codec: Codec, bytes: &[u8]) -> (String, ServerEvent) {
    match codec.decode_server(bytes).expect("an event") {
        ServerFrame::Event { ev, body } => (ev, body.event().expect("an event that is known")),
        other => panic!("no event: {other:?}"),
    }
}

proptest! {
    #[test]
    fn a_command_comes_back_as_it_was(command in values::ops::command()) {
        for codec in CODECS {
            let bytes = codec.encode(&command).unwrap();
            prop_assert_eq!(&command_again(codec, &bytes), &command);
        }
    }

    #[test]
    fn a_batch_comes_back_in_its_order(batch in proptest::collection::vec(values::ops::command(), 1..=4)) {
        for codec in CODECS {
            let incoming = codec.decode_commands(&codec.encode(&batch).unwrap()).unwrap();
            let commands: Vec<_> = incoming.commands.into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(&commands, &batch);
        }
    }

    #[test]
    fn a_reply_comes_back_as_it_was(id in 1..i32::MAX.cast_unsigned(), body in values::server::reply_body()) {
        let reply = Reply::ok(id, body);
        for codec in CODECS {
            let bytes = codec.encode(&reply).unwrap();
            prop_assert_eq!(&reply_again(codec, &bytes, &reply), &reply);
        }
    }

    #[test]
    fn a_refusal_comes_back_as_it_was(id in 1..i32::MAX.cast_unsigned(), error in values::wire_error()) {
        let reply = Reply::err(id, error);
        for codec in CODECS {
            let bytes = codec.encode(&reply).unwrap();
            prop_assert_eq!(&reply_again(codec, &bytes, &reply), &reply);
        }
    }

    #[test]
    fn a_server_event_comes_back_as_it_was(event in values::server::server_event()) {
        for codec in CODECS {
            let bytes = codec.encode(&event).unwrap();
            prop_assert_eq!(&event_again(codec, &bytes).1, &event);
        }
    }

    #[test]
    fn an_event_of_a_room_comes_back_as_it_was(event in values::event()) {
        for codec in CODECS {
            let again: Event = codec.decode(&codec.encode(&event).unwrap()).unwrap();
            prop_assert_eq!(&again, &event);
        }
        let stored = event.body.to_json().unwrap();
        prop_assert_eq!(&EventBody::from_json(event.body.kind(), &stored).unwrap(), &event.body);
    }

    #[test]
    fn a_message_comes_back_as_it_was(message in values::message()) {
        for codec in CODECS {
            let again: Message = codec.decode(&codec.encode(&message).unwrap()).unwrap();
            prop_assert_eq!(&again, &message);
        }
    }

    #[test]
    fn meta_is_the_same_text_whichever_codec_it_came_through(meta in values::meta()) {
        for codec in CODECS {
            let again: Meta = codec.decode(&codec.encode(&meta).unwrap()).unwrap();
            prop_assert_eq!(again.as_json(), meta.as_json());
        }
    }
}
