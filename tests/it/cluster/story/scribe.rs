//! Writes down what happens to a client, as the checker wants to read it.

use rookery_protocol::{ClientId, Event, EventBody, Message, MessageBody, Room, RoomId, Seq, UserId};
use rookery_protocol::{DeleteBody, EditBody, ReactionBody};
use rookery_tests::journal::{Act, Content, Cursor, Entry, Owner, Shown, Sighting, Standing};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

/// A client's journal, in memory.
#[derive(Debug)]
pub(super) struct Scribe {
    owner: Owner,
    entries: Vec<Entry>,
    pub(super) room: RoomId,
    started: Instant,
    pub(super) conn: u32,
}

/// A command that was sent.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) op: &'static str,
    pub(super) d: Value,
    pub(super) attempt: u32,
    /// In which order the client has thought of it.
    pub(super) order: u64,
    pub(super) at: u64,
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Reads an event or an entry of a page, whose `type` has to come before its `body`.
fn read_event<T: DeserializeOwned>(value: &Value) -> T {
    let rest = value.to_string();
    let text = format!(r#"{{"type":{},{}"#, value["type"], &rest[1..]);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Scribe {
    pub(super) fn new(client: &str, user: UserId, room: RoomId, started: Instant) -> Self {
        let owner = Owner { client: client.to_owned(), user };
        Self { owner, entries: Vec::new(), room, started, conn: 0 }
    }

    pub(super) fn user(&self) -> UserId {
        self.owner.user
    }

    pub(super) fn end(self) -> (Owner, Vec<Entry>) {
        (self.owner, self.entries)
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap()
    }

    pub(super) fn put(&mut self, act: Act) {
        let t = self.now();
        self.entries.push(Entry { t, conn: self.conn, act });
    }

    /// A command is about to be sent.
    pub(super) fn sends(&mut self, asked: &Asked) {
        let (room, d) = (self.room, &asked.d);
        let (target, body) = match asked.op {
            "message.send" => (None, EventBody::Message(read::<MessageBody>(&d["body"]))),
            "message.edit" => {
                (Some(read(&d["target"])), EventBody::Edit(EditBody { body: read(&d["body"]) }))
            }
            "message.delete" => (Some(read(&d["target"])), EventBody::Delete(DeleteBody {})),
            "reaction.set" => {
                let body = ReactionBody { emoji: read(&d["emoji"]), on: read(&d["on"]) };
                (Some(read(&d["target"])), EventBody::Reaction(body))
            }
            "read.mark" => return self.put(Act::Mark { room, cursor: Cursor::Read, seq: read(&d["seq"]) }),
            "typing.set" => return self.put(Act::Type { room }),
            _ => return,
        };
        let cid: ClientId = read(&d["client_id"]);
        let content =
            Content { by: self.owner.user, client_id: Some(cid), target, reply_to: None, body: &body };
        let (hash, said) = (content.hash(), content.said());
        self.put(Act::Send { room, cid, attempt: asked.attempt, hash, said });
    }

    /// A command was done.
    pub(super) fn done(&mut self, asked: &Asked, ok: &Value) {
        let (room, d) = (self.room, &asked.d);
        let stand =
            Standing { room, asked: Some(asked.at), head: None, marked: None, read: None, delivered: None };
        let act = match asked.op {
            "message.send" => Act::Ack {
                room,
                cid: read(&d["client_id"]),
                seq: read(&ok["seq"]),
                ord: Some(read(&ok["ord"])),
                duplicate: ok["duplicate"] == true,
            },
            "message.edit" | "message.delete" | "reaction.set" => {
                let cid = read(&d["client_id"]);
                match read::<Option<Seq>>(&ok["seq"]) {
                    Some(seq) => Act::Ack { room, cid, seq, ord: None, duplicate: ok["duplicate"] == true },
                    None => Act::Kept { room, cid },
                }
            }
            "read.mark" => {
                let marked = Some((Cursor::Read, read(&d["seq"])));
                Act::Stand(Standing { marked, read: Some(counts(ok)), ..stand })
            }
            "room.get" => {
                let Room { head, me, .. } = read(ok);
                Act::Stand(Standing {
                    head: Some(head.seq),
                    read: Some((me.read, me.unread, me.mentions)),
                    delivered: Some(me.delivered),
                    ..stand
                })
            }
            "room.history" => {
                let head: Seq = read(&ok["head"]["seq"]);
                for message in ok["messages"].as_array().unwrap() {
                    let shown = Shown::new(&read_event::<Message>(message), asked.at, head);
                    self.put(Act::Read(Box::new(shown)));
                }
                return;
            }
            "member.add" => Act::Join { room, user: read(&d["users"][0]), seq: read(&ok["seq"]) },
            "member.remove" => Act::Leave { room, user: read(&d["user"]), seq: read(&ok["seq"]) },
            "room.open" => Act::Open {
                room,
                after: read(&d["after"]),
                reset: ok["status"] == "reset",
                from: read(&ok["from"]),
                head: read(&ok["head"]["seq"]),
                asked: asked.at,
            },
            _ => return,
        };
        self.put(act);
    }

    /// A command was refused.
    pub(super) fn refused(&mut self, asked: &Asked, error: &Value) {
        if let Some(cid) = asked.d.get("client_id") {
            self.put(Act::Nack { room: self.room, cid: read(cid), code: read(&error["code"]) });
        }
    }

    /// Something came unasked. Returns the position of the event, if it was one of the room.
    pub(super) fn heard(&mut self, ev: &str, d: &Value) -> Option<Seq> {
        if d["room"] != serde_json::json!(self.room) {
            return None;
        }
        let room = self.room;
        let act = match ev {
            "room.event" => {
                let event: Event = read_event(d);
                self.put(Act::Recv(Sighting::from(&event)));
                return Some(event.seq);
            }
            "room.lagged" => Act::Lagged { room },
            "room.removed" => Act::Removed { room, seq: read(&d["seq"]) },
            "typing" => Act::Typing { room, user: read(&d["user"]) },
            "read.me" => {
                let read = Some(counts(d));
                Act::Stand(Standing { room, asked: None, head: None, marked: None, read, delivered: None })
            }
            "read" => {
                for mark in d["marks"].as_array().into_iter().flatten() {
                    let (user, seq) = (read(&mark["user"]), read(&mark["seq"]));
                    self.put(Act::Progress { room, user, cursor: Cursor::Read, seq });
                }
                return None;
            }
            _ => return None,
        };
        self.put(act);
        None
    }
}

fn counts(value: &Value) -> (Seq, u64, u64) {
    (read(&value["read"]), read(&value["unread"]), read(&value["mentions"]))
}
