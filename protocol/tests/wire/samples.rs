//! One frame of every kind, the same ones each time: what the golden files hold.

use rookery_protocol::{
    Attachment, Auth, Authenticated, BodyKind, Change, Changed, ClientId, Command, DeleteBody, DeliveredMark,
    DeviceId, EditBody, Emptied, ErrorCode, Event, EventBody, FileId, Found, Head, History, InviteAccept,
    InviteCreate, InviteCreated, InviteRevoke, Marks, Member, MemberAdd, MemberChange, MemberList,
    MemberRemove, MemberRole, Members, Mention, Message, MessageBody, MessageDelete, MessageEdit,
    MessageSearch, MessageSend, Notify, Op, OpenStatus, PinBody, PinSet, Pong, Presence, PresenceSet,
    PresenceState, PresenceWatch, Preview, ProfileUpdate, Quoted, Reaction, ReactionBody, ReactionSet,
    ReadCursor, ReadList, ReadMark, ReadMarked, Readers, Reply, ReplyBody, Role, Room, RoomChange, RoomClose,
    RoomCreate, RoomDirect, RoomGet, RoomHead, RoomHistory, RoomId, RoomKind, RoomList, RoomOpen, RoomOpened,
    RoomSettings, RoomUpdate, RoomView, Rooms, Seen, Sent, Seq, ServerEvent, SessionId, Set, Timestamp,
    Typing, TypingSet, User, UserBlock, UserGet, UserId, UserSearch, Users, Watched, WireError, Written,
};
use uuid::Uuid;

/// Bytes above 127 and below, so that every way of writing an id shows.
const fn id(last: u8) -> Uuid {
    Uuid::from_bytes([0x01, 0x9a, 0xa1, 0x00, 0xff, 0x80, 0x7f, 0x00, 0x80, 0, 0, 0, 0, 0, 0, last])
}

const ROOM: RoomId = RoomId(id(1));
const ALICE: UserId = UserId(id(2));
const BOB: UserId = UserId(id(3));
const CLIENT_ID: ClientId = ClientId(id(4));
const NOW: Timestamp = Timestamp(1_767_225_600_000);
const HEAD: Head = Head { seq: Seq(42), ord: 40, at: NOW };

fn text() -> MessageBody {
    MessageBody::text("héllo \"world\" 🎉\n")
}

