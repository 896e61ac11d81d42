// Made of the server's own types by `UPDATE=1 cargo test -p rookery-protocol`. Do not edit.

/** A file that belongs to a message. */
export type Attachment = {
/** Which file. */
id: FileId,
/** Its name, for people. */
name: string,
/** Its media type. */
mime: string,
/** Bytes. */
size: number,
/** Pixels. */
width?: number,
/** Pixels. */
height?: number,
/** Milliseconds. */
duration_ms?: number,
/** Where a small picture of it is. */
thumb?: string, };

/** Proves who speaks, or extends the connection with a fresh token. */
export type Auth = {
/** The access token. */
token: string,
/** The device it speaks from. */
device?: DeviceId,
/** The last position of the inbox that this client has seen. */
inbox_after?: Seq, };

/** Who speaks on this connection. */
export type Authenticated = {
/** The user. */
user: User,
/** The login. */
session: SessionId,
/** The user's inbox, which is open from now on. */
inbox: RoomId,
/** The connection ends then, unless it is given a fresh token. */
expires_at: Timestamp,
/** As `status` of `room.open`, for the inbox. */
inbox_status?: OpenStatus,
/** As `from` of `room.open`, for the inbox. */
inbox_from?: Seq, };

/**
 * How a message is to be shown.
 *
 * **Shape**: its word. Applications make their own with `x.` in front, of `a-z 0-9 _ . -`.
 */
export type BodyKind = "text" | "image" | "video" | "audio" | "document" | "location" | `x.${string}`;

/** What happened to a membership. */
export type Change = "added" | "removed" | "left" | "role";

/** A change of a message is durable. */
export type Changed = {
/** Position of the change. */
seq: Seq,
/** When it was ordered. */
at: Timestamp,
/** It had been there before. */
duplicate?: boolean, };

/**
 * The name a client gives to a write, so that sending it again does not write twice.
 *
 * **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
 */
export type ClientId = string;

/** Nothing: the target says all. */
export type DeleteBody = Record<symbol, never>;

/** Says how far messages have arrived. */
export type DeliveredMark = {
/** Where. */
room: RoomId,
/** Up to here. */
seq: Seq, };

/** What a refusal is about. */
export type Details = {
/** The field at fault, as a path with dots. */
field?: string, };

/**
 * A device, as the client names it.
 *
 * **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
 */
export type DeviceId = string;

/** The new body of an edited message. */
export type EditBody = {
/** It. */
body: MessageBody, };

/**
 * An event whose content was taken away, by its `type`.
 *
 * **Shape**: `"type"` as before and `"body":{}`.
 */
export type Emptied = { "type": "message", "body": Record<string, never> } | { "type": "edit", "body": Record<string, never> };

/** Nothing: what was asked was done. */
export type Empty = Record<symbol, never>;

/** Why a command or a request was refused. */
export type ErrorCode = "bad_request" | "invalid" | "unauthenticated" | "token_expired" | "forbidden" | "not_found" | "conflict" | "too_large" | "rate_limited" | "busy" | "store_unavailable" | "unknown_op" | "unsupported" | "internal";

/** One entry of a room's log. */
export type Event = {
/** Whose log. */
room: RoomId,
/** Its place: 1, 2, 3 … without a gap. */
seq: Seq,
/** Messages up to and including this event. */
ord: number,
/** When the room ordered it. */
at: Timestamp,
/** Who did it. */
by: UserId,
/** The name the sender gave it. */
client_id?: ClientId,
/** The event that this one changes. */
target?: Seq,
/** The message that this message answers. */
reply_to?: Seq, } & ({ "type": "message", "body": MessageBody } | { "type": "edit", "body": EditBody } | { "type": "delete", "body": DeleteBody } | { "type": "reaction", "body": ReactionBody } | { "type": "pin", "body": PinBody } | { "type": "member", "body": MemberChange } | { "type": "room", "body": RoomChange } | Emptied);

