//! The vocabulary of Rookery: everything that is said between a client and the server.
//!
//! It holds the shapes of PROTOCOL.md (commands, replies, events), their two codecs (JSON and
//! MessagePack), the error and close codes, and the limits. It does no I/O, reads no clock, starts
//! no task and builds for wasm32; what a command *does* is decided in `actors`.

mod body_kind;
mod bounded;
mod code;
mod codec;
mod command;
mod event;
mod frame;
mod id;
pub mod limits;
mod mention;
mod message;
mod meta;
mod object;
mod op;
mod reply;
mod server_event;
mod word;

pub use body_kind::{BodyKind, CustomKind, UnknownBodyKind};
pub use code::{CloseCode, Details, ErrorCode, WireError};
pub use codec::{Codec, DecodeError, EncodeError, Incoming, RawBody, Rejected, ServerFrame};
pub use command::{
    Auth, COMMAND_ID_MAX, Command, CommandId, DeliveredMark, InviteAccept, InviteCreate, InviteRevoke,
    MemberAdd, MemberList, MemberRemove, MemberRole, MessageDelete, MessageEdit, MessageSearch, MessageSend,
    PinSet, PresenceSet, PresenceWatch, ProfileUpdate, ReactionSet, ReadList, ReadMark, RoomClose,
    RoomCreate, RoomDirect, RoomGet, RoomHistory, RoomList, RoomOpen, RoomSettings, RoomUpdate, TypingSet,
    UserBlock, UserGet, UserSearch,
};
pub use event::{
    Change, DeleteBody, EditBody, Event, EventBody, MemberChange, PinBody, ReactionBody, RoomChange,
};
pub use frame::{Frame, websocket_frame};
pub use id::{ClientId, DeviceId, FileId, NoPosition, RoomId, Seq, SessionId, Timestamp, UserId};
pub use mention::Mention;
pub use message::{Attachment, Message, MessageBody, Reaction};
pub use meta::Meta;
pub use object::{
    Head, Member, Notify, Presence, PresenceState, ReadCursor, Role, Room, RoomKind, RoomView, Seen, Typing,
    User,
};
pub use op::Op;
pub use reply::{
    Authenticated, Empty, Found, History, Members, OpenStatus, Pong, Reply, ReplyBody, RoomOpened, Rooms,
    Sent, Written,
};
pub use server_event::{Hello, Marks, Preview, RoomHead, ServerEvent};
pub use word::UnknownWord;
