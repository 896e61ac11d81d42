//! Writes down what happens to a client, as the checker wants to read it.

use super::stage::Stage;
use rookery_client::{Handle, News, Signal};
use rookery_protocol::{
    Changed, ClientId, DeleteBody, EditBody, ErrorCode, EventBody, History, Marks, Op, OpenStatus, PinBody,
    RawBody, ReactionBody, ReadMarked, Room, RoomId, Sent, Seq, Set, UserId, WireError, Written,
};
use rookery_tests::journal::{Act, Content, Cursor, Entry, JournalWriter, Owner, Shown, Sighting, Standing};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
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
    /// Whether what it hears counts as delivered: not where it reads again what was said long ago.
    is_measured: bool,
    /// When what is not answered yet was last sent.
    asked: HashMap<Handle, Instant>,
}

impl Recorder {
    /// Begins the journal number `number` in `folder`.
    pub(crate) fn create(folder: &Path, number: usize, owner: &Owner, stage: Arc<Stage>) -> io::Result<Self> {
        let journal = JournalWriter::create(&folder.join(format!("client-{number:04}.jsonl")), owner)?;
        Ok(Self { journal, stage, user: owner.user, conn: 0, is_measured: true, asked: HashMap::new() })
    }

    /// Leaves what it hears out of the measurements.
    pub(crate) fn unmeasured(self) -> Self {
        Self { is_measured: false, ..self }
    }

