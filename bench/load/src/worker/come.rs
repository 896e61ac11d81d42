//! From a free socket to a connection whose rooms are open: the handshake, `auth`, `room.open`; and the same again
//! with positions where a connection was lost.

use super::Worker;
use super::connection::{Connection, Stage};
use super::order::{Connected, Goal, Told};
use super::socket;
use crate::clock;
use crate::result::Recorder;
use crate::wire::masked;
use rookery_protocol::limits::BATCH_COMMANDS;
use rookery_protocol::{Auth, Codec, Command, Op, RoomId, RoomOpen, Seq};
use rustix::event::epoll::{self, EventData, EventFlags};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;

/// The id of `auth`.
pub(super) const AUTH: u32 = 1;

/// The ids from here on are of `room.open`: this and the place of the room among the connection's.
pub(super) const OPEN: u32 = 1 << 30;

/// The key of the example in RFC 6455, section 1.3: nothing depends on its being a secret.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a server makes of [`KEY`].
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Connections begun between two looks at those that are there.
const BEGUN_AT_A_TIME: u32 = 64;

/// Times that a connection tries before it gives up.
const ATTEMPTS: u8 = 30;

/// The longest wait before another try where the server does not say one, and the shortest such bound.
const WAIT_AT_MOST: Range<u64> = 50 * clock::MILLISECOND..2 * clock::SECOND;

/// Connections that are to come.
#[derive(Debug)]
pub(super) struct Coming {
    range: Range<u32>,
    next: u32,
    at_once: u32,
    per_second: Option<f64>,
    goal: Goal,
    from: u64,
    on_their_way: u32,
    ready: u64,
    failed: BTreeMap<String, u64>,
    took: Recorder,
}

impl Coming {
    pub(super) fn new(range: Range<u32>, at_once: u32, per_second: Option<f64>, goal: Goal) -> Self {
        let (next, from) = (range.start, clock::now());
        let (failed, took) = (BTreeMap::new(), Recorder::default());
        Self { range, next, at_once, per_second, goal, from, on_their_way: 0, ready: 0, failed, took }
    }

    /// Returns when the next one may begin; `None` where one of those under way has to be there first, or none is
    /// left.
    pub(super) fn next_due(&self) -> Option<u64> {
        if self.next >= self.range.end {
            return None;
        }
        let nth = f64::from(self.next - self.range.start);
        match self.per_second {
            Some(rate) => Some(self.from + clock::from_seconds(nth / rate)),
            None => (self.at_once == 0 || self.on_their_way < self.at_once).then_some(0),
        }
    }
}

impl Worker {
    /// Begins what is due, and returns the answer once all are there.
    pub(super) fn come_on(&mut self, now: u64) -> Option<Told> {
        for _ in 0..BEGUN_AT_A_TIME {
            let super::Waiting::Connect(coming) = &mut self.waiting else { return None };
            let Some(due) = coming.next_due().filter(|due| *due <= now) else { break };
            let number = coming.next;
            coming.next += 1;
            let begun = match coming.per_second {
                Some(_) => due,
                // All at once: everybody's turn is the same moment.
                None if coming.at_once == 0 => coming.from,
                None => now,
            };
            let connection = &mut self.connections[number as usize];
            let is_away = connection.stage == Stage::Away;
            connection.goal = coming.goal;
            if is_away || connection.stage == Stage::Known {
                coming.on_their_way += 1;
                connection.begun = begun;
                connection.is_wanted = true;
                connection.attempts = 0;
                if is_away {
                    self.begin(number as usize);
                } else {
                    self.open_rooms(number as usize);
                }
            }
        }
        let super::Waiting::Connect(coming) = &mut self.waiting else { return None };
        let is_done = coming.next >= coming.range.end && coming.on_their_way == 0;
        is_done.then(|| {
            Told::Connected(Connected {
                ready: coming.ready,
                failed: std::mem::take(&mut coming.failed),
                took: coming.took.latency(),
                done_at: now,
            })
        })
    }

