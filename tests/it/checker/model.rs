//! A model of a good server and good clients under crashes, cuts, refusals and slowness: histories
//! in which every promise holds, made from a seed.

mod client;
mod present;
mod server;

use fastrand::Rng;
use present::Present;
use rookery_protocol::{ClientId, Role, RoomId, Seq, Timestamp, UserId};
use rookery_tests::journal::{
    Act, ContentHash, Cursor, Entry, Logged, LoggedKind, Owner, RoomLog, Said, Shown, Sighting,
};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Events that the modelled server replays.
pub(crate) const REPLAY: u64 = 12;
const PAGE: usize = 5;
const STEPS: usize = 2_400;
/// Sends that a client has under way at most.
const IN_FLIGHT: usize = 5;

/// A finished run: what the checker judges.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) logs: Vec<RoomLog>,
    pub(crate) journals: Vec<(Owner, Vec<Entry>)>,
}

impl Run {
    /// Plays a run: 2 rooms, 6 users, one of them with two devices.
    pub(crate) fn play(seed: u64) -> Self {
        let mut model = Model::new(Rng::with_seed(seed));
        for _ in 0..STEPS {
            model.step();
        }
        model.settle();
        let logs =
            model.rooms.into_iter().map(|room| RoomLog { room: room.id, events: room.events }).collect();
        let journals = model.clients.into_iter().map(|client| (client.owner, client.entries)).collect();
        Self { logs, journals }
    }
}

#[derive(Debug)]
struct Room {
    id: RoomId,
    events: Vec<Logged>,
    members: HashMap<UserId, u64>,
    present: Present,
}

/// A write: what becomes an event when it is ordered.
#[derive(Clone, Debug)]
struct Draft {
    room: usize,
    cid: ClientId,
    hash: ContentHash,
    said: Option<Said>,
    kind: LoggedKind,
}

#[derive(Debug)]
enum Command {
    Open { room: usize, after: Option<u64>, asked: u64 },
    Page { room: usize, after: u64, asked: u64 },
    Look { room: usize, after: u64, asked: u64 },
    Send(Draft),
    Mark { room: usize, cursor: Cursor, seq: u64, asked: u64 },
    Ask { room: usize, asked: u64 },
    Type { room: usize },
    Add { room: usize, user: UserId },
    Remove { room: usize, user: UserId },
}

#[derive(Debug)]
enum Reply {
    Act(Act),
    Refused(RoomId),
    Events(usize, Vec<Shown>),
    Looked(Vec<Shown>),
}

#[derive(Debug)]
struct Unanswered {
    draft: Draft,
    attempt: u32,
}

/// A connection: what is on its way up and down, and which rooms it hears.
#[derive(Debug, Default)]
struct Link {
    up: VecDeque<Command>,
    down: VecDeque<Reply>,
    heard: Vec<usize>,
}

#[derive(Debug)]
struct Client {
    owner: Owner,
    entries: Vec<Entry>,
    conn: u32,
    link: Option<Link>,
    /// The position in each room that is followed.
    at: HashMap<usize, Option<u64>>,
    /// Where reading the pages that a reset left has come to.
    paging: HashMap<usize, u64>,
    unanswered: Vec<Unanswered>,
    is_gone: bool,
}

#[derive(Debug)]
struct Model {
    rng: Rng,
    t: u64,
    rooms: Vec<Room>,
    clients: Vec<Client>,
}

fn id(rng: &mut Rng) -> Uuid {
    Uuid::from_u128(rng.u128(..))
}

impl Room {
    fn head(&self) -> u64 {
        self.events.len() as u64
    }

    fn append(&mut self, by: UserId, event: (Option<ClientId>, ContentHash, LoggedKind), at: u64) -> u64 {
        let (cid, hash, kind) = event;
        self.write(by, (cid, hash, None, kind), at)
    }

    fn write(
        &mut self,
        by: UserId,
        (cid, hash, said, kind): (Option<ClientId>, ContentHash, Option<Said>, LoggedKind),
        at: u64,
    ) -> u64 {
        let seq = self.head() + 1;
        let before = self.events.last().map_or(0, |event| event.ord);
        let ord = before + u64::from(kind == LoggedKind::Message);
        let at = Timestamp(i64::try_from(at).expect("a model is short"));
        let role = matches!(kind, LoggedKind::Added { .. }).then_some(Role::Member);
        let event = Logged { seq: Seq(seq), ord, at, by, cid, hash, said, role, kind };
        self.present.take(&event);
        self.events.push(event);
        if let LoggedKind::Delete { target } = self.events.last().expect("it was just written").kind {
            for event in &mut self.events {
                let is_edit = event.kind == LoggedKind::Edit { target };
                if event.seq == target || is_edit {
                    event.said = None;
                }
            }
        }
        seq
    }

