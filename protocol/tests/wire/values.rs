//! Any value of the vocabulary, for property tests.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rookery_protocol::limits::SAFE_INTEGER;
use rookery_protocol::{
    Attachment, Auth, Authenticated, BodyKind, COMMAND_ID_MAX, Change, ClientId, CloseCode, Command, DeleteBody, DeliveredMark, EditBody, PinBody, ReactionBody, DeviceId, ErrorCode,
    Event, EventBody, FileId, Head, History, InviteAccept, InviteCreate, InviteRevoke, Marks, Member, MemberAdd,
    MemberChange, MemberList, MemberRemove, MemberRole, Members, Mention, Message, MessageBody, MessageDelete,
    MessageEdit, MessageSearch, MessageSend, Meta, Notify, Op, OpenStatus, PinSet, Pong, Presence, PresenceSet,
    PresenceState, PresenceWatch, Preview, ProfileUpdate, Reaction, ReactionSet, ReadCursor, ReadList, ReadMark,
    ReplyBody, Role, Room, RoomChange, RoomClose, RoomCreate, RoomDirect, RoomGet, RoomHead, RoomHistory, RoomId,
    RoomKind, RoomList, RoomOpen, RoomOpened, RoomSettings, RoomUpdate, RoomView, Rooms, Seen, Sent, Seq, ServerEvent,
    SessionId, Timestamp, Typing, TypingSet, User, UserBlock, UserGet, UserId, UserSearch, WireError, Written,
};
use uuid::Uuid;

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

