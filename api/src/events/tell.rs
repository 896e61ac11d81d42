//! Each frame of a stream's outbox as text, and what it changes: positions move, rooms come and go, and
//! one that this reader lagged behind is opened again from where it was.

use super::positions::Positions;
use crate::served::Served;
use bytes::Bytes;
use rookery_actors::{Arrival, SessionMessage};
use rookery_protocol::{
    CloseCode, Command, CommandId, ErrorCode, Frame, Op, RoomId, RoomOpen, Seq, ServerEvent, WireError,
    websocket_payload,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt::Write;

/// What a stream has told and has still to tell.
pub(super) struct Telling {
    positions: Positions,
    hearing: Vec<Hearing>,
    /// Told and not taken yet.
    text: String,
    has_said_bye: bool,
}

/// How it is with one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    /// It is being opened; an event of it is from before, and comes again. The position is that of the
    /// lag it is opened again for, if it is.
    Opening(Option<Seq>),
    /// It is heard. The position is that of the last lag.
    Open(Option<Seq>),
    /// This reader is no member any more.
    Gone,
}

/// A reply or an event.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(default)]
    id: Option<CommandId>,
    #[serde(default)]
    err: Option<WireError>,
    #[serde(borrow, default)]
    ok: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ev: Option<&'a str>,
    #[serde(borrow, default)]
    d: Option<&'a RawValue>,
}

/// What of `room.open`'s reply matters here.
#[derive(Deserialize)]
struct Opened {
    from: Seq,
}

/// What of an event matters here.
#[derive(Deserialize)]
struct About {
    #[serde(default)]
    room: Option<RoomId>,
    #[serde(default)]
    seq: Option<Seq>,
    #[serde(default)]
    retry_after_ms: Option<u32>,
}

impl Telling {
    /// Begins with how long a browser waits before it comes back.
    pub(super) fn new(positions: Positions, retry_ms: u32) -> Self {
        let hearing = positions.rooms().map(|_| Hearing::Opening(None)).collect();
        Self { positions, hearing, text: format!("retry: {retry_ms}\n\n"), has_said_bye: false }
    }

    /// Opens every room.
    fn open_all(&mut self, served: &Served) {
        for index in 0..self.hearing.len() {
            self.open(index, served);
        }
    }

