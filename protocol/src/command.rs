//! Commands: what a client asks, one struct an op (PROTOCOL sections 1 to 5).
//!
//! Fields that are not known are ignored. A list is read only up to its bound.

use crate::bounded;
use crate::id::{ClientId, DeviceId, FileId, RoomId, Seq, Timestamp, UserId};
use crate::limits::{MEMBERS_PER_CALL, WATCHED};
use crate::message::MessageBody;
use crate::object::{Notify, PresenceState, Role, RoomKind, Typing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names a command on its connection: 1 to 2^31 - 1, chosen by the client.
pub type CommandId = u32;

/// The greatest [`CommandId`].
pub const COMMAND_ID_MAX: CommandId = CommandId::MAX >> 1;

/// One thing that a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What its reply is named by.
    pub id: CommandId,
    /// What is asked.
    pub op: Op,
}

/// Proves who speaks, or extends the connection with a fresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Auth {
    /// The access token.
    pub token: String,
    /// The device it speaks from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The last position of the inbox that this client has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_after: Option<Seq>,
}

/// Creates a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomCreate {
    /// The same again gives the same room.
    pub client_id: ClientId,
    /// `group` or `channel`.
    pub kind: RoomKind,
    /// 1 to 128 characters.
    pub title: String,
    /// Who is in it besides the creator.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, MEMBERS_PER_CALL>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub members: Vec<UserId>,
}

/// Finds or makes the direct room with a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomDirect {
    /// The other one.
    pub user: UserId,
}

/// Asks for a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomGet {
    /// Which.
    pub room: RoomId,
}

/// Changes a room's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomUpdate {
    /// Which.
    pub room: RoomId,
    /// 1 to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// At most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where the picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// Asks for one's rooms, newest activity first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomList {
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Asks to hear a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomOpen {
    /// Which.
    pub room: RoomId,
    /// The last position seen; 0 is the beginning; absent: from the head on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
}

/// Asks to hear a room no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomClose {
    /// Which.
    pub room: RoomId,
}

/// Asks for a page of a room; the newest without a bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomHistory {
    /// Which.
    pub room: RoomId,
    /// Only older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Only newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Both sides of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Seq>,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Changes one's own view of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomSettings {
    /// Which.
    pub room: RoomId,
    /// What notifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// No notifications until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Kept on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Kept out of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// Asks for a room's members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberList {
    /// Which.
    pub room: RoomId,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Adds members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberAdd {
    /// Where.
    pub room: RoomId,
    /// Whom.
    #[serde(deserialize_with = "bounded::list::<_, _, MEMBERS_PER_CALL>")]
    pub users: Vec<UserId>,
    /// As what; `member` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Removes a member; oneself to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRemove {
    /// Where.
    pub room: RoomId,
    /// Whom.
    pub user: UserId,
}

/// Gives a member another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRole {
    /// Where.
    pub room: RoomId,
    /// Whom.
    pub user: UserId,
    /// Which.
    pub role: Role,
}

/// Makes an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteCreate {
    /// Where to.
    pub room: RoomId,
    /// Good until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Good so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

/// Takes an invitation back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteRevoke {
    /// Where to.
    pub room: RoomId,
    /// Which.
    pub invite: String,
}

/// Joins by invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteAccept {
    /// Which.
    pub invite: String,
}

/// Asks for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserGet {
    /// Whom.
    pub user: UserId,
}

/// Looks for users by handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserSearch {
    /// How the handle begins.
    pub query: String,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Blocks a user, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserBlock {
    /// Whom.
    pub user: UserId,
    /// Set or taken off.
    pub on: bool,
}

/// Changes one's own profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileUpdate {
    /// 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 3 to 32 of `a-z 0-9 _ .`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// At most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<FileId>,
}

/// Says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageSend {
    /// Where.
    pub room: RoomId,
    /// The same again gives the same message.
    pub client_id: ClientId,
    /// 1 at first, 2, 3 … when it is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What.
    pub body: MessageBody,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
}

/// Gives one's own message another body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageEdit {
    /// Where.
    pub room: RoomId,
    /// The same again gives the same edit.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
    /// What it says now.
    pub body: MessageBody,
    /// Only if this is its last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Seq>,
}

/// Takes a message's content away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageDelete {
    /// Where.
    pub room: RoomId,
    /// The same again gives the same delete.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
}

/// Sets an emoji on a message, or takes it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionSet {
    /// Where.
    pub room: RoomId,
    /// The same again changes nothing.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
    /// What.
    pub emoji: String,
    /// Set or taken off.
    pub on: bool,
}

