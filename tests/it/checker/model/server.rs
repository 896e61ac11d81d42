//! The server half of the model: orders, refuses, fans out, replays, pages.

use super::{Command, Model, PAGE, REPLAY, Reply, id};
use rookery_protocol::{ClientId, ErrorCode, Seq, UserId};
use rookery_tests::journal::{Act, ContentHash, LoggedKind};

impl Model {
    /// The server takes the client's next command.
    pub(super) fn serve(&mut self, client: usize) {
        let user = self.clients[client].owner.user;
        let Some(command) = self.clients[client].link.as_mut().and_then(|link| link.up.pop_front()) else {
            return;
        };
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
                    let seq =
                        self.rooms[room].append(user, None, ContentHash(id(&mut self.rng)), kind, self.t);
                    self.reply(
                        client,
                        Reply::Act(Act::Leave { room: self.rooms[room].id, user: removed, seq: Seq(seq) }),
                    );
                    self.fan_out(room);
                }
            }
        }
    }

    pub(super) fn order(&mut self, room: usize, by: UserId, cid: ClientId, hash: ContentHash) -> Act {
        let place = &mut self.rooms[room];
        let id = place.id;
        let refused = |code| Act::Nack { room: id, cid, code };
        let is_busy = self.rng.u32(..40) == 0;
        if !place.members.contains_key(&by) {
            return refused(ErrorCode::NotFound);
        }
        let known =
            place.events.iter().find(|event| event.by == by && event.cid == Some(cid)).map(|event| event.seq);
        // A room that dies may have written and says `busy` all the same.
        if is_busy && (known.is_some() || self.rng.bool()) {
            return refused(ErrorCode::Busy);
        }
        if known.is_none() && self.rng.u32(..40) == 0 {
            return refused(ErrorCode::StoreUnavailable);
        }
        let seq =
            known.unwrap_or_else(|| Seq(place.append(by, Some(cid), hash, LoggedKind::Message, self.t)));
        let ord = place.sighting(seq.0).ord;
        if known.is_none() {
            self.fan_out(room);
        }
        if is_busy {
            refused(ErrorCode::Busy)
        } else {
            Act::Ack { room: id, cid, seq, ord, duplicate: known.is_some() }
        }
    }

    /// The newest event goes to everybody who hears the room; who is no member any more hears that.
    pub(super) fn fan_out(&mut self, room: usize) {
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

    pub(super) fn open(&mut self, client: usize, room: usize, after: Option<u64>) {
        let place = &self.rooms[room];
        let Some(joined) = place.members.get(&self.clients[client].owner.user) else {
            return self.reply(client, Reply::Refused(place.id));
        };
        let head = place.head();
        let wanted = after.map_or(head + 1, |after| (after + 1).max(*joined));
        let reset = head + 1 - wanted > REPLAY;
        let from = if reset { head + 1 } else { wanted };
        let act =
            Act::Open { room: place.id, after: after.map(Seq), reset, from: Seq(from), head: Seq(head) };
        let events: Vec<_> = (from..=head).map(|seq| Reply::Act(Act::Recv(place.sighting(seq)))).collect();
        if let Some(link) = &mut self.clients[client].link {
            link.heard.retain(|heard| *heard != room);
            link.heard.push(room);
            link.down.push_back(Reply::Act(act));
            link.down.extend(events);
        }
    }

    pub(super) fn page(&mut self, client: usize, room: usize, after: u64) {
        let place = &self.rooms[room];
        let Some(joined) = place.members.get(&self.clients[client].owner.user) else {
            return self.reply(client, Reply::Refused(place.id));
        };
        let first = (after + 1).max(*joined);
        let page = (first..=place.head()).take(PAGE).map(|seq| place.sighting(seq)).collect();
        self.reply(client, Reply::Events(room, page));
    }
}
