//! Writes down what happens to a client, as the checker wants to read it.

use super::stage::Stage;
use rookery_client::News;
use rookery_protocol::{
    ErrorCode, Event, EventBody, Op, OpenStatus, RawBody, RoomId, Sent, UserId, WireError, Written,
};
use rookery_tests::journal::{Act, Content, Entry, JournalWriter, Owner, Sighting};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::time::Instant;

/// One client's journal, and its share of the measurements.
#[derive(Debug)]
pub(crate) struct Recorder {
    journal: JournalWriter,
    stage: Arc<Stage>,
    user: UserId,
    conn: u32,
}

impl Recorder {
    /// Begins the journal number `number` in `folder`.
    pub(crate) fn create(folder: &Path, number: usize, owner: &Owner, stage: Arc<Stage>) -> io::Result<Self> {
        let journal = JournalWriter::create(&folder.join(format!("client-{number:04}.jsonl")), owner)?;
        Ok(Self { journal, stage, user: owner.user, conn: 0 })
    }

    /// Writes down what is for the checker; rooms that are not played, such as inboxes, are not.
    pub(crate) fn hear(&mut self, news: &News) -> io::Result<()> {
        match news {
            News::Connected { number, .. } => {
                self.conn = *number;
                Ok(())
            }
            News::Sent { at, op, attempt, .. } => self.sent(*at, op, *attempt),
            News::Answered { op, outcome, .. } => self.answered(op, outcome),
            News::PutOff { op, error, .. } => self.refused(op, error.code),
            News::Opened { after, opened } => self.write(
                opened.room.id,
                Act::Open {
                    room: opened.room.id,
                    after: *after,
                    reset: opened.status == OpenStatus::Reset,
                    from: opened.from,
                    head: opened.head.seq,
                },
            ),
            News::Event(event) => {
                if let Some(message) = event.client_id {
                    self.stage.delivered(message);
                }
                self.write(event.room, Act::Recv(sighting(event)))
            }
            News::Paged(event) => self.write(event.room, Act::Read(sighting(event))),
            News::Lagged { room } => self.write(*room, Act::Lagged { room: *room }),
            News::Removed { room, seq } => self.write(*room, Act::Removed { room: *room, seq: *seq }),
            News::Closed(closed) => self.put(Instant::now(), Act::Closed { code: closed.code }),
            News::NotOpened { .. } | News::Refreshed(_) | News::Failed(_) => Ok(()),
        }
    }

    /// Writes what was kept back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.journal.flush()
    }

    fn sent(&mut self, at: Instant, op: &Op, attempt: u32) -> io::Result<()> {
        let Op::MessageSend(send) = op else { return Ok(()) };
        self.stage.sent(send.client_id, at);
        let content = Content {
            by: self.user,
            client_id: Some(send.client_id),
            target: None,
            reply_to: send.reply_to,
            body: &EventBody::Message(send.body.clone()),
        };
        self.put(at, Act::Send { room: send.room, cid: send.client_id, attempt, hash: content.hash() })
    }

    fn answered(&mut self, op: &Op, outcome: &Result<RawBody, WireError>) -> io::Result<()> {
        let body = match outcome {
            Ok(body) => body,
            Err(error) => return self.refused(op, error.code),
        };
        let act = match op {
            Op::MessageSend(send) => {
                let Sent { seq, ord, duplicate, .. } = body.read().map_err(io::Error::other)?;
                self.stage.acked(send.client_id);
                Act::Ack { room: send.room, cid: send.client_id, seq, ord, duplicate }
            }
            Op::MemberAdd(add) => {
                let [user] = add.users[..] else { return Ok(()) };
                let Written { seq } = body.read().map_err(io::Error::other)?;
                Act::Join { room: add.room, user, seq }
            }
            Op::MemberRemove(remove) => {
                let Written { seq } = body.read().map_err(io::Error::other)?;
                Act::Leave { room: remove.room, user: remove.user, seq }
            }
            _ => return Ok(()),
        };
        self.put(Instant::now(), act)
    }

    fn refused(&mut self, op: &Op, code: ErrorCode) -> io::Result<()> {
        let Op::MessageSend(send) = op else { return Ok(()) };
        self.put(Instant::now(), Act::Nack { room: send.room, cid: send.client_id, code })
    }

    fn write(&mut self, room: RoomId, act: Act) -> io::Result<()> {
        if self.stage.room(room).is_some() { self.put(Instant::now(), act) } else { Ok(()) }
    }

    fn put(&mut self, at: Instant, act: Act) -> io::Result<()> {
        self.journal.write(&Entry { t: self.stage.nanos(at), conn: self.conn, act })
    }
}

fn sighting(event: &Event) -> Sighting {
    Sighting {
        room: event.room,
        seq: event.seq,
        ord: event.ord,
        cid: event.client_id,
        hash: Content::from(event).hash(),
    }
}
