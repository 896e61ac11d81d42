//! What came from the server.

use super::Worker;
use super::come::{AUTH, OPEN};
use super::connection::{Connection, Stage};
use super::socket;
use crate::clock;
use crate::wire::masked;
use crate::wire::peek::{Id, Said, peek};
use crate::wire::split::{Split, split};
use crate::wire::stamp::Stamp;
use rookery_protocol::{Codec, Command, Op, OpenStatus, ServerEvent, ServerFrame};
use serde::Deserialize;

/// What a client has to know of the reply to `room.open`.
#[derive(Debug, Deserialize)]
struct Opened {
    status: OpenStatus,
    from: u64,
}

impl Worker {
    /// Reads once from a socket, and deals with all whole frames.
    pub(super) fn read(&mut self, number: usize) {
        let Some(connection) = self.connections.get_mut(number) else { return };
        let Some(socket) = &connection.socket else { return };
        if connection.stage == Stage::Stopped {
            return self.break_off(number, "a stopped reader was cut off", None);
        }
        let held = connection.partial.len();
        // Out of its place, so that what is in it can be dealt with.
        let mut scratch = std::mem::take(&mut self.scratch);
        match socket::read(socket, &mut scratch[held..]) {
            Ok(None) => {}
            Ok(Some(0)) => self.break_off(number, "the server hung up", None),
            Ok(Some(read)) => {
                scratch[..held].copy_from_slice(&connection.partial);
                connection.partial = Vec::new();
                self.tally.whole.reads += 1;
                self.tally.whole.bytes_in += read as u64;
                let bytes = &scratch[..held + read];
                let taken = self.deal_with(number, bytes);
                let connection = &mut self.connections[number];
                if taken < bytes.len() && connection.socket.is_some() {
                    connection.partial = bytes[taken..].to_vec();
                }
            }
            Err(error) => self.break_off(number, &format!("read: {error}"), None),
        }
        self.scratch = scratch;
    }

    /// Returns how many of the bytes were dealt with.
    fn deal_with(&mut self, number: usize, bytes: &[u8]) -> usize {
        let now = clock::now();
        let mut at = 0;
        if self.connections[number].stage == Stage::Handshake {
            at = self.shake_hands(number, bytes).unwrap_or(0);
        }
        while at < bytes.len() && !matches!(self.connections[number].stage, Stage::Away | Stage::Handshake) {
            match split(&bytes[at..]) {
                Split::Frame(first, payload, taken) => {
                    at += taken;
                    self.frame(number, first, payload, now);
                }
                Split::Part => break,
                Split::Broken => self.break_off(number, "the server broke the framing", None),
            }
        }
        at
    }

    fn frame(&mut self, number: usize, first: u8, payload: &[u8], now: u64) {
        match first {
            masked::TEXT | masked::BINARY => match peek(self.ground.codec.into(), payload) {
                Some(Said::Event { room, seq, text }) => self.event(number, room, seq, text, now),
                Some(Said::Done { id, seq }) => self.done(number, id, seq, payload, now),
                Some(Said::Refused { id }) => self.refused(number, id, payload, now),
                Some(Said::Other) => self.other(number, payload),
                None => self.break_off(number, "a frame that cannot be read", None),
            },
            masked::PING => self.write(number, masked::PONG, payload),
            masked::CLOSE => {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                let wait = self.connections[number].retry_after.take();
                self.break_off(number, &format!("close {code}"), wait);
            }
            _ => {}
        }
    }

    fn event(&mut self, number: usize, room: Id, seq: u64, text: Option<&[u8]>, now: u64) {
        let Some(room) = self.tally.room(room) else { return self.tally.of_inboxes += 1 };
        let Some(subscription) = self.connections[number].subscription(room) else {
            return self.tally.notice("an event of a room that was not opened");
        };
        let heard = subscription.position.hear(seq, &mut self.tally.faults);
        let stamped = match text.map(Stamp::read) {
            Some(None) => {
                self.tally.faults.damaged += 1;
                None
            }
            Some(stamped) => stamped,
            None => None,
        };
        if let Some(done) = self.tally.deliver(room, seq, heard, stamped, now) {
            self.publishing.is_free(done);
        }
    }