    fn logged(&self, seq: u64) -> &Logged {
        &self.events[usize::try_from(seq - 1).expect("a model is small")]
    }

    fn sighting(&self, seq: u64) -> Sighting {
        sighting_of(self.id, self.logged(seq))
    }
}

/// Returns an event as a stream has it.
pub(crate) fn sighting_of(room: RoomId, event: &Logged) -> Sighting {
    let body = event.said.as_ref().map(|said| said.body);
    Sighting { room, seq: event.seq, ord: event.ord, cid: event.cid, hash: event.hash, body }
}

impl Model {
    fn new(mut rng: Rng) -> Self {
        let users: Vec<UserId> = (0..6).map(|_| UserId(id(&mut rng))).collect();
        let mut rooms = Vec::new();
        for _ in 0..2 {
            let mut room = Room {
                id: RoomId(id(&mut rng)),
                events: Vec::new(),
                members: HashMap::new(),
                present: Present::default(),
            };
            let created = (Some(ClientId(id(&mut rng))), ContentHash(id(&mut rng)), LoggedKind::Other);
            room.append(users[0], created, 0);
            for user in &users[..3] {
                let added = (None, ContentHash(id(&mut rng)), LoggedKind::Added { user: *user });
                room.append(users[0], added, 0);
                room.members.insert(*user, 1);
            }
            // The first one is the owner.
            room.events[1].role = Some(Role::Owner);
            rooms.push(room);
        }
        let devices = users.iter().chain(&users[1..2]).enumerate();
        let client = |(number, user): (usize, &UserId)| Client {
            owner: Owner { client: format!("client {number}"), user: *user },
            entries: Vec::new(),
            conn: 0,
            link: None,
            at: HashMap::new(),
            paging: HashMap::new(),
            unanswered: Vec::new(),
            is_gone: false,
        };
        let clients = devices.map(client).collect();
        Self { rng, t: 1, rooms, clients }
    }

    fn step(&mut self) {
        self.t += self.rng.u64(1..10);
        let client = self.rng.usize(..self.clients.len());
        match self.rng.u32(..1000) {
            0..4 => (0..self.clients.len()).for_each(|client| self.cut(client)),
            4..10 => self.cut(client),
            10..14 => self.lag(client),
            14..30 => self.change_members(),
            30..34 => self.time_out(client),
            34..36 if client > 3 => self.go(client),
            36..250 => self.act(client),
            250..550 => self.serve(client),
            _ => self.take(client),
        }
    }

    /// Everybody who is still there comes back and hears everything.
    fn settle(&mut self) {
        for _ in 0..20 {
            for client in 0..self.clients.len() {
                if self.clients[client].link.is_none() {
                    self.act(client);
                }
                while self.clients[client]
                    .link
                    .as_ref()
                    .is_some_and(|link| !link.up.is_empty() || !link.down.is_empty())
                {
                    self.t += 1;
                    self.serve(client);
                    self.take(client);
                }
            }
        }
    }

    fn note(&mut self, client: usize, act: Act) {
        let client = &mut self.clients[client];
        client.entries.push(Entry { t: self.t, conn: client.conn, act });
    }

    fn command(&mut self, client: usize, command: Command) {
        self.clients[client].link.as_mut().expect("a command needs a link").up.push_back(command);
    }

    fn reply(&mut self, client: usize, reply: Reply) {
        if let Some(link) = &mut self.clients[client].link {
            link.down.push_back(reply);
        }
    }

    /// The connection breaks: what was on its way up may have been heard, no answer arrives.
    fn cut(&mut self, client: usize) {
        while self.rng.bool() && self.clients[client].link.as_ref().is_some_and(|link| !link.up.is_empty()) {
            self.serve(client);
        }
        if self.clients[client].link.take().is_some() {
            self.note(client, Act::Closed { code: None });
        }
    }

    fn go(&mut self, client: usize) {
        self.cut(client);
        self.clients[client].is_gone = true;
    }

    /// The client is too slow for a room.
    fn lag(&mut self, client: usize) {
        let Some(link) = &mut self.clients[client].link else { return };
        if let Some(room) = link.heard.pop() {
            self.reply(client, Reply::Act(Act::Lagged { room: self.rooms[room].id }));
        }
    }

    fn change_members(&mut self) {
        if self.clients[0].link.is_none() {
            return;
        }
        let room = self.rng.usize(..self.rooms.len());
        let user = self.clients[self.rng.usize(1..self.clients.len())].owner.user;
        let command =
            if self.rng.u32(..3) > 0 { Command::Add { room, user } } else { Command::Remove { room, user } };
        self.command(0, command);
    }

    fn room(&self, id: RoomId) -> usize {
        self.rooms.iter().position(|room| room.id == id).expect("all rooms are of the model")
    }
}