/**
 * A file that was uploaded.
 *
 * **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
 */
export type FileId = string;

/** A page of messages that were looked for. */
export type Found = {
/** As they are now. */
messages: Array<Message>,
/** Where the next page begins, if there is one. */
next?: string, };

/** The newest position of a room. */
export type Head = {
/** Position of the newest event; 0 is a room without events. */
seq: Seq,
/** Count of messages so far. */
ord: number,
/** When the newest event was written. */
at: Timestamp, };

/** What a client has to know before it says anything. */
export type Hello = {
/** Name and version. */
server: string,
/** Which node. */
node: string,
/** Its wall time. */
time: Timestamp,
/** Silence after which the server pings. */
ping_every_ms: number,
/** The time for `auth`. */
auth_within_ms: number,
/** The bounds that concern clients. */
limits: Limits, };

/** A page of a room. */
export type History = {
/** Ascending by position. */
messages: Array<Message>,
/** The newest position. */
head: Head,
/** Whether there are older ones. */
more_before: boolean,
/** Whether there are newer ones. */
more_after: boolean, };

/** Joins by invitation. */
export type InviteAccept = {
/** Which. */
invite: string, };

/** Makes an invitation. */
export type InviteCreate = {
/** Where to. */
room: RoomId,
/** Good before then; for ever without it. */
expires_at?: Timestamp,
/** How many users it lets in, at least 1; any number without it. */
uses?: number, };

/** An invitation is good from now on. */
export type InviteCreated = {
/** What `invite.accept` takes. */
invite: string,
/** What a person is sent. */
url: string, };

/** Takes an invitation back. */
export type InviteRevoke = {
/** Where to. */
room: RoomId,
/** Which. */
invite: string, };

/** The limits that a client has to know, as `hello` tells them. */
export type Limits = {
/** `FRAME_BYTES`. */
frame_bytes: number,
/** `TEXT_BYTES`. */
text_bytes: number,
/** `BATCH_COMMANDS`. */
batch: number,
/** `IN_FLIGHT`. */
in_flight: number,
/** `OPEN_ROOMS`. */
open_rooms: number,
/** `PAGE`. */
page: number,
/** `REPLAY`. */
replay: number, };

/** How far members have come: by name in small rooms, counted in large ones. */
export type Marks = {
/** The room. */
room: RoomId,
/** The members that moved. */
marks: Array<ReadCursor>, } | {
/** The room. */
room: RoomId,
/** The position. */
through: Seq,
/** The members at it or past it. */
count: number, };

/** A member of a room, as `member.list` gives it. */
export type Member = {
/** Who. */
user: User,
/** What it may do. */
role: Role,
/** Position of the event that added it. */
joined_seq: Seq, };

/** Adds members. */
export type MemberAdd = {
/** Where. */
room: RoomId,
/** Whom. */
users: Array<UserId>,
/** As what; `member` by default. */
role?: Role, };

/** A change of a membership. */
export type MemberChange = {
/** Whose. */
user: UserId,
/** What happened. */
change: Change,
/** The role from then on. */
role?: Role, };

/** Asks for a room's members. */
export type MemberList = {
/** Which. */
room: RoomId,
/** At most 100. */
limit?: number,
/** `next` of the page before. */
cursor?: string, };

/** Removes a member; oneself to leave. */
export type MemberRemove = {
/** Where. */
room: RoomId,
/** Whom. */
user: UserId, };

/** Gives a member another role. */
export type MemberRole = {
/** Where. */
room: RoomId,
/** Whom. */
user: UserId,
/** Which. */
role: Role, };

/** A page of members. */
export type Members = {
/** Ascending by user id. */
members: Array<Member>,
/** Where the next page begins, if there is one. */
next?: string, };

/**
 * Who is to be notified.
 *
 * **Shape**: a user's id, or the text `all`.
 */
export type Mention = "all" | UserId;