    fn done(&mut self, number: usize, id: u32, seq: Option<u64>, payload: &[u8], now: u64) {
        match id {
            AUTH => self.open_rooms(number),
            OPEN.. => {
                let body = match Codec::from(self.ground.codec).decode_server(payload) {
                    Ok(ServerFrame::Ok { body, .. }) => body.read::<Opened>(),
                    _ => return self.tally.notice("a reply to `room.open` that cannot be read"),
                };
                let Ok(opened) = body else {
                    return self.tally.notice("a reply to `room.open` that cannot be read");
                };
                self.opened(number, (id - OPEN) as usize, &opened);
            }
            _ => self.acked(number, id, seq, now),
        }
    }

    fn opened(&mut self, number: usize, place: usize, opened: &Opened) {
        let connection = &mut self.connections[number];
        let Some(subscription) = connection.subscriptions.get_mut(place) else { return };
        let next = subscription.position.last().map(|last| last + 1);
        if next.is_some() {
            self.tally.resumed += 1;
        }
        if let Some(next) = next.filter(|next| *next != opened.from) {
            let why =
                if opened.status == OpenStatus::Reset { "reset" } else { "resumed from another position" };
            self.tally.notice(why);
            // Too far behind for a stream: what is between would be fetched page by page, and is not checked here.
            self.tally.faults.lost += opened.from.saturating_sub(next);
        }
        subscription.position.begin(opened.from);
        if connection.stage == Stage::Opening {
            connection.opened += 1;
            self.open_rooms(number);
        }
    }

    fn refused(&mut self, number: usize, id: u32, payload: &[u8], now: u64) {
        let Ok(ServerFrame::Err { error, .. }) = Codec::from(self.ground.codec).decode_server(payload) else {
            return self.break_off(number, "a reply that cannot be read", None);
        };
        if (AUTH + 1..OPEN).contains(&id) {
            self.send_refused(number, id, &error, now);
        } else {
            let what = if id == AUTH { "auth" } else { "room.open" };
            self.break_off(number, &format!("{what}: {}", error.code.as_str()), None);
        }
    }

    fn other(&mut self, number: usize, payload: &[u8]) {
        let Ok(event) = Codec::from(self.ground.codec).decode::<ServerEvent>(payload) else {
            return self.tally.notice("an event that cannot be read");
        };
        match event {
            ServerEvent::Bye { retry_after_ms, .. } => {
                self.connections[number].retry_after = retry_after_ms.map(u64::from);
            }
            ServerEvent::RoomLagged { room, .. } => {
                self.tally.notice("room.lagged");
                let Some(room) = self.tally.room(room.0.into_bytes()) else { return };
                let place_of = |connection: &Connection| {
                    connection.subscriptions.binary_search_by_key(&room, |open| open.room).ok()
                };
                if let Some(place) = place_of(&self.connections[number]) {
                    let open = self.open(number, place);
                    self.say(number, &open);
                }
            }
            ServerEvent::Error(error) => self.tally.notice(&format!("error {}", error.code.as_str())),
            ServerEvent::RoomRemoved { .. } => self.tally.notice("room.removed"),
            _ => {}
        }
    }

    /// Has a connection send so many pings in one frame, or as few as a frame may hold.
    pub(super) fn burst(&mut self, number: u32, pings: u32) {
        let number = number as usize;
        if !self.connections[number].hears() {
            return;
        }
        let pings: Vec<Command> =
            (0..pings).map(|_| Command { id: self.connections[number].next_id(), op: Op::Ping }).collect();
        self.say(number, &pings);
    }
}
