// What the types have to allow, and what they have to refuse.
import type { Command, EventOf, OpName, Replies, Reply, ServerEvent, ServerFrame } from "./ts/index";

/** Sends any command; the kind of the answer follows from the op. */
declare function call<O extends OpName>(op: O, command: Command<O>): Promise<Replies[O]>;

export async function told(room: string): Promise<string> {
  const sent = await call("message.send", {
    id: 1,
    op: "message.send",
    d: { room, client_id: "0193a1b3-0000-7000-8000-000000000002", body: { kind: "text", text: "hi" } },
  });
  const pinned = await call("pin.set", { id: 2, op: "pin.set", d: { room, client_id: "…", target: sent.seq, on: true } });
  // `null`: it was pinned already.
  const at: number = pinned.seq ?? sent.seq;
  const { time } = await call("ping", { id: 3, op: "ping" });
  return `${sent.seq} ${at} ${time} ${sent.duplicate === true}`;
}

/** Reads an event by its name, and an entry of a room's log by its type. */
export function read(event: ServerEvent): string {
  switch (event.ev) {
    case "hello":
      return event.d.server;
    case "room.event": {
      const entry = event.d;
      switch (entry.type) {
        case "message":
          return entry.body.text ?? "";
        case "member":
          return entry.body.user;
        case "room":
          return entry.body.title ?? "";
        case "edit":
          return entry.body.body.text ?? "";
        case "reaction":
          return entry.body.emoji;
        case "pin":
          return String(entry.body.on);
        case "delete":
          return String(entry.target);
      }
      // Every type is above.
      return entry;
    }
    case "room.lagged":
      return String(event.d.head.seq);
    default:
      return event.ev;
  }
}

export function frame(said: ServerFrame): string {
  if ("ev" in said) {
    return read(said);
  }
  return "err" in said ? said.err.code : String(said.id);
}

export const lagged = (d: EventOf<"room.lagged">): number => d.head.seq;

// @ts-expect-error an op that is not there
export type NoOp = Command<"room.paint">;
// @ts-expect-error a field that is missing
export const noRoom: Command<"room.get"> = { id: 1, op: "room.get", d: {} };
// @ts-expect-error a field that is not there
export const misspelt: Command<"room.get"> = { id: 1, op: "room.get", d: { room: "…", rom: "…" } };
// @ts-expect-error the reply of another op
export const wrongReply: Reply<"ping"> = { id: 1, ok: { seq: 1 } };
// @ts-expect-error an absent field is left out
export const nothing: Command<"room.list"> = { id: 1, op: "room.list", d: { limit: null } };