    /// Begins those that had to wait before another try.
    pub(super) fn come_back(&mut self, now: u64) {
        while self.returning.peek().is_some_and(|next| next.0.0 <= now) {
            let Some(std::cmp::Reverse((_, number))) = self.returning.pop() else { return };
            let connection = &self.connections[number];
            if connection.stage == Stage::Away && connection.is_wanted {
                self.begin(number);
            }
        }
    }

    fn begin(&mut self, number: usize) {
        let sources = self.ground.sources;
        let source = (sources > 1).then(|| {
            let last = u8::try_from(number % usize::from(sources)).unwrap_or(0) + 1;
            Ipv4Addr::new(127, 0, 0, last)
        });
        let handshake = self.handshake();
        let connection = &mut self.connections[number];
        connection.leave();
        let begun = socket::begin(self.ground.server, source, connection.stops).and_then(|socket| {
            let both = EventFlags::IN | EventFlags::OUT;
            epoll::add(&self.epoll, &socket, EventData::new_u64(number as u64), both)?;
            Ok(socket)
        });
        match begun {
            Ok(socket) => {
                connection.socket = Some(socket);
                connection.waits_to_write = true;
                if self.ground.is_floor {
                    connection.subscriptions.iter_mut().for_each(|room| room.position.begin(1));
                    self.is_there(number);
                } else {
                    connection.stage = Stage::Handshake;
                    connection.unwritten = handshake;
                }
            }
            Err(error) => self.break_off(number, &format!("connect: {error}"), None),
        }
    }

    fn handshake(&self) -> Vec<u8> {
        let protocol = Codec::from(self.ground.codec).subprotocol();
        let server = self.ground.server;
        format!(
            "GET /v1/ws HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
        )
        .into_bytes()
    }