pub(crate) fn meta() -> impl Strategy<Value = Meta> {
    proptest::collection::btree_map("[a-z]{1,6}", json(), 0..3).prop_filter_map("at most 4 KiB", |map| {
        let text = serde_json::to_string(&map).expect("JSON");
        serde_json::from_str(&text).ok()
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (file_id(), text(), text(), count(), of(any::<u32>()), of(any::<u32>()), of(count()), of(text())).prop_map(
        |(id, name, mime, size, width, height, duration_ms, thumb)| Attachment {
            id,
            name,
            mime,
            size,
            width,
            height,
            duration_ms,
            thumb,
        },
    )
}

pub(crate) fn message_body() -> impl Strategy<Value = MessageBody> {
    (body_kind(), of(text()), vec(mention(), 0..4), vec(attachment(), 0..3), of(meta()))
        .prop_map(|(kind, text, mentions, attachments, meta)| MessageBody { kind, text, mentions, attachments, meta })
}

fn member_change() -> impl Strategy<Value = MemberChange> {
    (user_id(), word(Change::ALL), of(role())).prop_map(|(user, change, role)| MemberChange { user, change, role })
}

fn room_change() -> impl Strategy<Value = RoomChange> {
    (of(word(RoomKind::ALL)), of(text()), of(text()), of(text()))
        .prop_map(|(kind, title, about, avatar)| RoomChange { kind, title, about, avatar })
}

fn event_body() -> impl Strategy<Value = EventBody> {
    prop_oneof![
        message_body().prop_map(EventBody::Message),
        message_body().prop_map(|body| EventBody::Edit(EditBody { body })),
        Just(EventBody::Delete(DeleteBody {})),
        (text(), any::<bool>()).prop_map(|(emoji, on)| EventBody::Reaction(ReactionBody { emoji, on })),
        any::<bool>().prop_map(|on| EventBody::Pin(PinBody { on })),
        member_change().prop_map(EventBody::Member),
        room_change().prop_map(EventBody::Room),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let place = (room_id(), seq(), count(), at(), user_id());
    (place, of(client_id()), of(seq()), of(seq()), event_body()).prop_map(
        |((room, seq, ord, at, by), client_id, target, reply_to, body)| Event {
            room,
            seq,
            ord,
            at,
            by,
            client_id,
            target,
            reply_to,
            body,
        },
    )
}

fn reaction() -> impl Strategy<Value = Reaction> {
    (text(), count(), any::<bool>()).prop_map(|(emoji, count, mine)| Reaction { emoji, count, mine })
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    (event(), seq(), of(at()), any::<bool>(), vec(reaction(), 0..3), any::<bool>()).prop_map(
        |(event, rev, edited_at, deleted, reactions, pinned)| Message {
            event,
            rev,
            edited_at,
            deleted,
            reactions,
            pinned,
        },
    )
}

fn user() -> impl Strategy<Value = User> {
    (user_id(), text(), text(), of(text()), of(text()))
        .prop_map(|(id, handle, name, avatar, about)| User { id, handle, name, avatar, about })
}

fn head() -> impl Strategy<Value = Head> {
    (seq(), count(), at()).prop_map(|(seq, ord, at)| Head { seq, ord, at })
}

fn room_view() -> impl Strategy<Value = RoomView> {
    let positions = (seq(), seq(), count(), count());
    (role(), positions, of(at()), word(Notify::ALL), any::<bool>(), any::<bool>()).prop_map(
        |(role, (read, delivered, unread, mentions), muted_until, notify, pinned, archived)| RoomView {
            role,
            read,
            delivered,
            unread,
            mentions,
            muted_until,
            notify,
            pinned,
            archived,
        },
    )
}

pub(crate) fn room() -> impl Strategy<Value = Room> {
    let texts = (of(text()), of(text()), of(text()));
    (room_id(), word(RoomKind::ALL), texts, at(), count(), head(), room_view()).prop_map(
        |(id, kind, (title, avatar, about), created_at, members, head, me)| Room {
            id,
            kind,
            title,
            avatar,
            about,
            created_at,
            members,
            head,
            me,
        },
    )
}

fn member() -> impl Strategy<Value = Member> {
    (user(), role(), seq()).prop_map(|(user, role, joined_seq)| Member { user, role, joined_seq })
}

fn read_cursor() -> impl Strategy<Value = ReadCursor> {
    (user_id(), seq()).prop_map(|(user, seq)| ReadCursor { user, seq })
}

fn authenticated() -> impl Strategy<Value = Authenticated> {
    (user(), session_id(), room_id(), at(), of(word(OpenStatus::ALL)), of(seq())).prop_map(
        |(user, session, inbox, expires_at, inbox_status, inbox_from)| Authenticated {
            user,
            session,
            inbox,
            expires_at,
            inbox_status,
            inbox_from,
        },
    )
}

pub(crate) fn wire_error() -> impl Strategy<Value = WireError> {
    (word(ErrorCode::ALL), text(), of(any::<u32>()), of(text())).prop_map(|(code, message, after, field)| {
        let mut error = WireError::new(code, message);
        if let Some(after) = after {
            error = error.retry_after(after);
        }
        match field {
            Some(field) => error.field(field),
            None => error,
        }
    })
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let room_ops = prop_oneof![
        Just(Op::Ping),
        (text(), of(device_id()), of(seq()))
            .prop_map(|(token, device, inbox_after)| Auth { token, device, inbox_after }.into()),
        (client_id(), word(RoomKind::ALL), text(), vec(user_id(), 0..4))
            .prop_map(|(client_id, kind, title, members)| RoomCreate { client_id, kind, title, members }.into()),
        user_id().prop_map(|user| RoomDirect { user }.into()),
        room_id().prop_map(|room| RoomGet { room }.into()),
        (room_id(), of(text()), of(text()), of(text()))
            .prop_map(|(room, title, about, avatar)| RoomUpdate { room, title, about, avatar }.into()),
        (of(any::<u32>()), of(text())).prop_map(|(limit, cursor)| RoomList { limit, cursor }.into()),
        (room_id(), of(seq())).prop_map(|(room, after)| RoomOpen { room, after }.into()),
        room_id().prop_map(|room| RoomClose { room }.into()),
        (room_id(), of(seq()), of(seq()), of(seq()), of(any::<u32>()))
            .prop_map(|(room, before, after, around, limit)| RoomHistory { room, before, after, around, limit }.into()),
    ];
    let member_ops = prop_oneof![
        (room_id(), of(any::<u32>()), of(text()))
            .prop_map(|(room, limit, cursor)| MemberList { room, limit, cursor }.into()),
        (room_id(), vec(user_id(), 0..4), of(role()))
            .prop_map(|(room, users, role)| MemberAdd { room, users, role }.into()),
        (room_id(), user_id()).prop_map(|(room, user)| MemberRemove { room, user }.into()),
        (room_id(), user_id(), role()).prop_map(|(room, user, role)| MemberRole { room, user, role }.into()),
        (room_id(), of(word(Notify::ALL)), of(at()), of(any::<bool>()), of(any::<bool>())).prop_map(
            |(room, notify, muted_until, pinned, archived)| {
                RoomSettings { room, notify, muted_until, pinned, archived }.into()
            }
        ),
        (room_id(), of(at()), of(any::<u32>()))
            .prop_map(|(room, expires_at, uses)| InviteCreate { room, expires_at, uses }.into()),
        (room_id(), text()).prop_map(|(room, invite)| InviteRevoke { room, invite }.into()),
        text().prop_map(|invite| InviteAccept { invite }.into()),
    ];
    let user_ops = prop_oneof![
        user_id().prop_map(|user| UserGet { user }.into()),
        (text(), of(any::<u32>())).prop_map(|(query, limit)| UserSearch { query, limit }.into()),
        (user_id(), any::<bool>()).prop_map(|(user, on)| UserBlock { user, on }.into()),
        (of(text()), of(text()), of(text()), of(file_id()))
            .prop_map(|(name, handle, about, avatar)| ProfileUpdate { name, handle, about, avatar }.into()),
        vec(user_id(), 0..4).prop_map(|users| PresenceWatch { users }.into()),
        (word(PresenceState::ALL), of(text())).prop_map(|(state, status)| PresenceSet { state, status }.into()),
        (room_id(), any::<bool>(), of(word(Typing::ALL)))
            .prop_map(|(room, on, kind)| TypingSet { room, on, kind }.into()),
        (room_id(), seq()).prop_map(|(room, seq)| ReadMark { room, seq }.into()),
        (room_id(), seq()).prop_map(|(room, seq)| ReadList { room, seq }.into()),
        (room_id(), seq()).prop_map(|(room, seq)| DeliveredMark { room, seq }.into()),
    ];
    let message_ops = prop_oneof![
        (room_id(), client_id(), of(any::<u32>()), message_body(), of(seq())).prop_map(
            |(room, client_id, attempt, body, reply_to)| {
                MessageSend { room, client_id, attempt, body, reply_to }.into()
            }
        ),
        (room_id(), client_id(), seq(), message_body(), of(seq())).prop_map(|(room, client_id, target, body, rev)| {
            MessageEdit { room, client_id, target, body, rev }.into()
        }),
        (room_id(), client_id(), seq())
            .prop_map(|(room, client_id, target)| MessageDelete { room, client_id, target }.into()),
        (room_id(), client_id(), seq(), text(), any::<bool>()).prop_map(|(room, client_id, target, emoji, on)| {
            ReactionSet { room, client_id, target, emoji, on }.into()
        }),
        (room_id(), client_id(), seq(), any::<bool>())
            .prop_map(|(room, client_id, target, on)| PinSet { room, client_id, target, on }.into()),
        (text(), of(room_id()), of(user_id()), of(at()), of(text()), of(any::<u32>()), of(text())).prop_map(
            |(query, room, from, before, kind, limit, cursor)| {
                MessageSearch { query, room, from, before, kind, limit, cursor }.into()
            }
        ),
    ];
    prop_oneof![room_ops, member_ops, user_ops, message_ops]
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    (1..=COMMAND_ID_MAX, op()).prop_map(|(id, op)| Command { id, op })
}

pub(crate) fn reply_body() -> impl Strategy<Value = ReplyBody> {
    prop_oneof![
        Just(ReplyBody::Empty {}),
        authenticated().prop_map(Into::into),
        at().prop_map(|time| Pong { time }.into()),
        room().prop_map(Into::into),
        (vec(room(), 0..3), of(text()), count())
            .prop_map(|(rooms, next, total_unread)| Rooms { rooms, next, total_unread }.into()),
        (word(OpenStatus::ALL), head(), seq(), room().prop_map(Box::new), of(vec(read_cursor(), 0..3))).prop_map(
            |(status, head, from, room, reads)| RoomOpened { status, head, from, room, reads }.into()
        ),
        (vec(message(), 0..3), head(), any::<bool>(), any::<bool>()).prop_map(
            |(messages, head, more_before, more_after)| { History { messages, head, more_before, more_after }.into() }
        ),
        (vec(member(), 0..3), of(text())).prop_map(|(members, next)| Members { members, next }.into()),
        (seq(), count(), at(), any::<bool>())
            .prop_map(|(seq, ord, at, duplicate)| Sent { seq, ord, at, duplicate }.into()),
        seq().prop_map(|seq| Written { seq }.into()),
    ]
}

fn marks() -> impl Strategy<Value = Marks> {
    prop_oneof![
        (room_id(), vec(read_cursor(), 0..3)).prop_map(|(room, marks)| Marks::Named { room, marks }),
        (room_id(), seq(), count()).prop_map(|(room, through, count)| Marks::Counted { room, through, count }),
    ]
}

fn room_head() -> impl Strategy<Value = RoomHead> {
    let preview = (user_id(), text()).prop_map(|(by, text)| Preview { by, text });
    (room_id(), head(), count(), count(), of(preview))
        .prop_map(|(room, head, unread, mentions, preview)| RoomHead { room, head, unread, mentions, preview })
}

fn presence() -> impl Strategy<Value = Presence> {
    (user_id(), word(Seen::ALL), of(at())).prop_map(|(user, state, last_seen)| Presence { user, state, last_seen })
}

pub(crate) fn server_event() -> impl Strategy<Value = ServerEvent> {
    let of_the_connection = prop_oneof![
        (text(), at()).prop_map(|(node, time)| ServerEvent::hello(&node, time)),
        authenticated().prop_map(|who| ServerEvent::Ready(Box::new(who))),
        wire_error().prop_map(ServerEvent::Error),
        (word(CloseCode::ALL), of(any::<u32>())).prop_map(|(code, after)| ServerEvent::bye(code, after)),
        vec(presence(), 0..4).prop_map(|users| ServerEvent::Presence { users }),
    ];
    let of_a_room = prop_oneof![
        event().prop_map(|event| ServerEvent::RoomEvent(Box::new(event))),
        (room_id(), seq()).prop_map(|(room, seq)| ServerEvent::RoomRemoved { room, seq }),
        (room_id(), head()).prop_map(|(room, head)| ServerEvent::RoomLagged { room, head }),
        room_head().prop_map(|head| ServerEvent::RoomHead(Box::new(head))),
        (room_id(), seq(), count(), count()).prop_map(|(room, read, unread, mentions)| ServerEvent::ReadMe {
            room,
            read,
            unread,
            mentions
        }),
        marks().prop_map(ServerEvent::Read),
        marks().prop_map(ServerEvent::Delivered),
        (room_id(), user_id(), any::<bool>(), word(Typing::ALL))
            .prop_map(|(room, user, on, kind)| ServerEvent::Typing { room, user, on, kind }),
    ];
    prop_oneof![of_the_connection, of_a_room]
}