/**
 * The state of one message as pages give it: its event and what happened to it since.
 *
 * **Shape**: one object with the event's fields and these.
 */
export type Message = {
/** Position of the last change, 0 if none. */
rev: Seq,
/** When the text was last edited. */
edited_at?: Timestamp,
/** The content is gone. */
deleted?: boolean,
/** One entry a kind, in the order of their bytes. */
reactions: Array<Reaction>,
/** Kept at the top of the room. */
pinned?: boolean,
/** What `reply_to` says now, where the reader may see it. */
quoted?: Quoted,
/** Whose log. */
room: RoomId,
/** Its place: 1, 2, 3 … without a gap. */
seq: Seq,
/** Messages up to and including this event. */
ord: number,
/** When the room ordered it. */
at: Timestamp,
/** Who did it. */
by: UserId,
/** The name the sender gave it. */
client_id?: ClientId,
/** The event that this one changes. */
target?: Seq,
/** The message that this message answers. */
reply_to?: Seq, } & ({ "type": "message", "body": MessageBody } | { "type": "edit", "body": EditBody } | { "type": "delete", "body": DeleteBody } | { "type": "reaction", "body": ReactionBody } | { "type": "pin", "body": PinBody } | { "type": "member", "body": MemberChange } | { "type": "room", "body": RoomChange } | Emptied);

/** What somebody says. */
export type MessageBody = {
/** How it is to be shown. */
kind: BodyKind,
/** The text, at most 16 KiB. */
text?: string,
/** Who is to be notified, at most 50. */
mentions?: Array<Mention>,
/** Files, at most 20. */
attachments?: Array<Attachment>,
/** What the application adds, at most 4 KiB. */
meta?: Meta, };

/** Takes a message's content away. */
export type MessageDelete = {
/** Where. */
room: RoomId,
/** The same again gives the same delete. */
client_id: ClientId,
/** Which. */
target: Seq, };

/** Gives one's own message another body. */
export type MessageEdit = {
/** Where. */
room: RoomId,
/** The same again gives the same edit. */
client_id: ClientId,
/** Which. */
target: Seq,
/** What it says now. */
body: MessageBody,
/** Only if this is its last change. */
rev?: Seq, };

/** Looks for messages in one's own rooms. */
export type MessageSearch = {
/** What for. */
query: string,
/** Only there. */
room?: RoomId,
/** Only by this user. */
from?: UserId,
/** Only older. */
before?: Timestamp,
/** Only of this kind. */
kind?: string,
/** At most 100. */
limit?: number,
/** `next` of the page before. */
cursor?: string, };

/** Says something. */
export type MessageSend = {
/** Where. */
room: RoomId,
/** The same again gives the same message. */
client_id: ClientId,
/** 1 at first, 2, 3 … when it is sent again. */
attempt?: number,
/** What. */
body: MessageBody,
/** The message it answers. */
reply_to?: Seq, };

/**
 * A JSON object of at most `META_BYTES`(crate::limits::META_BYTES), kept as compact JSON text.
 *
 * It is turned into text while it is read, in either codec, and reading stops at the bound: no
 * tree is built of what a stranger sent. What JSON cannot say (binary data, NaN), a key that is there
 * twice, and more than `META_DEPTH`(crate::limits::META_DEPTH) levels are refused.
 */
export type Meta = { [key: string]: unknown };

/** Which messages of a room notify a member. */
export type Notify = "all" | "mentions" | "none";

/** How a stream was joined. */
export type OpenStatus = "replayed" | "reset";

/** A pin. */
export type PinBody = {
/** Set or taken off. */
on: boolean, };

/** Pins a message, or no more. */
export type PinSet = {
/** Where. */
room: RoomId,
/** The same again changes nothing. */
client_id: ClientId,
/** Which. */
target: Seq,
/** Set or taken off. */
on: boolean, };