fn picture() -> MessageBody {
    MessageBody {
        kind: BodyKind::Image,
        mentions: vec![Mention::All, Mention::User(BOB)],
        attachments: vec![Attachment {
            id: FileId(id(5)),
            name: "tree.jpg".to_owned(),
            mime: "image/jpeg".to_owned(),
            size: 70_000,
            width: Some(640),
            height: Some(480),
            duration_ms: None,
            thumb: Some("/v1/files/tree".to_owned()),
        }],
        meta: Some(r#"{"album":7,"tags":["wood",null,true,-1.5]}"#.parse().expect("an object")),
        ..MessageBody::text("a tree")
    }
}

fn user(id: UserId, handle: &str) -> User {
    User { id, handle: handle.to_owned(), name: handle.to_uppercase(), avatar: None, about: None }
}

fn room() -> Room {
    Room {
        id: ROOM,
        kind: RoomKind::Group,
        title: Some("Rooks".to_owned()),
        avatar: None,
        about: Some("About rooks".to_owned()),
        created_at: Timestamp(1_767_000_000_000),
        members: 2,
        head: HEAD,
        me: RoomView {
            role: Role::Owner,
            read: Seq(40),
            delivered: Seq(42),
            unread: 2,
            mentions: 1,
            muted_until: Some(Timestamp(1_767_300_000_000)),
            notify: Notify::Mentions,
            pinned: true,
            archived: false,
        },
        preview: Some(Preview { by: BOB, text: "héllo".to_owned() }),
    }
}

fn event(seq: u64, body: EventBody) -> Event {
    Event {
        room: ROOM,
        seq: Seq(seq),
        ord: seq - 2,
        at: NOW,
        by: ALICE,
        client_id: Some(CLIENT_ID),
        target: None,
        reply_to: None,
        body,
    }
}

/// One command of each op.
pub(crate) fn commands() -> Vec<Command> {
    ops().into_iter().zip(1..).map(|(op, id)| Command { id, op }).collect()
}

fn ops() -> Vec<Op> {
    let (room, client_id, user, target) = (ROOM, CLIENT_ID, BOB, Seq(41));
    vec![
        Op::Ping,
        Auth { token: "eyJhbGciOi".to_owned(), device: Some(DeviceId(id(6))), inbox_after: Some(Seq(9)) }
            .into(),
        RoomCreate { client_id, kind: RoomKind::Group, title: "Rooks".to_owned(), members: vec![BOB] }.into(),
        RoomDirect { user }.into(),
        RoomGet { room }.into(),
        RoomUpdate { room, title: Some("Crows".to_owned()), about: None, avatar: None }.into(),
        RoomList { limit: Some(50), cursor: Some("b2xkZXI".to_owned()) }.into(),
        RoomOpen { room, after: Some(Seq::ZERO) }.into(),
        RoomClose { room }.into(),
        RoomHistory { room, before: Some(target), after: None, around: None, limit: Some(100) }.into(),
        RoomSettings {
            room,
            notify: Some(Notify::None),
            muted_until: Some(NOW),
            pinned: Some(true),
            archived: Some(false),
        }
        .into(),
        MemberList { room, limit: None, cursor: None }.into(),
        MemberAdd { room, users: vec![BOB], role: Some(Role::Reader) }.into(),
        MemberRemove { room, user }.into(),
        MemberRole { room, user, role: Role::Admin }.into(),
        InviteCreate { room, expires_at: Some(NOW), uses: Some(5) }.into(),
        InviteRevoke { room, invite: "in-7".to_owned() }.into(),
        InviteAccept { invite: "in-7".to_owned() }.into(),
        UserGet { user }.into(),
        UserSearch { query: "bo".to_owned(), limit: Some(10) }.into(),
        UserBlock { user, on: true }.into(),
        ProfileUpdate {
            name: Some("Alice".to_owned()),
            handle: Some("alice".to_owned()),
            about: None,
            avatar: Some(FileId(id(5))),
        }
        .into(),
        MessageSend { room, client_id, attempt: Some(2), body: picture(), reply_to: Some(target) }.into(),
        MessageEdit { room, client_id, target, body: text(), rev: Some(Seq(42)) }.into(),
        MessageDelete { room, client_id, target }.into(),
        ReactionSet { room, client_id, target, emoji: "🎉".to_owned(), on: true }.into(),
        PinSet { room, client_id, target, on: false }.into(),
        MessageSearch {
            query: "tree".to_owned(),
            room: Some(room),
            from: Some(user),
            before: Some(NOW),
            kind: Some("image".to_owned()),
            limit: Some(20),
            cursor: None,
        }
        .into(),
        ReadMark { room, seq: target }.into(),
        ReadList { room, seq: target }.into(),
        DeliveredMark { room, seq: target }.into(),
        TypingSet { room, on: true, kind: Some(Typing::Audio) }.into(),
        PresenceWatch { users: vec![ALICE, BOB] }.into(),
        PresenceSet { state: PresenceState::Invisible, status: Some("at the nest".to_owned()) }.into(),
    ]
}

fn authenticated() -> Authenticated {
    Authenticated {
        user: user(ALICE, "alice"),
        session: SessionId(id(7)),
        inbox: RoomId(id(8)),
        expires_at: NOW,
        inbox_status: Some(OpenStatus::Replayed),
        inbox_from: Some(Seq(10)),
    }
}

fn presences() -> Vec<Presence> {
    let at_the_nest = Some("at the nest".to_owned());
    vec![
        Presence { user: ALICE, state: Seen::Online, last_seen: None, status: None },
        Presence { user: BOB, state: Seen::Offline, last_seen: Some(NOW), status: None },
        Presence { user: UserId(id(9)), state: Seen::Away, last_seen: Some(NOW), status: at_the_nest },
    ]
}

/// One reply of each kind, and the name of its kind.
pub(crate) fn replies() -> Vec<(&'static str, Reply)> {
    let message = Message {
        event: event(41, EventBody::Message(text())),
        rev: Seq(42),
        edited_at: Some(NOW),
        deleted: false,
        reactions: vec![Reaction { emoji: "🎉".to_owned(), count: 2, mine: true }],
        pinned: true,
        quoted: Some(Quoted {
            by: BOB,
            text: Some("héllo".to_owned()),
            kind: Some(BodyKind::Text),
            deleted: false,
        }),
    };
    let bodies: [ReplyBody; 21] = [
        ReplyBody::Empty {},
        authenticated().into(),
        Pong { time: NOW }.into(),
        room().into(),
        Rooms { rooms: vec![room()], next: Some("b2xkZXI".to_owned()), total_unread: 300 }.into(),
        RoomOpened {
            status: OpenStatus::Reset,
            head: HEAD,
            from: Seq(43),
            room: Box::new(room()),
            reads: Some(vec![ReadCursor { user: BOB, seq: Seq(42) }]),
        }
        .into(),
        History { messages: vec![message.clone()], head: HEAD, more_before: true, more_after: false }.into(),
        Members {
            members: vec![Member { user: user(BOB, "bob"), role: Role::Member, joined_seq: Seq(2) }],
            next: None,
        }
        .into(),
        Sent { seq: Seq(42), ord: 40, at: NOW, duplicate: true }.into(),
        Written { seq: Seq(70_000) }.into(),
        room().me.into(),
        InviteCreated { invite: "in-7".to_owned(), url: "https://chat.example/i/in-7".to_owned() }.into(),
        user(BOB, "bob").into(),
        Users { users: vec![user(BOB, "bob")] }.into(),
        Changed { seq: Seq(43), at: NOW, duplicate: false }.into(),
        Set { seq: Some(Seq(44)) }.into(),
        Set { seq: None }.into(),
        Found { messages: vec![message], next: None }.into(),
        ReadMarked { read: Seq(41), unread: 1, mentions: 0 }.into(),
        Readers { count: 1, users: vec![BOB] }.into(),
        Watched { users: presences() }.into(),
    ];
    let mut replies: Vec<_> = bodies
        .into_iter()
        .zip(1..)
        .map(|(body, id)| {
            let kind = match body {
                ReplyBody::Empty {} => "empty",
                ReplyBody::Authenticated(_) => "authenticated",
                ReplyBody::Pong(_) => "pong",
                ReplyBody::Room(_) => "room",
                ReplyBody::Rooms(_) => "rooms",
                ReplyBody::RoomOpened(_) => "room_opened",
                ReplyBody::History(_) => "history",
                ReplyBody::Members(_) => "members",
                ReplyBody::Sent(_) => "sent",
                ReplyBody::Written(_) => "written",
                ReplyBody::RoomView(_) => "room_view",
                ReplyBody::InviteCreated(_) => "invite_created",
                ReplyBody::User(_) => "user",
                ReplyBody::Users(_) => "users",
                ReplyBody::Changed(_) => "changed",
                ReplyBody::Set(Set { seq: Some(_) }) => "set",
                ReplyBody::Set(Set { seq: None }) => "set.already",
                ReplyBody::Found(_) => "found",
                ReplyBody::ReadMarked(_) => "read_marked",
                ReplyBody::Readers(_) => "readers",
                ReplyBody::Watched(_) => "watched",
            };
            (kind, Reply::ok(id, body))
        })
        .collect();
    let error = WireError::new(ErrorCode::Busy, "too much is waiting").retry_after(200);
    replies.push(("busy", Reply::err(i32::MAX.cast_unsigned(), error)));
    replies.push((
        "invalid",
        Reply::err(300, WireError::new(ErrorCode::Invalid, "a title is text").field("title")),
    ));
    replies
}

/// One event of each kind, and of each type of `room.event`, with the name of its kind.
pub(crate) fn events() -> Vec<(String, ServerEvent)> {
    let mut events: Vec<_> = of_rooms().into_iter().map(|event| (room_event_name(&event), event)).collect();
    let room = ROOM;
    let named = Marks::Named { room, marks: vec![ReadCursor { user: BOB, seq: Seq(42) }] };
    let counted = Marks::Counted { room, through: Seq(42), count: 250 };
    let preview = Preview { by: BOB, text: "héllo".to_owned() };
    let others = [
        ("hello", ServerEvent::hello("node-1", NOW)),
        ("ready", ServerEvent::Ready(Box::new(authenticated()))),
        ("room.removed", ServerEvent::RoomRemoved { room, seq: Seq(42) }),
        ("room.lagged", ServerEvent::RoomLagged { room, head: HEAD }),
        (
            "room.head",
            ServerEvent::RoomHead(Box::new(RoomHead {
                room,
                head: HEAD,
                unread: 2,
                mentions: 1,
                preview: Some(preview),
            })),
        ),
        ("read.me", ServerEvent::ReadMe { room, read: Seq(41), unread: 1, mentions: 0 }),
        ("read", ServerEvent::Read(named)),
        ("read.counted", ServerEvent::Read(counted.clone())),
        ("delivered", ServerEvent::Delivered(counted)),
        ("typing", ServerEvent::Typing { room, user: BOB, on: true, kind: Typing::Text }),
        ("presence", ServerEvent::Presence { users: presences() }),
        (
            "error",
            ServerEvent::Error(WireError::new(
                ErrorCode::BadRequest,
                "read the frame: it ends in the middle",
            )),
        ),
        ("bye", ServerEvent::move_to(Some("https://b.chat.example.org".to_owned()), 1500)),
    ];
    events.extend(others.map(|(name, event)| (name.to_owned(), event)));
    events
}

fn room_event_name(event: &ServerEvent) -> String {
    match event {
        ServerEvent::RoomEvent(event) => {
            let emptied = if matches!(event.body, EventBody::Emptied(_)) { ".emptied" } else { "" };
            format!("room.event.{}{emptied}", event.body.kind())
        }
        other => panic!("no event of a room: {other:?}"),
    }
}

fn of_rooms() -> Vec<ServerEvent> {
    let change = MemberChange { user: BOB, change: Change::Added, role: Some(Role::Member) };
    let first = RoomChange {
        kind: Some(RoomKind::Group),
        title: Some("Rooks".to_owned()),
        about: None,
        avatar: None,
    };
    let of_message = |body| Event { target: Some(Seq(41)), ..event(42, body) };
    [
        Event { reply_to: Some(Seq(3)), ..event(41, EventBody::Message(picture())) },
        of_message(EventBody::Edit(EditBody { body: text() })),
        of_message(EventBody::Delete(DeleteBody {})),
        event(41, EventBody::Emptied(Emptied::Message)),
        of_message(EventBody::Emptied(Emptied::Edit)),
        of_message(EventBody::Reaction(ReactionBody { emoji: "🎉".to_owned(), on: true })),
        of_message(EventBody::Pin(PinBody { on: true })),
        Event { client_id: None, ..event(2, EventBody::Member(change)) },
        Event { seq: Seq(1), ..event(2, EventBody::Room(first)) },
    ]
    .into_iter()
    .map(|event| ServerEvent::RoomEvent(Box::new(event)))
    .collect()
}
