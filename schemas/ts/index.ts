// Made of the server's own types by `UPDATE=1 cargo test -p rookery-protocol`. Do not edit.

import type * as Types from "./types";

export type * from "./types";

/** The fields of each op. */
export interface Fields {
  "ping": undefined;
  "auth": Types.Auth;
  "room.create": Types.RoomCreate;
  "room.direct": Types.RoomDirect;
  "room.get": Types.RoomGet;
  "room.update": Types.RoomUpdate;
  "room.list": Types.RoomList;
  "room.open": Types.RoomOpen;
  "room.close": Types.RoomClose;
  "room.history": Types.RoomHistory;
  "room.settings": Types.RoomSettings;
  "member.list": Types.MemberList;
  "member.add": Types.MemberAdd;
  "member.remove": Types.MemberRemove;
  "member.role": Types.MemberRole;
  "invite.create": Types.InviteCreate;
  "invite.revoke": Types.InviteRevoke;
  "invite.accept": Types.InviteAccept;
  "user.get": Types.UserGet;
  "user.search": Types.UserSearch;
  "user.block": Types.UserBlock;
  "profile.update": Types.ProfileUpdate;
  "message.send": Types.MessageSend;
  "message.edit": Types.MessageEdit;
  "message.delete": Types.MessageDelete;
  "reaction.set": Types.ReactionSet;
  "pin.set": Types.PinSet;
  "message.search": Types.MessageSearch;
  "read.mark": Types.ReadMark;
  "read.list": Types.ReadList;
  "delivered.mark": Types.DeliveredMark;
  "typing.set": Types.TypingSet;
  "presence.watch": Types.PresenceWatch;
  "presence.set": Types.PresenceSet;
}

/** What is in `ok` of the reply to each op. */
export interface Replies {
  "ping": Types.Pong;
  "auth": Types.Authenticated;
  "room.create": Types.Room;
  "room.direct": Types.Room;
  "room.get": Types.Room;
  "room.update": Types.Room;
  "room.list": Types.Rooms;
  "room.open": Types.RoomOpened;
  "room.close": Types.Empty;
  "room.history": Types.History;
  "room.settings": Types.RoomView;
  "member.list": Types.Members;
  "member.add": Types.Written;
  "member.remove": Types.Written;
  "member.role": Types.Written;
  "invite.create": Types.InviteCreated;
  "invite.revoke": Types.Empty;
  "invite.accept": Types.Room;
  "user.get": Types.User;
  "user.search": Types.Users;
  "user.block": Types.Empty;
  "profile.update": Types.User;
  "message.send": Types.Sent;
  "message.edit": Types.Changed;
  "message.delete": Types.Changed;
  "reaction.set": Types.Set;
  "pin.set": Types.Set;
  "message.search": Types.Found;
  "read.mark": Types.ReadMarked;
  "read.list": Types.Readers;
  "delivered.mark": Types.Empty;
  "typing.set": Types.Empty;
  "presence.watch": Types.Watched;
  "presence.set": Types.Empty;
}

/** The name of an op. */
export type OpName = keyof Fields;

/** One command: of any op, or of the one that is named. */
export type Command<O extends OpName = OpName> = {
  [Name in O]: Fields[Name] extends undefined
    ? { id: number; op: Name }
    : { id: number; op: Name; d: Fields[Name] };
}[O];

/** The one answer to a command. */
export type Reply<O extends OpName = OpName> =
  | { id: number; ok: Replies[O] }
  | { id: number; err: Types.WireError };

/** The name of an event. */
export type EventName = Types.ServerEvent["ev"];

/** The content of an event. */
export type EventOf<E extends EventName> = Extract<Types.ServerEvent, { ev: E }>["d"];

/** Whatever the server sends. */
export type ServerFrame = Reply | Types.ServerEvent;