/** The server's time. */
export type Pong = {
/** When the ping was answered. */
time: Timestamp, };

/** One user's presence. */
export type Presence = {
/** Whose. */
user: UserId,
/** How. */
state: Seen,
/** When it was there last. */
last_seen?: Timestamp,
/** In its own words; only of one that is there. */
status?: string, };

/** Says how one is there. */
export type PresenceSet = {
/** How. */
state: PresenceState,
/** In one's own words, at most 128 characters. */
status?: string, };

/** How somebody is there, as the user sets it. */
export type PresenceState = "online" | "away" | "invisible";

/** Asks to hear whether users are there; replaces the list. */
export type PresenceWatch = {
/** Whom. */
users: Array<UserId>, };

/** The beginning of a message. */
export type Preview = {
/** Whose. */
by: UserId,
/** How it begins: at most 140 characters; empty where it has no text, or none any more. */
text: string, };

/** Changes one's own profile. */
export type ProfileUpdate = {
/** 1 to 64 characters. */
name?: string,
/** 3 to 32 of `a-z 0-9 _ .`. */
handle?: string,
/** At most 1024 characters; an empty text takes it away. */
about?: string,
/** A picture that was uploaded; the nil id takes the picture away. */
avatar?: FileId, };

/** The beginning of the message that another one answers, as it is now. */
export type Quoted = {
/** Whose. */
by: UserId,
/** How it begins: at most 140 characters; absent where it has no text, or none any more. */
text?: string,
/** How it is shown; absent once its content is gone. */
kind?: BodyKind,
/** Its content is gone. */
deleted?: boolean, };

/** How often one emoji was set on a message. */
export type Reaction = {
/** Which. */
emoji: string,
/** By how many. */
count: number,
/** By the reader of this page. */
mine: boolean, };

/** A reaction. */
export type ReactionBody = {
/** Which. */
emoji: string,
/** Set or taken off. */
on: boolean, };

/** Sets an emoji on a message, or takes it off. */
export type ReactionSet = {
/** Where. */
room: RoomId,
/** The same again changes nothing. */
client_id: ClientId,
/** Which. */
target: Seq,
/** What. */
emoji: string,
/** Set or taken off. */
on: boolean, };

/** Where a member has read to. */
export type ReadCursor = {
/** Who. */
user: UserId,
/** Up to where. */
seq: Seq, };

/** Asks who has read a message. */
export type ReadList = {
/** Where. */
room: RoomId,
/** Which. */
seq: Seq, };

/** Says how far one has read. */
export type ReadMark = {
/** Where. */
room: RoomId,
/** Up to here. */
seq: Seq, };

/** How far one has read. */
export type ReadMarked = {
/** Up to here. */
read: Seq,
/** Messages after it. */
unread: number,
/** Of those, the ones that mention one. */
mentions: number, };

/** Who has read a message. */
export type Readers = {
/** How many. */
count: number,
/** The first 100 of them, ascending by id. */
users: Array<UserId>, };

/** What a member may do; each includes the ones after it. */
export type Role = "owner" | "admin" | "member" | "reader";

/** A room as one of its members sees it. */
export type Room = {
/** Which. */
id: RoomId,
/** What for. */
kind: RoomKind,
/** Absent in a direct room and an inbox. */
title?: string,
/** Where the picture is. */
avatar?: string,
/** What the room says of itself. */
about?: string,
/** When its first event was written. */
created_at: Timestamp,
/** How many members it has. */
members: number,
/** Its newest position. */
head: Head,
/** The asking member's own view. */
me: RoomView,
/** The newest message, in `room.list`. */
preview?: Preview, };

/** What a room's description is from then on, as far as it changed. */
export type RoomChange = {
/** What for; in a room's first event only. */
kind?: RoomKind,
/** Its title. */
title?: string,
/** What it says of itself. */
about?: string,
/** Where its picture is; empty where it was taken away. */
avatar?: string, };

