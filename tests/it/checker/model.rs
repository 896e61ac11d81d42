//! A model of a good server and good clients under crashes, cuts, refusals and slowness: histories
//! in which every promise holds, made from a seed.

use fastrand::Rng;
use rookery_protocol::{ClientId, ErrorCode, RoomId, Seq, Timestamp, UserId};
use rookery_tests::journal::{Act, ContentHash, Entry, Logged, LoggedKind, Owner, RoomLog, Sighting};
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// Events that the modelled server replays.
pub(crate) const REPLAY: u64 = 12;
const PAGE: usize = 5;
const STEPS: usize = 1_200;
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
        let logs = model.rooms.into_iter().map(|room| RoomLog { room: room.id, events: room.events }).collect();
        let journals = model.clients.into_iter().map(|client| (client.owner, client.entries)).collect();
        Self { logs, journals }
    }
}

#[derive(Debug)]
struct Room {
    id: RoomId,
    events: Vec<Logged>,
    members: HashMap<UserId, u64>,
}

#[derive(Debug)]
enum Command {
    Open { room: usize, after: Option<u64> },
    Page { room: usize, after: u64 },
    Send { room: usize, cid: ClientId, hash: ContentHash },
    Add { room: usize, user: UserId },
    Remove { room: usize, user: UserId },
}

#[derive(Debug)]
enum Reply {
    Act(Act),
    Refused(RoomId),
    Events(usize, Vec<Sighting>),
}

#[derive(Debug)]
struct Unanswered {
    room: usize,
    cid: ClientId,
    hash: ContentHash,
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

    fn append(&mut self, by: UserId, cid: Option<ClientId>, hash: ContentHash, kind: LoggedKind, at: u64) -> u64 {
        let seq = self.head() + 1;
        let before = self.events.last().map_or(0, |event| event.ord);
        let ord = before + u64::from(kind == LoggedKind::Message);
        let at = Timestamp(i64::try_from(at).expect("a model is short"));
        self.events.push(Logged { seq: Seq(seq), ord, at, by, cid, hash, kind });
        seq
    }

    fn sighting(&self, seq: u64) -> Sighting {
        let event = &self.events[usize::try_from(seq - 1).expect("a model is small")];
        Sighting { room: self.id, seq: event.seq, ord: event.ord, cid: event.cid, hash: event.hash }
    }
}

