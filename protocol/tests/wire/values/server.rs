//! Anything that the server says.

use super::{
    at, authenticated, count, event, head, member, message, of, read_cursor, room, room_id, seq, text,
    user_id, vec, wire_error, word,
};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::strategy::Union;
use rookery_protocol::{
    CloseCode, Found, History, Marks, Members, OpenStatus, Pong, Presence, Preview, ReplyBody, RoomHead,
    RoomOpened, Rooms, Seen, Sent, ServerEvent, Typing, Written,
};

pub(crate) fn reply_body() -> BoxedStrategy<ReplyBody> {
    let rooms = any_of!(Rooms { rooms: vec(room(), 0..3), next: of(text()), total_unread: count() });
    let opened = any_of!(RoomOpened {
        status: word(OpenStatus::ALL),
        head: head(),
        from: seq(),
        room: room().prop_map(Box::new),
        reads: of(vec(read_cursor(), 0..3)),
    });
    let history = any_of!(History {
        messages: vec(message(), 0..3),
        head: head(),
        more_before: any::<bool>(),
        more_after: any::<bool>(),
    });
    let sent = any_of!(Sent { seq: seq(), ord: count(), at: at(), duplicate: any::<bool>() });
    Union::new([
        Just(ReplyBody::Empty {}).boxed(),
        authenticated().prop_map(Into::into).boxed(),
        any_of!(Pong { time: at() }).prop_map(Into::into).boxed(),
        room().prop_map(Into::into).boxed(),
        rooms.prop_map(Into::into).boxed(),
        opened.prop_map(Into::into).boxed(),
        history.prop_map(Into::into).boxed(),
        any_of!(Members { members: vec(member(), 0..3), next: of(text()) }).prop_map(Into::into).boxed(),
        any_of!(Found { messages: vec(message(), 0..3), next: of(text()) }).prop_map(Into::into).boxed(),
        sent.prop_map(Into::into).boxed(),
        any_of!(Written { seq: seq() }).prop_map(Into::into).boxed(),
    ])
    .boxed()
}

pub(crate) fn server_event() -> BoxedStrategy<ServerEvent> {
    Union::new([of_the_connection(), of_a_room(), of_others()]).boxed()
}

fn of_the_connection() -> BoxedStrategy<ServerEvent> {
    prop_oneof![
        (text(), at()).prop_map(|(node, time)| ServerEvent::hello(&node, time)),
        authenticated().prop_map(|who| ServerEvent::Ready(Box::new(who))),
        wire_error().prop_map(ServerEvent::Error),
        (word(CloseCode::ALL), of(any::<u32>())).prop_map(|(code, after)| ServerEvent::bye(code, after)),
    ]
    .boxed()
}

fn of_a_room() -> BoxedStrategy<ServerEvent> {
    let preview = any_of!(Preview { by: user_id(), text: text() });
    let news = any_of!(RoomHead {
        room: room_id(),
        head: head(),
        unread: count(),
        mentions: count(),
        preview: of(preview)
    });
    prop_oneof![
        event().prop_map(|event| ServerEvent::RoomEvent(Box::new(event))),
        (room_id(), seq()).prop_map(|(room, seq)| ServerEvent::RoomRemoved { room, seq }),
        (room_id(), head()).prop_map(|(room, head)| ServerEvent::RoomLagged { room, head }),
        news.prop_map(|news| ServerEvent::RoomHead(Box::new(news))),
    ]
    .boxed()
}

fn of_others() -> BoxedStrategy<ServerEvent> {
    let presence = any_of!(Presence { user: user_id(), state: word(Seen::ALL), last_seen: of(at()) });
    let own = (room_id(), seq(), count(), count());
    let typing = (room_id(), user_id(), any::<bool>(), word(Typing::ALL));
    prop_oneof![
        own.prop_map(|(room, read, unread, mentions)| ServerEvent::ReadMe { room, read, unread, mentions }),
        marks().prop_map(ServerEvent::Read),
        marks().prop_map(ServerEvent::Delivered),
        typing.prop_map(|(room, user, on, kind)| ServerEvent::Typing { room, user, on, kind }),
        vec(presence, 0..4).prop_map(|users| ServerEvent::Presence { users }),
    ]
    .boxed()
}

fn marks() -> BoxedStrategy<Marks> {
    prop_oneof![
        (room_id(), vec(read_cursor(), 0..3)).prop_map(|(room, marks)| Marks::Named { room, marks }),
        (room_id(), seq(), count()).prop_map(|(room, through, count)| Marks::Counted {
            room,
            through,
            count
        }),
    ]
    .boxed()
}
