//! Any command.

use super::{
    at, client_id, device_id, file_id, message_body, of, role, room_id, seq, text, user_id, vec, word,
};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::strategy::Union;
use rookery_protocol::{
    Auth, COMMAND_ID_MAX, Command, DeliveredMark, InviteAccept, InviteCreate, InviteRevoke, MemberAdd,
    MemberList, MemberRemove, MemberRole, MessageDelete, MessageEdit, MessageSearch, MessageSend, Notify, Op,
    PinSet, PresenceSet, PresenceState, PresenceWatch, ProfileUpdate, ReactionSet, ReadList, ReadMark,
    RoomClose, RoomCreate, RoomDirect, RoomGet, RoomHistory, RoomKind, RoomList, RoomOpen, RoomSettings,
    RoomUpdate, Typing, TypingSet, UserBlock, UserGet, UserSearch,
};

/// Any of the ops, each field any of a strategy.
macro_rules! any_op {
    ($($name:ident { $($fields:tt)* },)*) => {
        Union::new([$(any_of!($name { $($fields)* }).prop_map(Op::from).boxed(),)*]).boxed()
    };
}

pub(crate) fn command() -> BoxedStrategy<Command> {
    let op = Union::new([Just(Op::Ping).boxed(), of_rooms(), of_members(), of_users(), of_messages()]);
    any_of!(Command { id: 1..=COMMAND_ID_MAX, op: op })
}

fn of_rooms() -> BoxedStrategy<Op> {
    any_op! {
        RoomCreate { client_id: client_id(), kind: word(RoomKind::ALL), title: text(), members: vec(user_id(), 0..4) },
        RoomDirect { user: user_id() },
        RoomGet { room: room_id() },
        RoomUpdate { room: room_id(), title: of(text()), about: of(text()), avatar: of(text()) },
        RoomList { limit: of(any::<u32>()), cursor: of(text()) },
        RoomOpen { room: room_id(), after: of(seq()) },
        RoomClose { room: room_id() },
        RoomHistory {
            room: room_id(),
            before: of(seq()),
            after: of(seq()),
            around: of(seq()),
            limit: of(any::<u32>()),
        },
        RoomSettings {
            room: room_id(),
            notify: of(word(Notify::ALL)),
            muted_until: of(at()),
            pinned: of(any::<bool>()),
            archived: of(any::<bool>()),
        },
        ReadMark { room: room_id(), seq: seq() },
        ReadList { room: room_id(), seq: seq() },
        DeliveredMark { room: room_id(), seq: seq() },
        TypingSet { room: room_id(), on: any::<bool>(), kind: of(word(Typing::ALL)) },
    }
}

fn of_members() -> BoxedStrategy<Op> {
    any_op! {
        MemberList { room: room_id(), limit: of(any::<u32>()), cursor: of(text()) },
        MemberAdd { room: room_id(), users: vec(user_id(), 0..4), role: of(role()) },
        MemberRemove { room: room_id(), user: user_id() },
        MemberRole { room: room_id(), user: user_id(), role: role() },
        InviteCreate { room: room_id(), expires_at: of(at()), uses: of(any::<u32>()) },
        InviteRevoke { room: room_id(), invite: text() },
        InviteAccept { invite: text() },
    }
}

fn of_users() -> BoxedStrategy<Op> {
    any_op! {
        Auth { token: text(), device: of(device_id()), inbox_after: of(seq()) },
        UserGet { user: user_id() },
        UserSearch { query: text(), limit: of(any::<u32>()) },
        UserBlock { user: user_id(), on: any::<bool>() },
        ProfileUpdate { name: of(text()), handle: of(text()), about: of(text()), avatar: of(file_id()) },
        PresenceWatch { users: vec(user_id(), 0..4) },
        PresenceSet { state: word(PresenceState::ALL), status: of(text()) },
    }
}

fn of_messages() -> BoxedStrategy<Op> {
    any_op! {
        MessageSend {
            room: room_id(),
            client_id: client_id(),
            attempt: of(any::<u32>()),
            body: message_body(),
            reply_to: of(seq()),
        },
        MessageEdit {
            room: room_id(),
            client_id: client_id(),
            target: seq(),
            body: message_body(),
            rev: of(seq()),
        },
        MessageDelete { room: room_id(), client_id: client_id(), target: seq() },
        ReactionSet { room: room_id(), client_id: client_id(), target: seq(), emoji: text(), on: any::<bool>() },
        PinSet { room: room_id(), client_id: client_id(), target: seq(), on: any::<bool>() },
        MessageSearch {
            query: text(),
            room: of(room_id()),
            from: of(user_id()),
            before: of(at()),
            kind: of(text()),
            limit: of(any::<u32>()),
            cursor: of(text()),
        },
    }
}