    /// Returns the bytes that wait to be taken.
    pub(super) const fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes what was told.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.text).into()
    }

    pub(super) const fn has_said_bye(&self) -> bool {
        self.has_said_bye
    }

    /// Tells one frame.
    pub(super) fn tell(&mut self, frame: &[u8], served: &Served) {
        let Some(payload) = websocket_payload(frame) else {
            // The sweeper's ping: it keeps proxies from taking the stream for dead.
            return self.text.push_str(":\n\n");
        };
        match serde_json::from_slice(payload) {
            Ok(Said { id: Some(id), ok: Some(ok), .. }) => self.opened(id, ok),
            Ok(Said { id: Some(id), err: Some(error), .. }) => self.not_opened(id, &error, served),
            Ok(Said { ev: Some(event), d: Some(content), .. }) => self.event(event, content, served),
            _ => tracing::error!("an event stream was given what is neither a reply nor an event"),
        }
    }

    fn opened(&mut self, id: CommandId, ok: &RawValue) {
        let index = index_of(id);
        let (Ok(Opened { from }), Some(hearing)) =
            (serde_json::from_str(ok.get()), self.hearing.get_mut(index))
        else {
            return;
        };
        *hearing = match *hearing {
            Hearing::Opening(lag) | Hearing::Open(lag) => Hearing::Open(lag),
            Hearing::Gone => return,
        };
        self.positions.set(index, Seq(from.0.saturating_sub(1)));
        self.write("room.opened", ok, Resumable::Yes);
    }

    fn not_opened(&mut self, id: CommandId, error: &WireError, served: &Served) {
        let index = index_of(id);
        let Some((room, seen)) = self.positions.get(index) else { return };
        if error.code == ErrorCode::NotFound {
            self.hearing[index] = Hearing::Gone;
            let seq = seen.unwrap_or(Seq::ZERO);
            let gone = serde_json::json!({ "room": room, "seq": seq });
            let gone = serde_json::value::to_raw_value(&gone).expect("an object can be encoded");
            return self.write("room.removed", &gone, Resumable::No);
        }
        end(served, error.retry_after_ms);
    }

    fn event(&mut self, event: &str, content: &RawValue, served: &Served) {
        let Ok(about) = serde_json::from_str::<About>(content.get()) else { return };
        let index = about.room.and_then(|room| self.positions.index(room));
        match (event, index) {
            // The user's inbox is open on every connection, and told only where it was asked for.
            ("room.event" | "room.removed" | "room.lagged", None) => {}
            ("room.event", Some(index)) => {
                let seen = self.positions.get(index).and_then(|(_, seen)| seen);
                if let (Hearing::Open(_), Some(seq)) = (self.hearing[index], about.seq)
                    && Some(seq) > seen
                {
                    self.positions.set(index, seq);
                    self.write(event, content, Resumable::Yes);
                }
            }
            ("room.removed", Some(index)) => {
                self.hearing[index] = Hearing::Gone;
                self.write(event, content, Resumable::No);
            }
            ("room.lagged", Some(index)) => self.lagged(index, content, served),
            ("ready", _) => {
                self.write(event, content, Resumable::No);
                self.open_all(served);
            }
            ("error", _) => {
                // An `EventSource` takes an event of this name for a broken connection.
                end(served, about.retry_after_ms);
            }
            ("bye", _) => {
                self.has_said_bye = true;
                if let Some(millis) = about.retry_after_ms {
                    writeln!(self.text, "retry: {millis}").expect("a string takes text");
                }
                self.write(event, content, Resumable::No);
            }
            _ => self.write(event, content, Resumable::No),
        }
    }

    /// Opens the room again from where this reader is. One that has not come on since the last time
    /// leaves, and comes back in its own time: whatever stands in its way is not gone at once.
    fn lagged(&mut self, index: usize, content: &RawValue, served: &Served) {
        let seen = self.positions.get(index).and_then(|(_, seen)| seen);
        let before = match self.hearing[index] {
            Hearing::Open(before) => before,
            // From before it was opened, or of no concern any more.
            Hearing::Opening(_) | Hearing::Gone => return,
        };
        if before.is_some() && before == seen {
            return end(served, None);
        }
        self.write("room.lagged", content, Resumable::No);
        self.hearing[index] = Hearing::Opening(seen);
        self.open(index, served);
    }

    fn open(&mut self, index: usize, served: &Served) {
        let (Some((room, after)), Some(credit)) =
            (self.positions.get(index), served.connection().credits().take())
        else {
            // There is a credit for every room of a stream, and one comes back with each reply.
            return end(served, None);
        };
        let id = CommandId::try_from(index + 1).unwrap_or(CommandId::MAX);
        let command = Command { id, op: Op::RoomOpen(RoomOpen { room, after }) };
        // A session that has died closes the connection by itself.
        let now = served.node().clock().elapsed();
        let arrival = Arrival { read: now, sent: now };
        served.session().tell(SessionMessage::Command(command, credit, arrival));
    }

    /// Writes one event. Its content is one line: JSON escapes line ends within text.
    fn write(&mut self, event: &str, content: &RawValue, resumable: Resumable) {
        if resumable == Resumable::Yes {
            self.text.push_str("id: ");
            self.positions.write_id(&mut self.text);
            self.text.push('\n');
        }
        write!(self.text, "event: {event}\ndata: {}\n\n", content.get()).expect("a string takes text");
    }
}

/// Whether a reader can come back to where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resumable {
    Yes,
    No,
}

fn index_of(id: CommandId) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX).saturating_sub(1)
}

/// Ends the stream; its reader comes back to where it was.
fn end(served: &Served, retry_after_ms: Option<u32>) {
    let code = CloseCode::StateLost;
    let bye = Frame::server(ServerEvent::bye(code, retry_after_ms));
    served.connection().close(code, Some(&bye), served.node().clock().elapsed());
}