impl Model {
    fn new(mut rng: Rng) -> Self {
        let users: Vec<UserId> = (0..6).map(|_| UserId(id(&mut rng))).collect();
        let mut rooms = Vec::new();
        for _ in 0..2 {
            let mut room = Room { id: RoomId(id(&mut rng)), events: Vec::new(), members: HashMap::new() };
            room.append(users[0], Some(ClientId(id(&mut rng))), ContentHash(id(&mut rng)), LoggedKind::Other, 0);
            for user in &users[..3] {
                room.append(users[0], None, ContentHash(id(&mut rng)), LoggedKind::Added { user: *user }, 0);
                room.members.insert(*user, 1);
            }
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
                while self.clients[client].link.as_ref().is_some_and(|link| !link.up.is_empty() || !link.down.is_empty()) {
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
        let command = if self.rng.u32(..3) > 0 { Command::Add { room, user } } else { Command::Remove { room, user } };
        self.command(0, command);
    }

    /// The client waits no longer and sends again on the same connection.
    fn time_out(&mut self, client: usize) {
        if self.clients[client].link.is_some() && !self.clients[client].unanswered.is_empty() {
            let unanswered = std::mem::take(&mut self.clients[client].unanswered);
            for one in unanswered {
                self.note(client, Act::Timeout { room: self.rooms[one.room].id, cid: one.cid });
                self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
            }
        }
    }

    fn send(&mut self, client: usize, one: Unanswered) {
        let Unanswered { room, cid, hash, attempt } = one;
        self.note(client, Act::Send { room: self.rooms[room].id, cid, attempt, hash });
        self.command(client, Command::Send { room, cid, hash });
        self.clients[client].unanswered.push(one);
    }

    /// The client connects, or else says something.
    fn act(&mut self, client: usize) {
        if self.clients[client].is_gone {
            return;
        }
        if self.clients[client].link.is_none() {
            return self.connect(client);
        }
        let room = self.rng.usize(..self.rooms.len());
        if self.clients[client].unanswered.len() < IN_FLIGHT && self.clients[client].at.contains_key(&room) {
            let (cid, hash) = (ClientId(id(&mut self.rng)), ContentHash(id(&mut self.rng)));
            self.send(client, Unanswered { room, cid, hash, attempt: 1 });
        } else if !self.clients[client].at.contains_key(&room) {
            self.command(client, Command::Open { room, after: Some(0) });
        }
    }

    fn connect(&mut self, client: usize) {
        let of = &mut self.clients[client];
        of.conn += 1;
        of.link = Some(Link::default());
        let mut followed: Vec<_> = of.at.iter().map(|(room, at)| (*room, *at)).collect();
        followed.sort_unstable();
        let mut paging: Vec<_> = of.paging.iter().map(|(room, after)| (*room, *after)).collect();
        paging.sort_unstable();
        let unanswered = std::mem::take(&mut of.unanswered);
        for (room, at) in followed {
            self.command(client, Command::Open { room, after: at });
        }
        for (room, after) in paging {
            self.command(client, Command::Page { room, after });
        }
        for one in unanswered {
            self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
        }
    }

    /// The server takes the client's next command.
    fn serve(&mut self, client: usize) {
        let user = self.clients[client].owner.user;
        let Some(command) = self.clients[client].link.as_mut().and_then(|link| link.up.pop_front()) else { return };
        match command {
            Command::Open { room, after } => self.open(client, room, after),
            Command::Page { room, after } => self.page(client, room, after),
            Command::Send { room, cid, hash } => {
                let answer = self.order(room, user, cid, hash);
                self.reply(client, Reply::Act(answer));
            }
            Command::Add { room, user: added } => {
                let place = &mut self.rooms[room];
                let seq = if place.members.contains_key(&added) {
                    place.head()
                } else {
                    let kind = LoggedKind::Added { user: added };
                    let seq = place.append(user, None, ContentHash(id(&mut self.rng)), kind, self.t);
                    place.members.insert(added, seq);
                    self.fan_out(room);
                    seq
                };
                let act = Act::Join { room: self.rooms[room].id, user: added, seq: Seq(seq) };
                self.reply(client, Reply::Act(act));
            }
            Command::Remove { room, user: removed } => {
                if self.rooms[room].members.remove(&removed).is_some() {
                    let kind = LoggedKind::Removed { user: removed };
                    let seq = self.rooms[room].append(user, None, ContentHash(id(&mut self.rng)), kind, self.t);
                    self.reply(client, Reply::Act(Act::Leave { room: self.rooms[room].id, user: removed, seq: Seq(seq) }));
                    self.fan_out(room);
                }
            }
        }
    }

    fn order(&mut self, room: usize, by: UserId, cid: ClientId, hash: ContentHash) -> Act {
        let place = &mut self.rooms[room];
        let id = place.id;
        let refused = |code| Act::Nack { room: id, cid, code };
        let is_busy = self.rng.u32(..40) == 0;
        if !place.members.contains_key(&by) {
            return refused(ErrorCode::NotFound);
        }
        let known = place.events.iter().find(|event| event.by == by && event.cid == Some(cid)).map(|event| event.seq);
        // A room that dies may have written and says `busy` all the same.
        if is_busy && (known.is_some() || self.rng.bool()) {
            return refused(ErrorCode::Busy);
        }
        if known.is_none() && self.rng.u32(..40) == 0 {
            return refused(ErrorCode::StoreUnavailable);
        }
        let seq = known.unwrap_or_else(|| Seq(place.append(by, Some(cid), hash, LoggedKind::Message, self.t)));
        let ord = place.sighting(seq.0).ord;
        if known.is_none() {
            self.fan_out(room);
        }
        if is_busy { refused(ErrorCode::Busy) } else { Act::Ack { room: id, cid, seq, ord, duplicate: known.is_some() } }
    }

    /// The newest event goes to everybody who hears the room; who is no member any more hears that.
    fn fan_out(&mut self, room: usize) {
        let place = &self.rooms[room];
        let (id, seen) = (place.id, place.sighting(place.head()));
        for client in &mut self.clients {
            let is_member = place.members.contains_key(&client.owner.user);
            let Some(link) = client.link.as_mut().filter(|link| link.heard.contains(&room)) else { continue };
            link.down.push_back(Reply::Act(Act::Recv(seen)));
            if !is_member {
                link.heard.retain(|heard| *heard != room);
                link.down.push_back(Reply::Act(Act::Removed { room: id, seq: seen.seq }));
            }
        }
    }

    fn open(&mut self, client: usize, room: usize, after: Option<u64>) {
        let place = &self.rooms[room];
        let Some(joined) = place.members.get(&self.clients[client].owner.user) else {
            return self.reply(client, Reply::Refused(place.id));
        };
        let head = place.head();
        let wanted = after.map_or(head + 1, |after| (after + 1).max(*joined));
        let reset = head + 1 - wanted > REPLAY;
        let from = if reset { head + 1 } else { wanted };
        let act = Act::Open { room: place.id, after: after.map(Seq), reset, from: Seq(from), head: Seq(head) };
        let events: Vec<_> = (from..=head).map(|seq| Reply::Act(Act::Recv(place.sighting(seq)))).collect();
        if let Some(link) = &mut self.clients[client].link {
            link.heard.retain(|heard| *heard != room);
            link.heard.push(room);
            link.down.push_back(Reply::Act(act));
            link.down.extend(events);
        }
    }

    fn page(&mut self, client: usize, room: usize, after: u64) {
        let place = &self.rooms[room];
        let Some(joined) = place.members.get(&self.clients[client].owner.user) else {
            return self.reply(client, Reply::Refused(place.id));
        };
        let first = (after + 1).max(*joined);
        let page = (first..=place.head()).take(PAGE).map(|seq| place.sighting(seq)).collect();
        self.reply(client, Reply::Events(room, page));
    }

    /// The client takes what arrived next.
    fn take(&mut self, client: usize) {
        let Some(reply) = self.clients[client].link.as_mut().and_then(|link| link.down.pop_front()) else { return };
        match reply {
            Reply::Act(act) => {
                self.note(client, act.clone());
                self.follow(client, &act);
            }
            Reply::Refused(room) => {
                let room = self.room(room);
                self.forget(client, room);
            }
            Reply::Events(room, page) => {
                for seen in &page {
                    self.note(client, Act::Read(*seen));
                }
                let last = page.last().filter(|_| page.len() == PAGE).map(|last| last.seq.0);
                match (last, self.clients[client].paging.get_mut(&room)) {
                    (Some(last), Some(after)) => {
                        *after = last;
                        self.command(client, Command::Page { room, after: last });
                    }
                    _ => drop(self.clients[client].paging.remove(&room)),
                }
            }
        }
    }

    fn follow(&mut self, client: usize, act: &Act) {
        match act {
            Act::Open { room, after, reset, from, .. } => {
                let room = self.room(*room);
                self.clients[client].at.insert(room, Some(from.0 - 1));
                let after = after.map_or(0, |after| after.0);
                // Pages that are being read already go on to the head.
                if *reset && !self.clients[client].paging.contains_key(&room) {
                    self.clients[client].paging.insert(room, after);
                    self.command(client, Command::Page { room, after });
                }
            }
            Act::Recv(seen) => {
                let room = self.room(seen.room);
                self.clients[client].at.insert(room, Some(seen.seq.0));
            }
            Act::Ack { cid, .. } => self.clients[client].unanswered.retain(|one| one.cid != *cid),
            Act::Nack { cid, code, .. } => {
                let unanswered = &mut self.clients[client].unanswered;
                if let Some(index) = unanswered.iter().position(|one| one.cid == *cid) {
                    let one = unanswered.remove(index);
                    if *code != ErrorCode::NotFound && self.rng.u32(..4) > 0 {
                        self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
                    }
                }
            }
            Act::Lagged { room } => {
                let room = self.room(*room);
                if let Some(after) = self.clients[client].at.get(&room).copied() {
                    self.command(client, Command::Open { room, after });
                }
            }
            Act::Removed { room, .. } => {
                let room = self.room(*room);
                self.forget(client, room);
            }
            _ => {}
        }
    }

    fn forget(&mut self, client: usize, room: usize) {
        self.clients[client].at.remove(&room);
        self.clients[client].paging.remove(&room);
    }

    fn room(&self, id: RoomId) -> usize {
        self.rooms.iter().position(|room| room.id == id).expect("all rooms are of the model")
    }
}