    /// Looks at the answer to the handshake, and returns how many bytes it took; `None` where it is not whole.
    pub(super) fn shake_hands(&mut self, number: usize, bytes: &[u8]) -> Option<usize> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let answer = String::from_utf8_lossy(&bytes[..end]);
        if answer.starts_with("HTTP/1.1 101") && answer.contains(ACCEPT) {
            let connection = &mut self.connections[number];
            connection.stage = Stage::Auth;
            let token = connection.token.to_string();
            let auth = Auth { token, device: None, inbox_after: None };
            self.say(number, &Command { id: AUTH, op: Op::Auth(Box::new(auth)) });
        } else {
            let line = answer.lines().next().unwrap_or_default().to_owned();
            self.break_off(number, &format!("handshake: {line}"), None);
        }
        Some(end)
    }

    /// Asks for the next rooms, as many as one frame may ask for; with all open, it is there. Who is to come no
    /// further than that asks for none.
    pub(super) fn open_rooms(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if connection.goal == Goal::Known {
            connection.stage = Stage::Known;
            return self.has_come(number);
        }
        connection.stage = Stage::Opening;
        if (connection.opened as usize) == connection.subscriptions.len() {
            self.is_there(number);
            return;
        }
        if connection.opened < connection.asked {
            return;
        }
        let (from, left) =
            (connection.asked as usize, connection.subscriptions.len() - connection.asked as usize);
        let places = from..from + left.min(BATCH_COMMANDS);
        connection.asked = u32::try_from(places.end).unwrap_or(u32::MAX);
        let commands: Vec<Command> = places.map(|place| self.open(number, place)).collect();
        self.say(number, &commands);
    }

    /// Returns the command that opens one of the connection's rooms, from where it is.
    pub(super) fn open(&self, number: usize, place: usize) -> Command {
        let subscription = &self.connections[number].subscriptions[place];
        let room = RoomId(self.tally.rooms[subscription.room as usize].id);
        let after = subscription.position.last().map(Seq);
        let id = OPEN + u32::try_from(place).unwrap_or(0);
        Command { id, op: Op::RoomOpen(RoomOpen { room, after }) }
    }

    /// All is open: counts it, and sends again what was not answered on the socket before.
    fn is_there(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        connection.stage = if connection.stops { Stage::Stopped } else { Stage::Ready };
        connection.attempts = 0;
        if connection.stops {
            self.listen(number);
        }
        self.has_come(number);
        self.send_again(number);
    }

    /// Counts one that is as far as it was to come.
    fn has_come(&mut self, number: usize) {
        let begun = std::mem::take(&mut self.connections[number].begun);
        if begun > 0
            && let super::Waiting::Connect(coming) = &mut self.waiting
        {
            coming.on_their_way -= 1;
            coming.ready += 1;
            coming.took.note_us(clock::now().saturating_sub(begun) / 1_000);
        }
    }

    /// A socket is gone, or of no use: notes why, and comes back later.
    pub(super) fn break_off(&mut self, number: usize, why: &str, retry_after: Option<u64>) {
        self.tally.notice(why);
        let connection = &mut self.connections[number];
        let before = std::mem::replace(&mut connection.stage, Stage::Away);
        connection.leave();
        if matches!(before, Stage::Ready | Stage::Stopped) {
            self.tally.broken += 1;
        }
        connection.attempts += 1;
        // Who does not read is cut off; the end of the floor is its end.
        if connection.stops || self.ground.is_floor {
            connection.attempts = ATTEMPTS;
        }
        if connection.attempts < ATTEMPTS {
            let told = retry_after.map(|milliseconds| milliseconds * clock::MILLISECOND);
            let bound = (WAIT_AT_MOST.start << connection.attempts.min(10)).min(WAIT_AT_MOST.end);
            let at = clock::now() + told.unwrap_or_else(|| self.rng.u64(..bound));
            self.returning.push(std::cmp::Reverse((at, number)));
            return;
        }
        if std::mem::take(&mut connection.begun) > 0
            && let super::Waiting::Connect(coming) = &mut self.waiting
        {
            coming.on_their_way -= 1;
            *coming.failed.entry(why.to_owned()).or_default() += 1;
        }
    }

    /// Writes a command, or several.
    pub(super) fn say<T: serde::Serialize + ?Sized>(&mut self, number: usize, said: &T) {
        let codec = Codec::from(self.ground.codec);
        let payload = codec.encode(said).expect("own types can be encoded");
        let opcode = if codec.is_text() { masked::TEXT } else { masked::BINARY };
        self.write(number, opcode, &payload);
    }

    /// Writes one frame.
    pub(super) fn write(&mut self, number: usize, opcode: u8, payload: &[u8]) {
        let mask = self.rng.u32(..).to_ne_bytes();
        let connection = &mut self.connections[number];
        if connection.socket.is_none() {
            return;
        }
        masked::append(&mut connection.unwritten, opcode, payload, mask);
        if !connection.waits_to_write {
            self.flush(number);
        }
    }

    /// Writes what there is room for.
    pub(super) fn flush(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        let Some(socket) = &connection.socket else { return };
        match socket::write(socket, &connection.unwritten) {
            Ok(written) => {
                self.tally.whole.bytes_out += written as u64;
                if written == connection.unwritten.len() {
                    connection.unwritten = Vec::new();
                } else {
                    connection.unwritten.drain(..written);
                }
                let is_left = !connection.unwritten.is_empty();
                if is_left != connection.waits_to_write {
                    connection.waits_to_write = is_left;
                    self.listen(number);
                }
            }
            Err(error) => self.break_off(number, &format!("write: {error}"), None),
        }
    }

    /// Tells epoll what is waited for.
    fn listen(&self, number: usize) {
        let connection: &Connection = &self.connections[number];
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, connection.stage != Stage::Stopped);
        flags.set(EventFlags::OUT, connection.waits_to_write);
        if let Some(socket) = &connection.socket {
            // It is registered, so that only memory may lack.
            let _ = epoll::modify(&self.epoll, socket, EventData::new_u64(number as u64), flags);
        }
    }
}
