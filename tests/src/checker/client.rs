//! One journal, walked from its first entry to its last.

use super::cursors::Cursors;
use super::history::History;
use super::horizon::Look;
use super::sends::{Place, Sends};
use super::stream::{Opened, Stream};
use super::verdict::{Rule, Verdict};
use crate::journal::{Act, Entry, LoggedKind, Owner, Shown, Sighting};
use rookery_protocol::{ClientId, RoomId, Seq, UserId};
use std::collections::{HashMap, HashSet};

/// One attempt, for the order of pipelined sends.
#[derive(Debug)]
struct Attempt {
    conn: u32,
    room: RoomId,
    cid: ClientId,
    is_first: bool,
}

/// What all walks share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rooms: HashMap<RoomId, History>,
    pub(super) sends: Sends,
    pub(super) cursors: Cursors,
    pub(super) looks: Vec<Look>,
    /// Who has typed where.
    pub(super) typists: HashSet<(RoomId, UserId)>,
    /// Who was said to type where, and to whom.
    pub(super) typing: HashMap<(RoomId, UserId), String>,
    pub(super) verdict: Verdict,
    /// Events that a server replays.
    pub(super) replay: u64,
}

/// The walk.
#[derive(Debug)]
pub(super) struct Client<'a> {
    owner: &'a Owner,
    rooms: &'a mut HashMap<RoomId, History>,
    sends: &'a mut Sends,
    cursors: &'a mut Cursors,
    looks: &'a mut Vec<Look>,
    typists: &'a mut HashSet<(RoomId, UserId)>,
    typing: &'a mut HashMap<(RoomId, UserId), String>,
    verdict: &'a mut Verdict,
    replay: u64,
    streams: HashMap<RoomId, Stream>,
    attempts: Vec<Attempt>,
    /// The connections of each message's last two attempts, and the last one that can have written it.
    written_on: HashMap<(RoomId, ClientId), WrittenOn>,
    conn: u32,
}

/// By which of a message's attempts it was written, as far as the answers tell.
#[derive(Clone, Copy, Debug, Default)]
struct WrittenOn {
    last: u32,
    before: Option<u32>,
    /// Known with the first answer that names a place.
    latest: Option<u32>,
}

impl<'a> Client<'a> {
    pub(super) fn new(owner: &'a Owner, shared: &'a mut Shared) -> Self {
        let Shared { rooms, sends, cursors, looks, typists, typing, verdict, replay } = shared;
        Self {
            owner,
            rooms,
            sends,
            cursors,
            looks,
            typists,
            typing,
            verdict,
            replay: *replay,
            streams: HashMap::new(),
            attempts: Vec::new(),
            written_on: HashMap::new(),
            conn: 0,
        }
    }

    pub(super) fn hear(&mut self, entry: Entry) {
        let Entry { t, conn, act } = entry;
        if conn != self.conn {
            self.conn = conn;
            self.pause();
        }
        let counts = &mut self.verdict.counts;
        match act {
            Act::Send { room, cid, hash, said, .. } => {
                counts.sends += 1;
                let is_first = self.sends.send((room, self.owner.user, cid), (hash, said), t);
                counts.repeats += u64::from(!is_first);
                self.attempts.push(Attempt { conn, room, cid, is_first });
                let written = self.written_on.entry((room, cid)).or_default();
                written.before = (!is_first).then_some(written.last);
                written.last = conn;
            }
            Act::Ack { room, cid, seq, ord, duplicate } => {
                counts.acks += 1;
                if let Some(written) = self.written_on.get_mut(&(room, cid)) {
                    let latest = if duplicate { written.before.unwrap_or(conn) } else { conn };
                    written.latest.get_or_insert(latest);
                }
                self.sends.ack((room, self.owner.user, cid), Place { seq, ord }, self.verdict);
                if let Some(history) = self.rooms.get_mut(&room) {
                    history.note_known(seq, t);
                }
            }
            Act::Nack { room, cid, code } => {
                counts.refusals += 1;
                self.sends.nack((room, self.owner.user, cid), code);
            }
            Act::Kept { room, cid } => self.sends.kept((room, self.owner.user, cid)),
            Act::Timeout { .. } => {}
            Act::Open { room, after, reset, from, head, asked } => {
                counts.resumes += u64::from(after.is_some());
                counts.resets += u64::from(reset);
                let replay = self.replay;
                self.look(room, asked, head);
                self.open(room, Opened { after, reset, from, head, replay });
            }
            Act::Recv(seen) => {
                counts.deliveries += 1;
                let stream = self.streams.entry(seen.room).or_default();
                stream.receive(seen.room, &self.owner.client, seen.seq, self.verdict);
                let head = stream.begun_at();
                self.see(&seen, t);
                self.hear_said(&seen, head);
            }
            Act::Read(shown) => {
                counts.reads += 1;
                self.read(&shown, t);
            }
            Act::Mark { room, cursor, seq } => {
                counts.marks += 1;
                self.cursors.mark((room, self.owner.user), t, (cursor, seq));
            }
            Act::Stand(stand) => {
                counts.standings += 1;
                if let (Some(asked), Some(head)) = (stand.asked, stand.head) {
                    self.look(stand.room, asked, head);
                }
                self.cursors.stand(self.owner.user, t, stand);
            }
            Act::Progress { room, user, cursor, seq } => {
                counts.standings += 1;
                self.cursors.told((room, user), cursor, seq);
            }
            Act::Type { room } => drop(self.typists.insert((room, self.owner.user))),
            Act::Typing { room, user } => {
                counts.typing += 1;
                self.typing.entry((room, user)).or_insert_with(|| self.owner.client.clone());
            }
            Act::Lagged { room } => {
                counts.lagged += 1;
                self.streams.entry(room).or_default().pause();
            }
            Act::Close { room } => self.streams.entry(room).or_default().pause(),
            Act::Removed { room, .. } => self.streams.entry(room).or_default().remove(),
            Act::Join { room, user, seq } => self.join(room, user, seq),
            Act::Leave { room, user, seq } => self.leave(room, user, seq),
            Act::Closed { .. } => {
                counts.closed += 1;
                self.pause();
            }
        }
    }