    /// Writes down what is for the checker; rooms that are not played, such as inboxes, are not.
    pub(crate) fn hear(&mut self, news: &News) -> io::Result<()> {
        match news {
            News::Connected { number, .. } => {
                self.conn = *number;
                Ok(())
            }
            News::Sent { at, handle, op, attempt } => {
                self.asked.insert(*handle, *at);
                self.sent(*at, op, *attempt)
            }
            News::Answered { handle, op, outcome } => {
                let asked = self.asked.remove(handle).unwrap_or_else(Instant::now);
                self.answered(asked, op, outcome)
            }
            News::PutOff { op, error, .. } => self.refused(op, error.code),
            News::Opened { after, asked, opened } => self.write(
                opened.room.id,
                Act::Open {
                    room: opened.room.id,
                    after: *after,
                    reset: opened.status == OpenStatus::Reset,
                    from: opened.from,
                    head: opened.head.seq,
                    asked: self.stage.nanos(*asked),
                },
            ),
            News::Event(event) => {
                if let Some(message) = event.client_id.filter(|_| self.is_measured) {
                    self.stage.delivered(message);
                }
                self.write(event.room, Act::Recv(Sighting::from(event.as_ref())))
            }
            News::Paged { asked, head, message } => {
                let shown = Shown::new(message, self.stage.nanos(*asked), *head);
                self.write(message.event.room, Act::Read(Box::new(shown)))
            }
            News::Signal(signal) => self.signal(signal),
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

    /// Writes down a page that was asked for at `asked`.
    pub(crate) fn page(&mut self, asked: Instant, page: &History) -> io::Result<()> {
        let asked = self.stage.nanos(asked);
        for message in &page.messages {
            let shown = Shown::new(message, asked, page.head.seq);
            self.write(message.event.room, Act::Read(Box::new(shown)))?;
        }
        Ok(())
    }

    /// Returns the rooms that are written down.
    pub(crate) fn rooms(&self) -> &[RoomId] {
        &self.stage.rooms
    }

    fn sent(&mut self, at: Instant, op: &Op, attempt: u32) -> io::Result<()> {
        let (target, reply_to, body) = match op {
            Op::MessageSend(send) => {
                self.stage.sent(send.client_id, at);
                (None, send.reply_to, EventBody::Message(send.body.clone()))
            }
            Op::MessageEdit(edit) => {
                (Some(edit.target), None, EventBody::Edit(EditBody { body: edit.body.clone() }))
            }
            Op::MessageDelete(delete) => (Some(delete.target), None, EventBody::Delete(DeleteBody {})),
            Op::ReactionSet(set) => {
                let body = ReactionBody { emoji: set.emoji.clone(), on: set.on };
                (Some(set.target), None, EventBody::Reaction(body))
            }
            Op::PinSet(set) => (Some(set.target), None, EventBody::Pin(PinBody { on: set.on })),
            Op::ReadMark(mark) => {
                return self.put(at, Act::Mark { room: mark.room, cursor: Cursor::Read, seq: mark.seq });
            }
            Op::DeliveredMark(mark) => {
                let cursor = Cursor::Delivered;
                return self.put(at, Act::Mark { room: mark.room, cursor, seq: mark.seq });
            }
            Op::TypingSet(typing) => return self.put(at, Act::Type { room: typing.room }),
            _ => return Ok(()),
        };
        let Some((room, cid)) = named(op) else { return Ok(()) };
        let content = Content { by: self.user, client_id: Some(cid), target, reply_to, body: &body };
        let (hash, said) = (content.hash(), content.said());
        self.put(at, Act::Send { room, cid, attempt, hash, said })
    }

    fn answered(&mut self, asked: Instant, op: &Op, outcome: &Result<RawBody, WireError>) -> io::Result<()> {
        let body = match outcome {
            Ok(body) => body,
            Err(error) => return self.refused(op, error.code),
        };
        let asked = Some(self.stage.nanos(asked));
        let stand = |room| Standing { room, asked, head: None, marked: None, read: None, delivered: None };
        let act = match op {
            Op::MessageSend(send) => {
                let Sent { seq, ord, duplicate, .. } = read(body)?;
                self.stage.acked(send.client_id);
                Act::Ack { room: send.room, cid: send.client_id, seq, ord: Some(ord), duplicate }
            }
            Op::MessageEdit(_) | Op::MessageDelete(_) => {
                let Changed { seq, duplicate, .. } = read(body)?;
                return self.changed(op, Some(seq), duplicate);
            }
            Op::ReactionSet(_) | Op::PinSet(_) => {
                let Set { seq } = read(body)?;
                return self.changed(op, seq, false);
            }
            Op::ReadMark(mark) => {
                let marked = Some((Cursor::Read, mark.seq));
                Act::Stand(Standing { marked, read: Some(counts(read(body)?)), ..stand(mark.room) })
            }
            Op::DeliveredMark(mark) => {
                Act::Stand(Standing { marked: Some((Cursor::Delivered, mark.seq)), ..stand(mark.room) })
            }
            Op::RoomGet(get) => {
                let Room { head, me, .. } = read(body)?;
                Act::Stand(Standing {
                    head: Some(head.seq),
                    read: Some((me.read, me.unread, me.mentions)),
                    delivered: Some(me.delivered),
                    ..stand(get.room)
                })
            }
            Op::RoomHistory(history) => {
                let page: History = read(body)?;
                let Some(asked) = asked else { return Ok(()) };
                for message in &page.messages {
                    let shown = Shown::new(message, asked, page.head.seq);
                    self.write(history.room, Act::Read(Box::new(shown)))?;
                }
                return Ok(());
            }
            Op::MemberAdd(add) => {
                let [user] = add.users[..] else { return Ok(()) };
                let Written { seq } = read(body)?;
                Act::Join { room: add.room, user, seq }
            }
            Op::MemberRemove(remove) => {
                let Written { seq } = read(body)?;
                Act::Leave { room: remove.room, user: remove.user, seq }
            }
            _ => return Ok(()),
        };
        self.put(Instant::now(), act)
    }

    fn changed(&mut self, op: &Op, seq: Option<Seq>, duplicate: bool) -> io::Result<()> {
        let Some((room, cid)) = named(op) else { return Ok(()) };
        let act =
            seq.map_or(Act::Kept { room, cid }, |seq| Act::Ack { room, cid, seq, ord: None, duplicate });
        self.put(Instant::now(), act)
    }

    fn refused(&mut self, op: &Op, code: ErrorCode) -> io::Result<()> {
        let Some((room, cid)) = named(op) else { return Ok(()) };
        self.put(Instant::now(), Act::Nack { room, cid, code })
    }

    fn signal(&mut self, signal: &Signal) -> io::Result<()> {
        match signal {
            Signal::ReadMe { room, marked } => {
                let read = Some(counts(*marked));
                let stand =
                    Standing { room: *room, asked: None, head: None, marked: None, read, delivered: None };
                self.write(*room, Act::Stand(stand))
            }
            Signal::Read(marks) => self.progress(Cursor::Read, marks),
            Signal::Delivered(marks) => self.progress(Cursor::Delivered, marks),
            Signal::Typing { room, user, .. } => self.write(*room, Act::Typing { room: *room, user: *user }),
        }
    }

    /// Who has come where is written down; how many have is not.
    fn progress(&mut self, cursor: Cursor, marks: &Marks) -> io::Result<()> {
        let Marks::Named { room, marks } = marks else { return Ok(()) };
        for mark in marks {
            self.write(*room, Act::Progress { room: *room, user: mark.user, cursor, seq: mark.seq })?;
        }
        Ok(())
    }

    fn write(&mut self, room: RoomId, act: Act) -> io::Result<()> {
        if self.stage.room(room).is_some() { self.put(Instant::now(), act) } else { Ok(()) }
    }

    fn put(&mut self, at: Instant, act: Act) -> io::Result<()> {
        self.journal.write(&Entry { t: self.stage.nanos(at), conn: self.conn, act })
    }
}

fn read<T: DeserializeOwned>(body: &RawBody) -> io::Result<T> {
    body.read().map_err(io::Error::other)
}

fn counts(ReadMarked { read, unread, mentions }: ReadMarked) -> (Seq, u64, u64) {
    (read, unread, mentions)
}

/// Returns where a write goes and the name it has, if it has one.
fn named(op: &Op) -> Option<(RoomId, ClientId)> {
    match op {
        Op::MessageSend(send) => Some((send.room, send.client_id)),
        Op::MessageEdit(edit) => Some((edit.room, edit.client_id)),
        Op::MessageDelete(delete) => Some((delete.room, delete.client_id)),
        Op::ReactionSet(set) => Some((set.room, set.client_id)),
        Op::PinSet(set) => Some((set.room, set.client_id)),
        _ => None,
    }
}