/** Asks to hear a room no more. */
export type RoomClose = {
/** Which. */
room: RoomId, };

/** Creates a room. */
export type RoomCreate = {
/** The same again gives the same room. */
client_id: ClientId,
/** `group` or `channel`. */
kind: RoomKind,
/** 1 to 128 characters. */
title: string,
/** Who is in it besides the creator. */
members?: Array<UserId>, };

/** Finds or makes the direct room with a user. */
export type RoomDirect = {
/** The other one. */
user: UserId, };

/** Asks for a room. */
export type RoomGet = {
/** Which. */
room: RoomId, };

/** The news of a room that is not open. */
export type RoomHead = {
/** Which room. */
room: RoomId,
/** Its newest position. */
head: Head,
/** Messages not read. */
unread: number,
/** Of those, the ones that mention this user. */
mentions: number,
/** The newest message. */
preview?: Preview, };

/** Asks for a page of a room; the newest without a bound. */
export type RoomHistory = {
/** Which. */
room: RoomId,
/** Only older. */
before?: Seq,
/** Only newer. */
after?: Seq,
/** Both sides of it. */
around?: Seq,
/** At most 100. */
limit?: number, };

/**
 * A room.
 *
 * **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
 */
export type RoomId = string;

/** What a room is for. */
export type RoomKind = "direct" | "group" | "channel" | "inbox";

/** Asks for one's rooms, newest activity first. */
export type RoomList = {
/** At most 100. */
limit?: number,
/** `next` of the page before. */
cursor?: string, };

/** Asks to hear a room. */
export type RoomOpen = {
/** Which. */
room: RoomId,
/** The last position seen; 0 is the beginning; absent: from the head on. */
after?: Seq, };

/** A room is heard from now on. */
export type RoomOpened = {
/** How. */
status: OpenStatus,
/** The newest position. */
head: Head,
/** The position of the first event that follows; every one after it follows too. */
from: Seq,
/** The room. */
room: Room,
/** Where its members have read to, in rooms of up to 200. */
reads?: Array<ReadCursor>, };

/** Changes one's own view of a room. */
export type RoomSettings = {
/** Which. */
room: RoomId,
/** What notifies. */
notify?: Notify,
/** No notifications until then. */
muted_until?: Timestamp,
/** Kept on top. */
pinned?: boolean,
/** Kept out of the list. */
archived?: boolean, };

/** Changes a room's description. */
export type RoomUpdate = {
/** Which. */
room: RoomId,
/** 1 to 128 characters. */
title?: string,
/** At most 1024 characters. */
about?: string,
/** A picture that was uploaded: its id, or where it is; empty takes the picture away. */
avatar?: string, };

/** One member's own view of a room. */
export type RoomView = {
/** The member's role. */
role: Role,
/** Read up to here. */
read: Seq,
/** Delivered up to here. */
delivered: Seq,
/** Messages after `read`. */
unread: number,
/** Of those, the ones that mention the member. */
mentions: number,
/** No notifications until then. */
muted_until?: Timestamp,
/** What notifies. */
notify: Notify,
/** Kept on top of the list. */
pinned: boolean,
/** Kept out of the list. */
archived: boolean, };

/** A page of one's rooms. */
export type Rooms = {
/** Newest activity first. */
rooms: Array<Room>,
/** Where the next page begins, if there is one. */
next?: string,
/** Unread messages of all rooms, not only of this page. */
total_unread: number, };

/** How somebody is seen to be there. */
export type Seen = "online" | "away" | "offline";

/** A message is durable, at its place. */
export type Sent = {
/** Its position. */
seq: Seq,
/** Messages up to it. */
ord: number,
/** When it was ordered. */
at: Timestamp,
/** It had been there before. */
duplicate?: boolean, };

/**
 * A position in a room's log: 1 is the first event, 0 is before it.
 *
 * Decoding refuses what is above `SAFE_INTEGER`, so that `Seq::next` cannot overflow.
 */