    /// The journal ends.
    pub(super) fn end(mut self) {
        for (room, stream) in &self.streams {
            if let Some(history) = self.rooms.get(room) {
                stream.end(*room, self.owner, history, self.verdict);
            }
        }
        self.judge_pipelining();
    }

    fn pause(&mut self) {
        self.streams.values_mut().for_each(Stream::pause);
    }

    fn open(&mut self, room: RoomId, opened: Opened) {
        let Some(history) = self.rooms.get(&room) else {
            return self
                .verdict
                .add(Rule::Lost, room, opened.head, || "was opened and is not there".to_owned());
        };
        self.streams.entry(room).or_default().open(room, self.owner, history, opened, self.verdict);
    }

    fn look(&mut self, room: RoomId, asked: u64, head: Seq) {
        let is_same = |last: &Look| (last.room, last.asked, last.head) == (room, asked, head);
        if !self.looks.last().is_some_and(is_same) {
            self.looks.push(Look { room, asked, head, client: self.owner.client.clone() });
        }
    }

    /// An entry of a page.
    fn read(&mut self, shown: &Shown, t: u64) {
        let seen = shown.seen;
        self.streams.entry(seen.room).or_default().read(seen.seq);
        self.look(seen.room, shown.asked, shown.head);
        self.see(&seen, t);
        let Some(history) = self.rooms.get(&seen.room) else { return };
        let reader = (self.owner.client.as_str(), self.owner.user);
        if let Some(gone) = history.judge_shown(reader, shown, self.verdict) {
            self.sends.gone(seen.room, gone);
        }
    }

    /// What an event of a stream says that began at `head`.
    fn hear_said(&mut self, seen: &Sighting, head: Seq) {
        let Some(history) = self.rooms.get(&seen.room) else { return };
        if let Some(gone) = history.compare_said(&self.owner.client, seen, head, self.verdict) {
            self.sends.gone(seen.room, gone);
        }
    }

    /// An event was seen, wherever (C3, C8).
    fn see(&mut self, seen: &Sighting, t: u64) {
        let Sighting { room, seq, cid, .. } = *seen;
        let client = &self.owner.client;
        let Some(history) = self.rooms.get_mut(&room) else {
            return self.sends.stray(room, seq, cid);
        };
        if !history.compare(client, seen, t, self.verdict) {
            self.sends.stray(room, seq, cid);
        }
        if history.period(self.owner.user, seq).is_none() {
            self.verdict.add(Rule::Outside, room, seq, || format!("{client} saw it and was no member"));
        }
    }

    /// Somebody was added, the answer says: then it is a member at that place (C1).
    fn join(&mut self, room: RoomId, user: UserId, seq: Seq) {
        let is_member = self.rooms.get(&room).is_some_and(|history| history.period(user, seq).is_some());
        if !is_member {
            self.verdict.add(Rule::Lost, room, seq, || format!("{user} was added and is no member"));
        }
    }

    /// Somebody was removed, the answer says: then that is what is at that place (C1).
    fn leave(&mut self, room: RoomId, user: UserId, seq: Seq) {
        let logged = self.rooms.get(&room).and_then(|history| history.at(seq));
        if logged.is_none_or(|logged| logged.kind != LoggedKind::Removed { user }) {
            self.verdict.add(Rule::Lost, room, seq, || format!("{user} was removed and it is not there"));
        }
    }

    /// Judges the order of what one connection sent to one room (C6).
    ///
    /// A message is compared with what was sent before it on the connection of its first attempt, if
    /// that was written on this connection at the latest, and never answered with a no: an answer
    /// that was lost may have been one, and then its place is that of a later attempt.
    fn judge_pipelining(&mut self) {
        let mut newest: HashMap<(u32, RoomId), Seq> = HashMap::new();
        let mut found = Vec::new();
        for Attempt { conn, room, cid, is_first } in &self.attempts {
            let key = (*room, self.owner.user, *cid);
            let Some(place) = self.rooms.get(room).and_then(|history| history.place(self.owner.user, *cid))
            else {
                continue;
            };
            let newest = newest.entry((*conn, *room)).or_default();
            if *is_first && place < *newest {
                found.push((*room, place, *newest));
            }
            let latest = self.written_on.get(&(*room, *cid)).and_then(|written| written.latest);
            if latest.is_some_and(|latest| latest <= *conn) && !self.sends.was_put_off(key) {
                *newest = place.max(*newest);
            }
        }
        for (room, place, newest) in found {
            let client = &self.owner.client;
            self.verdict.add(Rule::Order, room, place, || format!("{client} had sent {newest} before it"));
        }
    }
}
