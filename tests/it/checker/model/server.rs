//! The server half of the model: orders, refuses, fans out, replays, pages.

use super::{Command, Draft, Model, PAGE, REPLAY, Reply, id};
use rookery_protocol::{ErrorCode, Seq, UserId};
use rookery_tests::journal::{Act, ContentHash, Cursor, LoggedKind, Shown, Standing};

impl Model {
    /// The server takes the client's next command.
    pub(super) fn serve(&mut self, client: usize) {
        let user = self.clients[client].owner.user;
        let Some(command) = self.clients[client].link.as_mut().and_then(|link| link.up.pop_front()) else {
            return;
        };
        match command {
            Command::Open { room, after, asked } => self.open(client, room, (after, asked)),
            Command::Page { room, after, asked } => {
                let page = self.page(client, room, (after, asked));
                let refused = Reply::Refused(self.rooms[room].id);
                self.reply(client, page.map_or(refused, |page| Reply::Events(room, page)));
            }
            Command::Look { room, after, asked } => {
                if let Some(page) = self.page(client, room, (after, asked)) {
                    self.reply(client, Reply::Looked(page));
                }
            }
            Command::Send(draft) => {
                let answer = self.order(user, draft);
                self.reply(client, Reply::Act(answer));
            }
            Command::Mark { room, cursor, seq, asked } => self.mark(client, room, (cursor, seq, asked)),
            Command::Ask { room, asked } => {
                if self.rooms[room].members.contains_key(&user) {
                    let place = &self.rooms[room];
                    let (read, delivered) = place.present.cursors(user);
                    let stand = Standing {
                        room: place.id,
                        asked: Some(asked),
                        head: Some(Seq(place.head())),
                        marked: None,
                        read: Some(place.present.counts(&place.events, user, read)),
                        delivered: Some(delivered),
                    };
                    self.reply(client, Reply::Act(Act::Stand(stand)));
                }
            }
            Command::Type { room } => {
                let id = self.rooms[room].id;
                self.tell(room, &Act::Typing { room: id, user });
            }
            Command::Add { room, user: added } => {
                let place = &mut self.rooms[room];
                let seq = if place.members.contains_key(&added) {
                    place.head()
                } else {
                    let kind = LoggedKind::Added { user: added };
                    let seq = place.append(user, (None, ContentHash(id(&mut self.rng)), kind), self.t);
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
                    let event = (None, ContentHash(id(&mut self.rng)), kind);
                    let seq = self.rooms[room].append(user, event, self.t);
                    self.reply(
                        client,
                        Reply::Act(Act::Leave { room: self.rooms[room].id, user: removed, seq: Seq(seq) }),
                    );
                    self.fan_out(room);
                }
            }
        }
    }

    pub(super) fn order(&mut self, by: UserId, draft: Draft) -> Act {
        let Draft { room, cid, hash, said, kind } = draft;
        let place = &mut self.rooms[room];
        let id = place.id;
        let refused = |code| Act::Nack { room: id, cid, code };
        let is_busy = self.rng.u32(..40) == 0;
        let Some(joined) = place.members.get(&by).copied() else { return refused(ErrorCode::NotFound) };
        let known =
            place.events.iter().find(|event| event.by == by && event.cid == Some(cid)).map(|event| event.seq);
        // A room that dies may have written and says `busy` all the same.
        if is_busy && (known.is_some() || self.rng.bool()) {
            return refused(ErrorCode::Busy);
        }
        if known.is_none() && self.rng.u32(..40) == 0 {
            return refused(ErrorCode::StoreUnavailable);
        }
        let is_change = kind.target().is_some();
        if let (None, Some(target)) = (known, kind.target()) {
            let is_owner = by == place.events[0].by;
            let is_own = place.logged(target.0).by == by;
            let may = match kind {
                LoggedKind::Edit { .. } => is_own,
                LoggedKind::Delete { .. } => is_own || is_owner,
                LoggedKind::Pin { .. } => is_owner,
                _ => true,
            };
            if target.0 < joined || place.present.is_deleted(target) {
                return refused(ErrorCode::NotFound);
            }
            if !may {
                return refused(ErrorCode::Forbidden);
            }
            if place.present.is_so(by, &kind) {
                return Act::Kept { room: id, cid };
            }
        }
        let seq = known.unwrap_or_else(|| Seq(place.write(by, (Some(cid), hash, said, kind), self.t)));
        let ord = place.sighting(seq.0).ord;
        if known.is_none() {
            self.fan_out(room);
        }
        if is_busy {
            return refused(ErrorCode::Busy);
        }
        Act::Ack { room: id, cid, seq, ord: (!is_change).then_some(ord), duplicate: known.is_some() }
    }

    /// Moves a cursor, and says so to the other devices and to whoever hears the room.
    fn mark(&mut self, client: usize, room: usize, (cursor, seq, asked): (Cursor, u64, u64)) {
        let user = self.clients[client].owner.user;
        let place = &mut self.rooms[room];
        if !place.members.contains_key(&user) {
            return;
        }
        let come = place.present.mark(user, cursor, Seq(seq.min(place.events.len() as u64)));
        let id = place.id;
        let read = (cursor == Cursor::Read).then(|| place.present.counts(&place.events, user, come));
        let marked = Some((cursor, Seq(seq)));
        let stand = Standing { room: id, asked: Some(asked), head: None, marked, read, delivered: None };
        self.reply(client, Reply::Act(Act::Stand(stand)));
        for other in 0..self.clients.len() {
            if other != client && self.clients[other].owner.user == user && read.is_some() {
                let told = Standing { asked: None, marked: None, ..stand };
                self.reply(other, Reply::Act(Act::Stand(told)));
            }
        }
        self.tell(room, &Act::Progress { room: id, user, cursor, seq: come });
    }

    /// Something goes to everybody who hears the room.
    fn tell(&mut self, room: usize, act: &Act) {
        for client in &mut self.clients {
            if let Some(link) = client.link.as_mut().filter(|link| link.heard.contains(&room)) {
                link.down.push_back(Reply::Act(act.clone()));
            }
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

    pub(super) fn open(&mut self, client: usize, room: usize, (after, asked): (Option<u64>, u64)) {
        let place = &self.rooms[room];
        let Some(joined) = place.members.get(&self.clients[client].owner.user) else {
            return self.reply(client, Reply::Refused(place.id));
        };
        let head = place.head();
        let wanted = after.map_or(head + 1, |after| (after + 1).max(*joined));
        let reset = head + 1 - wanted > REPLAY;
        let from = if reset { head + 1 } else { wanted };
        let act = Act::Open {
            room: place.id,
            after: after.map(Seq),
            reset,
            from: Seq(from),
            head: Seq(head),
            asked,
        };
        let events: Vec<_> = (from..=head).map(|seq| Reply::Act(Act::Recv(place.sighting(seq)))).collect();
        if let Some(link) = &mut self.clients[client].link {
            link.heard.retain(|heard| *heard != room);
            link.heard.push(room);
            link.down.push_back(Reply::Act(act));
            link.down.extend(events);
        }
    }

    fn page(&self, client: usize, room: usize, (after, asked): (u64, u64)) -> Option<Vec<Shown>> {
        let place = &self.rooms[room];
        let reader = self.clients[client].owner.user;
        let first = (after + 1).max(*place.members.get(&reader)?);
        let entries =
            (first..=place.head()).map(|seq| place.logged(seq)).filter(|event| event.kind.target().is_none());
        let shown = |event| place.present.shown((place.id, event), reader, (asked, Seq(place.head())));
        Some(entries.take(PAGE).map(shown).collect())
    }
}
