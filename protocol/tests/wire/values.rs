//! Any value of the vocabulary, for property tests.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use rookery_protocol::limits::SAFE_INTEGER;
use rookery_protocol::{
    Attachment, Authenticated, BodyKind, Change, ClientId, DeleteBody, DeviceId, EditBody, Emptied,
    ErrorCode, Event, EventBody, FileId, Head, Member, MemberChange, Mention, Message, MessageBody, Meta,
    Notify, OpenStatus, PinBody, Preview, Quoted, Reaction, ReactionBody, ReadCursor, Role, Room, RoomChange,
    RoomId, RoomKind, RoomView, Seq, SessionId, Timestamp, User, UserId, WireError,
};
use uuid::Uuid;

/// A struct of which each field is any of a strategy.
macro_rules! any_of {
    ($name:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        ($($strategy,)*).prop_map(|($($field,)*)| $name { $($field),* }).boxed()
    };
}

pub(crate) mod ops;
pub(crate) mod server;

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes)
}

macro_rules! ids {
    ($($function:ident: $name:ident),*) => {$(
        fn $function() -> impl Strategy<Value = $name> {
            uuid().prop_map($name)
        }
    )*};
}

ids!(user_id: UserId, room_id: RoomId, session_id: SessionId, device_id: DeviceId, client_id: ClientId, file_id: FileId);

fn seq() -> impl Strategy<Value = Seq> {
    prop_oneof![0..200_u64, 0..=SAFE_INTEGER].prop_map(Seq)
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..200_u64, 0..=SAFE_INTEGER]
}

fn at() -> impl Strategy<Value = Timestamp> {
    let bound = SAFE_INTEGER.cast_signed();
    prop_oneof![-3..3_i64, -bound..=bound].prop_map(Timestamp)
}

/// Any characters, the ones that JSON escapes more often than others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}".boxed(),
        "[\"\\\\/\u{0}-\u{1f}\u{7f}\u{2028}é漢🎉]{0,8}".boxed(),
        any::<String>().boxed(),
        "[a-z]{30,40}".boxed(),
        "[a-z]{250,260}".boxed(),
    ]
}

fn word<T: Clone + std::fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn role() -> impl Strategy<Value = Role> {
    word(Role::ALL)
}

fn mention() -> impl Strategy<Value = Mention> {
    prop_oneof![Just(Mention::All), user_id().prop_map(Mention::User)]
}

fn body_kind() -> impl Strategy<Value = BodyKind> {
    prop_oneof!["text|image|video|audio|document|location", "x\\.[a-z0-9_.-]{1,62}"]
        .prop_map(|kind| kind.parse().expect("a kind"))
}

/// A JSON value that text can say exactly, at most three deep.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_filter("JSON has finite numbers", |number| number.is_finite()).prop_map(Into::into),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

pub(crate) fn meta() -> BoxedStrategy<Meta> {
    proptest::collection::btree_map("[a-z]{1,6}", json(), 0..3)
        .prop_filter_map("at most 4 KiB", |map| {
            let text = serde_json::to_string(&map).expect("JSON");
            serde_json::from_str(&text).ok()
        })
        .boxed()
}

fn attachment() -> BoxedStrategy<Attachment> {
    any_of!(Attachment {
        id: file_id(),
        name: text(),
        mime: text(),
        size: count(),
        width: of(any::<u32>()),
        height: of(any::<u32>()),
        duration_ms: of(count()),
        thumb: of(text()),
    })
}

fn message_body() -> BoxedStrategy<MessageBody> {
    any_of!(MessageBody {
        kind: body_kind(),
        text: of(text()),
        mentions: vec(mention(), 0..4),
        attachments: vec(attachment(), 0..3),
        meta: of(meta()),
    })
}

fn event_body() -> BoxedStrategy<EventBody> {
    prop_oneof![
        message_body().prop_map(EventBody::Message),
        any_of!(EditBody { body: message_body() }).prop_map(EventBody::Edit),
        Just(EventBody::Delete(DeleteBody {})),
        Just(EventBody::Emptied(Emptied::Message)),
        Just(EventBody::Emptied(Emptied::Edit)),
        any_of!(ReactionBody { emoji: text(), on: any::<bool>() }).prop_map(EventBody::Reaction),
        any_of!(PinBody { on: any::<bool>() }).prop_map(EventBody::Pin),
        any_of!(MemberChange { user: user_id(), change: word(Change::ALL), role: of(role()) })
            .prop_map(EventBody::Member),
        any_of!(RoomChange {
            kind: of(word(RoomKind::ALL)),
            title: of(text()),
            about: of(text()),
            avatar: of(text())
        })
        .prop_map(EventBody::Room),
    ]
    .boxed()
}

pub(crate) fn event() -> BoxedStrategy<Event> {
    any_of!(Event {
        room: room_id(),
        seq: seq(),
        ord: count(),
        at: at(),
        by: user_id(),
        client_id: of(client_id()),
        target: of(seq()),
        reply_to: of(seq()),
        body: event_body(),
    })
}

pub(crate) fn message() -> BoxedStrategy<Message> {
    let quoted =
        any_of!(Quoted { by: user_id(), text: of(text()), kind: of(body_kind()), deleted: any::<bool>() });
    let reaction = any_of!(Reaction { emoji: text(), count: count(), mine: any::<bool>() });
    any_of!(Message {
        event: event(),
        rev: seq(),
        edited_at: of(at()),
        deleted: any::<bool>(),
        reactions: vec(reaction, 0..3),
        pinned: any::<bool>(),
        quoted: of(quoted),
    })
}

fn user() -> BoxedStrategy<User> {
    any_of!(User { id: user_id(), handle: text(), name: text(), avatar: of(text()), about: of(text()) })
}

fn head() -> BoxedStrategy<Head> {
    any_of!(Head { seq: seq(), ord: count(), at: at() })
}

fn room_view() -> BoxedStrategy<RoomView> {
    any_of!(RoomView {
        role: role(),
        read: seq(),
        delivered: seq(),
        unread: count(),
        mentions: count(),
        muted_until: of(at()),
        notify: word(Notify::ALL),
        pinned: any::<bool>(),
        archived: any::<bool>(),
    })
}

fn room() -> BoxedStrategy<Room> {
    any_of!(Room {
        id: room_id(),
        kind: word(RoomKind::ALL),
        title: of(text()),
        avatar: of(text()),
        about: of(text()),
        created_at: at(),
        members: count(),
        head: head(),
        me: room_view(),
        preview: of(preview()),
    })
}

fn preview() -> BoxedStrategy<Preview> {
    any_of!(Preview { by: user_id(), text: text() })
}

fn member() -> BoxedStrategy<Member> {
    any_of!(Member { user: user(), role: role(), joined_seq: seq() })
}

fn read_cursor() -> BoxedStrategy<ReadCursor> {
    any_of!(ReadCursor { user: user_id(), seq: seq() })
}

fn authenticated() -> BoxedStrategy<Authenticated> {
    any_of!(Authenticated {
        user: user(),
        session: session_id(),
        inbox: room_id(),
        expires_at: at(),
        inbox_status: of(word(OpenStatus::ALL)),
        inbox_from: of(seq()),
    })
}

pub(crate) fn wire_error() -> BoxedStrategy<WireError> {
    let error = |(code, message, after, field): (ErrorCode, String, Option<u32>, Option<String>)| {
        let error = WireError::new(code, message);
        let error = after.into_iter().fold(error, WireError::retry_after);
        field.into_iter().fold(error, WireError::field)
    };
    (word(ErrorCode::ALL), text(), of(any::<u32>()), of(text())).prop_map(error).boxed()
}