/// Pins a message, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinSet {
    /// Where.
    pub room: RoomId,
    /// The same again changes nothing.
    pub client_id: ClientId,
    /// Which.
    pub target: Seq,
    /// Set or taken off.
    pub on: bool,
}

/// Looks for messages in one's own rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageSearch {
    /// What for.
    pub query: String,
    /// Only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// Only by this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UserId>,
    /// Only older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// Only of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Says how far one has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadMark {
    /// Where.
    pub room: RoomId,
    /// Up to here.
    pub seq: Seq,
}

/// Asks who has read a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadList {
    /// Where.
    pub room: RoomId,
    /// Which.
    pub seq: Seq,
}

/// Says how far messages have arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveredMark {
    /// Where.
    pub room: RoomId,
    /// Up to here.
    pub seq: Seq,
}

/// Says that one is typing, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypingSet {
    /// Where.
    pub room: RoomId,
    /// Begun or ended.
    pub on: bool,
    /// What is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Typing>,
}

/// Asks to hear whether users are there; replaces the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PresenceWatch {
    /// Whom.
    #[serde(deserialize_with = "bounded::list::<_, _, WATCHED>")]
    pub users: Vec<UserId>,
}

/// Says how one is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PresenceSet {
    /// How.
    pub state: PresenceState,
    /// In one's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant holds the struct that says what it is")]
pub enum Op {
    /// Asks for the server's time.
    Ping,
    Auth(Box<Auth>),
    RoomCreate(Box<RoomCreate>),
    RoomDirect(RoomDirect),
    RoomGet(RoomGet),
    RoomUpdate(Box<RoomUpdate>),
    RoomList(RoomList),
    RoomOpen(RoomOpen),
    RoomClose(RoomClose),
    RoomHistory(RoomHistory),
    RoomSettings(RoomSettings),
    MemberList(MemberList),
    MemberAdd(MemberAdd),
    MemberRemove(MemberRemove),
    MemberRole(MemberRole),
    InviteCreate(InviteCreate),
    InviteRevoke(InviteRevoke),
    InviteAccept(InviteAccept),
    UserGet(UserGet),
    UserSearch(UserSearch),
    UserBlock(UserBlock),
    ProfileUpdate(Box<ProfileUpdate>),
    MessageSend(Box<MessageSend>),
    MessageEdit(Box<MessageEdit>),
    MessageDelete(MessageDelete),
    ReactionSet(Box<ReactionSet>),
    PinSet(PinSet),
    MessageSearch(Box<MessageSearch>),
    ReadMark(ReadMark),
    ReadList(ReadList),
    DeliveredMark(DeliveredMark),
    TypingSet(TypingSet),
    PresenceWatch(PresenceWatch),
    PresenceSet(PresenceSet),
}

impl Op {
    /// Returns the op's name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Auth(_) => "auth",
            Self::RoomCreate(_) => "room.create",
            Self::RoomDirect(_) => "room.direct",
            Self::RoomGet(_) => "room.get",
            Self::RoomUpdate(_) => "room.update",
            Self::RoomList(_) => "room.list",
            Self::RoomOpen(_) => "room.open",
            Self::RoomClose(_) => "room.close",
            Self::RoomHistory(_) => "room.history",
            Self::RoomSettings(_) => "room.settings",
            Self::MemberList(_) => "member.list",
            Self::MemberAdd(_) => "member.add",
            Self::MemberRemove(_) => "member.remove",
            Self::MemberRole(_) => "member.role",
            Self::InviteCreate(_) => "invite.create",
            Self::InviteRevoke(_) => "invite.revoke",
            Self::InviteAccept(_) => "invite.accept",
            Self::UserGet(_) => "user.get",
            Self::UserSearch(_) => "user.search",
            Self::UserBlock(_) => "user.block",
            Self::ProfileUpdate(_) => "profile.update",
            Self::MessageSend(_) => "message.send",
            Self::MessageEdit(_) => "message.edit",
            Self::MessageDelete(_) => "message.delete",
            Self::ReactionSet(_) => "reaction.set",
            Self::PinSet(_) => "pin.set",
            Self::MessageSearch(_) => "message.search",
            Self::ReadMark(_) => "read.mark",
            Self::ReadList(_) => "read.list",
            Self::DeliveredMark(_) => "delivered.mark",
            Self::TypingSet(_) => "typing.set",
            Self::PresenceWatch(_) => "presence.watch",
            Self::PresenceSet(_) => "presence.set",
        }
    }
}