export type Seq = number;

/**
 * Something that the server says unasked.
 *
 * Reading one from MessagePack takes `ev` before `d`, as the server writes them.
 */
export type ServerEvent = { "ev": "hello", "d": Hello } | { "ev": "ready", "d": Authenticated } | { "ev": "room.event", "d": Event } | { "ev": "room.removed", "d": {
/** Which room. */
room: RoomId,
/** The last position that the membership covers. */
seq: Seq, } } | { "ev": "room.lagged", "d": {
/** Which room. */
room: RoomId,
/** Its newest position. */
head: Head, } } | { "ev": "room.head", "d": RoomHead } | { "ev": "read.me", "d": {
/** Where. */
room: RoomId,
/** Up to here. */
read: Seq,
/** Messages after it. */
unread: number,
/** Of those, the ones that mention this user. */
mentions: number, } } | { "ev": "read", "d": Marks } | { "ev": "delivered", "d": Marks } | { "ev": "typing", "d": {
/** Where. */
room: RoomId,
/** Who. */
user: UserId,
/** Begun or ended. */
on: boolean,
/** What is being made. */
kind: Typing, } } | { "ev": "presence", "d": {
/** Each with its new state. */
users: Array<Presence>, } } | { "ev": "error", "d": WireError } | { "ev": "bye", "d": {
/** The close code that follows. */
code: number,
/** Why. */
reason: string,
/** Milliseconds to wait before coming back; full jitter where absent. */
retry_after_ms?: number,
/** Another server to come back to, as scheme and host; the same one where absent. */
url?: string, } };

/**
 * A login session: what a refresh token family belongs to and what a user can revoke.
 *
 * **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
 */
export type SessionId = string;

/** Something is on, or off, as was asked. */
export type Set = {
/** Position of the change; `null`, the only one on the wire, where it was so already. */
seq: Seq | null, };

/**
 * A moment: milliseconds since the Unix epoch, UTC.
 *
 * Decoding refuses what is further away from the epoch than `SAFE_INTEGER`.
 */
export type Timestamp = number;

/** What somebody is making while typing. */
export type Typing = "text" | "audio" | "file";

/** Says that one is typing, or no more. */
export type TypingSet = {
/** Where. */
room: RoomId,
/** Begun or ended. */
on: boolean,
/** What is being made. */
kind?: Typing, };

/** A user as others see it. */
export type User = {
/** Who. */
id: UserId,
/** Unique name: 3 to 32 of `a-z 0-9 _ .`. */
handle: string,
/** Display name, 1 to 64 characters. */
name: string,
/** Where the picture is. */
avatar?: string,
/** What the user says of itself. */
about?: string, };

/** Blocks a user, or no more. */
export type UserBlock = {
/** Whom. */
user: UserId,
/** Set or taken off. */
on: boolean, };

/** Asks for a user. */
export type UserGet = {
/** Whom. */
user: UserId, };

/**
 * A user.
 *
 * **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
 */
export type UserId = string;

/** Looks for users by handle. */
export type UserSearch = {
/** How the handle begins: at least 2 characters, whatever their case, with or without `@`. */
query: string,
/** At most 20. */
limit?: number, };

/** Users that were looked for. */
export type Users = {
/** Ascending by handle. */
users: Array<User>, };

/** How the users are there whom one watches from now on. */
export type Watched = {
/** One entry a user, in the order they were named. */
users: Array<Presence>, };

/** A refusal, as the client reads it. */
export type WireError = {
/** Why, for programs. */
code: ErrorCode,
/** Why, for people. */
message: string,
/** Whether the same again may succeed later. */
retryable: boolean,
/** Milliseconds to wait before that. */
retry_after_ms?: number,
/** What it is about. */
details?: Details, };

/** A change is durable. */
export type Written = {
/** Its position; of the newest event where nothing was left to change. */
seq: Seq, };
